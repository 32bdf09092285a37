// The derivative of a function as formulas: its result and the derivative by one parameter, read off the simplified graph.

import type { Graph } from '../ir/graph.ts';
import { withName, type Index } from './formula.ts';
import { readerOf } from './read.ts';
import { dlg, latex, matrixOf, vectorOf, write } from './text.ts';

export interface DerivativeText {
  /** Lines of DLG: the result, and its derivative. */
  readonly dlg: readonly string[];
  /** Lines of LaTeX: element by element, and in matrix notation where there is one. */
  readonly latex: readonly string[];
}

const rows: readonly Index[] = ['i', 'a', 'c', 'e', 'g'];
const columns: readonly Index[] = ['j', 'b', 'd', 'f', 'h'];

/** `graph` has the outputs `value` and `derivative`; `y` and `x` are how the two are called. */
export function writeDerivative(graph: Graph, y: string, x: string): DerivativeText | string {
  const [value, derivative] = graph.outputs.map((port) => port.value);
  const rank = value.shape.length;
  const others = derivative.shape.length - rank;
  if (rank > rows.length || others > columns.length) return 'it has too many axes to write';
  const [i, j] = [rows.slice(0, rank), columns.slice(0, others)];
  const definition = readerOf(graph, new Map()).element(value, i);
  const reader = readerOf(graph, new Map([[value, y]]));
  const read = value === derivative ? definition : reader.element(derivative, [...i, ...j]);
  const formula = withName(read, y, i, definition);
  const left = { kind: 'element', name: y, indices: i } as const;
  const gradient = { kind: 'element', name: `d${y}_d${x}`, indices: [...i, ...j] } as const;
  const where = [...reader.unread].map(
    ([name, op]) => `# ${name} is the result of ${op} in the graph`,
  );
  const quotient = `\\frac{\\partial ${write(left, latex)}}{\\partial ${write({ kind: 'element', name: x, indices: j }, latex)}}`;
  const whole = `\\frac{\\partial \\mathbf{${y}}}{\\partial \\mathbf{${x}}}`;
  const short =
    rank === 1 && others === 1
      ? matrixOf(formula, i[0], j[0])
      : rank === 0 && others === 1
        ? vectorOf(formula, j[0])
        : null;
  return {
    dlg: [
      `${write(left, dlg)} = ${write(definition, dlg)}`,
      `${write(gradient, dlg)} = ${write(formula, dlg)}`,
      ...where,
    ],
    latex: [
      `${quotient} = ${write(formula, latex)}`,
      ...(short === null
        ? []
        : [`${whole.replace(`\\mathbf{${y}}`, rank === 0 ? y : `\\mathbf{${y}}`)} = ${short}`]),
    ],
  };
}

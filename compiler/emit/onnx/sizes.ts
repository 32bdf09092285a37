// Free sizes inside an ONNX graph: dimensions as int64 tensors of one element, computed from the shapes of the inputs that
// determine them. Equal computations are shared by the builder.

import { isConstant, one, surelyNonNegative, zero } from '../../dims/arithmetic.ts';
import type { Atom, Dim } from '../../dims/dim.ts';
import { showDim } from '../../dims/show.ts';
import type { SizeSource } from '../../ir/sizes.ts';
import type { OnnxBuilder } from './builder-types.ts';

/** TensorProto.DataType.INT64 */
const int64Type = 7;

/** The name of a 1-d tensor that holds the dimension alone. */
export type SizeComputer = (dim: Dim) => string;

/** `sources`: where each variable is read, as `sizeSources` finds it. Throws for a size that no input determines. */
export function sizeComputer(
  onnx: Pick<OnnxBuilder, 'node' | 'int64s'>,
  sources: readonly SizeSource[],
): SizeComputer {
  const byVariable = new Map(sources.map((source) => [source.variable, source]));
  const binary = (opType: string, a: string, b: string): string => onnx.node(opType, [a, b]);

  const sizeOfAxis = (name: string, axis: number): string =>
    onnx.node('Shape', [name], {
      start: { kind: 'int', value: axis },
      end: { kind: 'int', value: axis + 1 },
    });

  const valueOf = (name: string): string =>
    onnx.node('Cast', [onnx.node('Reshape', [name, onnx.int64s([1])])], {
      to: { kind: 'int', value: int64Type },
    });

  const readVariable = ({ port, axis, coefficient, rest }: SizeSource): string => {
    const size = axis === null ? valueOf(port.name) : sizeOfAxis(port.name, axis);
    const shifted = rest.key === zero.key ? size : binary('Sub', size, compute(rest));
    return coefficient.key === one.key ? shifted : binary('Div', shifted, compute(coefficient));
  };

  const atom = (of: Atom): string => {
    if (of.kind === 'quotient') return quotient(of.numerator, of.denominator);
    const source = of.kind === 'variable' ? byVariable.get(of) : undefined;
    if (source === undefined)
      throw new Error(
        `no input determines the size ${of.kind === 'variable' ? of.name : of.pack.name}`,
      );
    return readVariable(source);
  };

  /** ONNX's Div drops the fraction; below 0 the remainder, of the divisor's sign, has to go first. */
  const quotient = (numerator: Dim, denominator: Dim): string => {
    const [top, bottom] = [compute(numerator), compute(denominator)];
    if (surelyNonNegative(numerator)) return binary('Div', top, bottom);
    return binary('Div', binary('Sub', top, binary('Mod', top, bottom)), bottom);
  };

  const compute: SizeComputer = (dim) => {
    const known = isConstant(dim);
    if (known !== null) return onnx.int64s([known]);
    const terms = dim.terms.map(({ coefficient, factors }) => {
      const names = factors.flatMap(({ atom: of, power }) => Array<string>(power).fill(atom(of)));
      const all =
        coefficient === 1 && names.length > 0 ? names : [onnx.int64s([coefficient]), ...names];
      return all.reduce((a, b) => binary('Mul', a, b));
    });
    return terms.reduce((a, b) => binary('Add', a, b));
  };
  return compute;
}

/** Texts for `dim_param`: a size of its own has its name, made unique; a computed one its formula. */
export function dimParams(): (dim: Dim) => number | string {
  const texts = new Map<string, string>();
  const taken = new Set<string>();
  return (dim) => {
    const known = isConstant(dim);
    if (known !== null) return known;
    let text = texts.get(dim.key);
    if (text === undefined) {
      const base = showDim(dim);
      text = base;
      for (let n = 2; taken.has(text); n++) text = `${base}_${n}`;
      taken.add(text);
      texts.set(dim.key, text);
    }
    return text;
  };
}

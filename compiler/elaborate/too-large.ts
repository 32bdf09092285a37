// Sizes that no target holds are refused before any pass or device meets them.

import type { Span } from '../../grammar/source.ts';
import type { TypedLayer } from '../check/typed.ts';
import { report, type Diagnostic } from '../diagnostics/diagnostic.ts';
import { E0703 } from '../diagnostics/elaboration.ts';
import { isConstant } from '../dims/arithmetic.ts';
import { showDim } from '../dims/show.ts';
import type { Graph, Port, TensorType } from '../ir/graph.ts';

const MOST = 2 ** 31 - 1;

const axisTooLarge = ({ shape }: TensorType): string | null => {
  const large = shape.find((size) => (isConstant(size) ?? 0) > MOST);
  return large === undefined ? null : showDim(large);
};

/** The number of elements, free sizes counted as 1. */
const leastElements = ({ shape }: TensorType): number =>
  shape.reduce((product, size) => product * (isConstant(size) ?? 1), 1);

function portTooLarge({ name, value }: Port, span: Span | null): readonly Diagnostic[] {
  const elements = leastElements(value);
  if (elements <= MOST) return [];
  const shape = `[${value.shape.map(showDim).join(', ')}]`;
  return [report(E0703, { span, data: { what: `\`${name}\``, size: shape } })];
}

/** The data and results of a graph with too many elements, or else its first value with too long an axis. */
export function tooLarge({ inputs, nodes, outputs }: Graph, span: Span): readonly Diagnostic[] {
  const ends = [...inputs, ...outputs]
    .filter(({ role }) => role === 'data' || role === 'result')
    .flatMap((port) => portTooLarge(port, span));
  if (ends.length > 0) return ends;
  for (const { outputs: values, origin } of nodes)
    for (const value of values) {
      const size = axisTooLarge(value);
      if (size === null) continue;
      return [report(E0703, { span: origin.span ?? span, data: { what: 'an axis', size } })];
    }
  return [];
}

/** The parameters and states of the program's layers that have too many elements. */
export const layersTooLarge = (init: Graph, layers: readonly TypedLayer[]): readonly Diagnostic[] =>
  init.outputs.flatMap((port) => {
    const layer = layers.find(({ name }) => port.name.split('.')[0] === name);
    return portTooLarge(port, layer?.span ?? null);
  });

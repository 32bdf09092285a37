// What a reduction along the keys of a stream has accumulated, for each row of an invocation.

import { literal, typeNames } from './expressions.ts';
import type { Index } from './indices.ts';
import { loweringOf } from './network.ts';
import type { StreamFold } from './stream.ts';
import type { StreamWriting } from './stream-writing.ts';

export interface Accumulators {
  /** Folds in the element at a position along the keys. */
  readonly add: (r: Index, element: string, position: string) => void;
  readonly at: (r: Index) => string;
}

export function createAccumulators(
  { context: { writer }, layout, each }: StreamWriting,
  { node }: StreamFold,
): Accumulators {
  const lowering = loweringOf(node);
  if (lowering.kind !== 'reduce') throw new Error(`${node.op} is no reduction`);
  const fold = lowering.fold(node.inputs[0], node.attributes);
  const arrays = fold.accumulators.map(({ dtype, initial }) => {
    const array = writer.name('accumulated');
    writer.line(`var ${array}: array<${typeNames[dtype]}, ${layout.rows}>;`);
    each('r', layout.rows, (r) =>
      writer.assign(`${array}[${writer.text(r)}]`, literal(dtype, initial, writer.call)),
    );
    return array;
  });
  const at = (r: Index): string[] => arrays.map((array) => `${array}[${writer.text(r)}]`);
  return {
    add(r, element, position) {
      const own = at(r);
      const combined = fold.combine(own, fold.element(element, position), writer);
      const values = combined.map((text) => writer.bind('kept', text));
      own.forEach((place, i) => writer.assign(place, values[i]));
    },
    at: (r) => at(r)[fold.result],
  };
}

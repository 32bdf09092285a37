// The leaves of a value, its parts that are no tuples: a loop carries them one by one, a derivative is taken by each, and the value is put
// together again from what became of them.

import type { Elaborated, TensorValue } from '../builtins/elaboration.ts';

/** The parts of a value that are no tuples, in order. */
export const leavesOf = (value: Elaborated): readonly Elaborated[] =>
  value.kind === 'tuple' ? value.items.flatMap(leavesOf) : [value];

/** Those of them that are tensors. */
export const tensorsOf = (value: Elaborated): readonly TensorValue[] =>
  leavesOf(value).filter((leaf) => leaf.kind === 'tensor');

/** `value` with each of its leaves changed. */
export const mapLeaves = (
  value: Elaborated,
  change: (leaf: Elaborated) => Elaborated,
): Elaborated =>
  value.kind === 'tuple'
    ? { kind: 'tuple', items: value.items.map((item) => mapLeaves(item, change)) }
    : change(value);

/** `value` with its leaves, in order, replaced by `leaves`. */
export function withLeaves(value: Elaborated, leaves: readonly Elaborated[]): Elaborated {
  const rest = leaves.values();
  return mapLeaves(value, () => {
    const next = rest.next();
    if (next.done === true) throw new Error('a value has more leaves than were given');
    return next.value;
  });
}

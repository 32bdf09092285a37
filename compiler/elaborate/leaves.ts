// The tensors of a value: a loop carries them one by one, and the value is put together again from them.

import type { Elaborated } from '../builtins/elaboration.ts';

/** The parts of a value that are no tuples, in order. */
export const leavesOf = (value: Elaborated): readonly Elaborated[] =>
  value.kind === 'tuple' ? value.items.flatMap(leavesOf) : [value];

/** `value` with its leaves, in order, replaced by `leaves`. */
export function withLeaves(value: Elaborated, leaves: readonly Elaborated[]): Elaborated {
  const rest = leaves.values();
  const rebuild = (old: Elaborated): Elaborated => {
    if (old.kind === 'tuple') return { kind: 'tuple', items: old.items.map(rebuild) };
    const next = rest.next();
    if (next.done === true) throw new Error('a value has more leaves than were given');
    return next.value;
  };
  return rebuild(value);
}

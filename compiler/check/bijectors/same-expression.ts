// Whether two expressions compute the same by the same operations.

import { partsOf } from '../parts.ts';
import type { TypedExpression } from '../typed.ts';

export function sameExpression(a: TypedExpression, b: TypedExpression): boolean {
  if (!sameHead(a, b)) return false;
  const [left, right] = [partsOf(a), partsOf(b)];
  return left.length === right.length && left.every((part, i) => sameExpression(part, right[i]));
}

/** Of the kinds that have no entry, no two are the same. */
function sameHead(a: TypedExpression, b: TypedExpression): boolean {
  if (a.kind === 'number' && b.kind === 'number') return a.value === b.value;
  if (a.kind === 'dim' && b.kind === 'dim') return a.dim.key === b.dim.key;
  if (a.kind === 'local' && b.kind === 'local') return a.local === b.local;
  if (a.kind === 'index' && b.kind === 'index') return a.index === b.index;
  if (a.kind === 'builtin' && b.kind === 'builtin') return a.builtin === b.builtin;
  if (a.kind === 'project' && b.kind === 'project') return a.field === b.field;
  if (a.kind === 'convert' && b.kind === 'convert') return a.to.kind === b.to.kind;
  if (a.kind !== 'read' || b.kind !== 'read' || a.slots.length !== b.slots.length) return false;
  return a.slots.every((slot, i) => {
    const other = b.slots[i];
    if (slot.kind === 'pack' && other.kind === 'pack') return slot.index === other.index;
    if (slot.kind === 'range' && other.kind === 'range')
      return slot.from.key === other.from.key && slot.to.key === other.to.key;
    // The positions are parts.
    return slot.kind === other.kind;
  });
}

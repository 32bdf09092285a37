// Two shapes without unknowns, axis by axis: equal by proof, refuted with numbers, or neither.

import type { Assumptions } from '../dims/assumptions.ts';
import type { Dim } from '../dims/dim.ts';
import { proveEqual } from '../dims/prove.ts';
import type { Shape } from '../dims/shape.ts';

export type ShapeAnswer =
  | { readonly kind: 'equal' }
  | { readonly kind: 'rank' }
  | { readonly kind: 'pack' }
  | {
      readonly kind: 'refuted';
      readonly axis: number;
      readonly left: Dim;
      readonly right: Dim;
      readonly values: string | null;
    }
  | { readonly kind: 'unknown'; readonly axis: number; readonly left: Dim; readonly right: Dim };

/** Compares two shapes without unknowns, axis by axis. */
export function compareShapes(a: Shape, b: Shape, assumptions: Assumptions): ShapeAnswer {
  if (a.length !== b.length) return { kind: 'rank' };
  for (const [axis, left] of a.entries()) {
    const right = b[axis];
    if (left.kind === 'pack' || right.kind === 'pack') {
      if (left.kind === 'pack' && right.kind === 'pack' && left.pack === right.pack) continue;
      return { kind: 'pack' };
    }
    const answer = proveEqual(left.size, right.size, assumptions);
    if (answer.kind === 'proved') continue;
    const shared = { axis, left: left.size, right: right.size };
    if (answer.kind === 'unknown') return { kind: 'unknown', ...shared };
    const shown = [...answer.valuation].map(([v, n]) => `${v.name} = ${n}`).join(', ');
    return {
      kind: 'refuted',
      ...shared,
      values: shown === '' ? null : `for ${shown} they are ${answer.left} and ${answer.right}`,
    };
  }
  return { kind: 'equal' };
}

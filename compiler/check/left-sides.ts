// Left sides of index notation: `y[.., (i, j), u < p]`, as groups of indices with their bounds.

import type { Expression, Identifier, Slot } from '../../grammar/ast.ts';
import { textOf, type Span } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { indices } from '../diagnostics/indices.ts';
import { add, one } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import type { Shape } from '../dims/shape.ts';
import { type Context } from './context.ts';
import { toSize } from './dimensions.ts';

interface LeftIndex {
  readonly name: Identifier;
  readonly bound: Expression | null;
  readonly inclusive: boolean;
}

export type LeftSlot =
  | { readonly kind: 'dots'; readonly span: Span }
  | { readonly kind: 'group'; readonly items: readonly LeftIndex[]; readonly span: Span };

/** `i`, `u < p`; null for anything else. */
function leftIndex(node: Expression): LeftIndex | null {
  if (node.kind === 'name') return { name: node, bound: null, inclusive: false };
  if (node.kind !== 'compare' || node.operands.length !== 2) return null;
  const [name, bound] = node.operands;
  const [relation] = node.relations;
  if (name.kind !== 'name' || (relation !== '<' && relation !== '<=')) return null;
  return { name, bound, inclusive: relation === '<=' };
}

/** The axes of a left side; null after a report. */
export function leftSlots(context: Context, slots: readonly Slot[]): readonly LeftSlot[] | null {
  const result: LeftSlot[] = [];
  for (const slot of slots) {
    if (slot.kind === 'ellipsis') {
      if (result.some((other) => other.kind === 'dots')) {
        context.report(
          report(indices.E0307, {
            span: slot.span,
            data: { reason: '`..` stands twice on the left side' },
          }),
        );
        return null;
      }
      result.push({ kind: 'dots', span: slot.span });
      continue;
    }
    const nodes =
      slot.kind === 'range' ? [] : slot.value.kind === 'tuple' ? slot.value.items : [slot.value];
    const items = nodes.map(leftIndex);
    const known = items.filter((item) => item !== null);
    if (known.length === 0 || known.length !== items.length) {
      if (!nodes.some((node) => node.kind === 'error'))
        context.report(
          report(indices.E0313, { span: slot.span, data: { found: textOf(slot.span) } }),
        );
      return null;
    }
    result.push({ kind: 'group', items: known, span: slot.span });
  }
  return result;
}

/** Reports an index bound twice on one left side. */
export function distinct(context: Context, slots: readonly LeftSlot[]): boolean {
  const seen = new Map<string, Identifier>();
  for (const slot of slots) {
    if (slot.kind === 'dots') continue;
    for (const { name } of slot.items) {
      const first = seen.get(name.text);
      if (first !== undefined) {
        context.report(
          report(indices.E0306, {
            span: name.span,
            data: { name: name.text },
            related: [{ span: first.span, reason: 'here first' }],
          }),
        );
        return false;
      }
      seen.set(name.text, name);
    }
  }
  return true;
}

/** The axes of the declared shape that each slot of the left side stands for; null where it cannot be told. */
export function declaredAxes(
  slots: readonly LeftSlot[],
  shape: Shape | null,
): readonly Shape[] | null {
  if (shape === null) return null;
  const groups = slots.filter((slot) => slot.kind === 'group').length;
  const dots = shape.length - groups;
  if (dots < 0 || (groups === slots.length && dots !== 0)) return null;
  let at = 0;
  return slots.map((slot) => {
    const from = at;
    at += slot.kind === 'dots' ? dots : 1;
    return shape.slice(from, at);
  });
}

export function boundSize(context: Context, bound: Expression, inclusive: boolean): Dim | null {
  const size = toSize(context, bound);
  return size === null || !inclusive ? size : add(size, one);
}

/** The size that bounds the index of a binder; null after a report. */

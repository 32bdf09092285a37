// The axes of a read on its way: what each is for, and what is cut out of it.

import type { Label, TensorValue } from '../builtins/elaboration.ts';
import { add, equal, multiply, one, subtract, zero } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import type { Builder } from '../ir/builder-types.ts';
import type { Value } from '../ir/graph.ts';
import type { AffineTerm } from './affine.ts';

/** What an axis of a read's target is for. */
export type Tag =
  | { readonly kind: 'label'; readonly label: Label }
  | { readonly kind: 'own' }
  | WindowTag
  /** Read at `label // times`: every element `times` times in a row. */
  | { readonly kind: 'repeat'; readonly label: Label; readonly times: Dim }
  /** Read at a tensor of indices. */
  | { readonly kind: 'gather'; readonly at: TensorValue };

/** `step * label`, or where mirrored `step * (size - 1 - label)`; the step is a positive number. */
export interface WindowTerm extends AffineTerm {
  readonly mirrored: boolean;
}

/** Read at `offset + sum of terms` of two labels. */
export interface WindowTag {
  readonly kind: 'window';
  readonly terms: readonly [WindowTerm, WindowTerm];
  readonly offset: Dim;
  /** Zeros around and between the elements, where the read's target is the tensor without them. */
  readonly padding: { readonly low: Dim; readonly high: Dim; readonly interior: Dim } | null;
}

/** A tensor with a tag an axis. */
export interface TaggedValue {
  readonly value: Value;
  readonly tags: readonly Tag[];
}

/** What is sliced out of one axis: `count` elements from `start`, `stride` apart, after a reversal; then what is left is for `tag`. */
export interface Cut {
  readonly reversed: boolean;
  readonly start: Dim;
  readonly count: Dim;
  readonly stride: Dim;
  /** Null: one element, and the axis goes. */
  readonly tag: Tag | null;
}

export const everything = (size: Dim, tag: Tag): Cut => ({
  reversed: false,
  start: zero,
  count: size,
  stride: one,
  tag,
});

/** Applies the cuts: at most one reversal, one slice and one reshape for all of them. */
export function cut(builder: Builder, value: Value, cuts: readonly Cut[]): TaggedValue {
  const reversed = builder.reverse(
    value,
    cuts.flatMap((c, axis) => (c.reversed ? [axis] : [])),
  );
  const isWhole = (c: Cut, axis: number): boolean =>
    equal(c.start, zero) && equal(c.stride, one) && equal(c.count, value.shape[axis]);
  const sliced = cuts.every(isWhole)
    ? reversed
    : builder.slice(
        reversed,
        cuts.map((c) => c.start),
        // One past the last element read, so that a stride never asks for more.
        cuts.map((c) => add(c.start, add(multiply(subtract(c.count, one), c.stride), one))),
        cuts.map((c) => c.stride),
      );
  const kept = cuts.flatMap((c, axis) => (c.tag === null ? [] : [{ axis, tag: c.tag }]));
  const shape = kept.map(({ axis }) => sliced.shape[axis]);
  return {
    value: kept.length === cuts.length ? sliced : builder.reshape(sliced, shape),
    tags: kept.map(({ tag }) => tag),
  };
}

/** The number of elements from the first that a window reads to the last. */
export const windowExtent = (terms: readonly AffineTerm[]): Dim =>
  terms.reduce((sum, { label, step }) => add(sum, multiply(subtract(label.size, one), step)), one);

// Reads `x[b, i*s + u, k[b]]` of index notation and slices. A read becomes, in this order: reshapes that take groups
// apart, one slice for all constant and strided indices, windows for two indices in one slot, diagonals for repeated indices,
// gathers for what only the running program knows.

import type {
  Elaborated,
  Environment,
  Label,
  TensorValue,
  ZeroPadding,
} from '../builtins/elaboration.ts';
import { asTensor, dtypeOf, tensorOf } from '../builtins/labelled.ts';
import type { ReadSlot, TypedExpression } from '../check/typed.ts';
import {
  add,
  constant,
  equal,
  isConstant,
  multiply,
  one,
  subtract,
  zero,
} from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import type { Builder } from '../ir/builder-types.ts';
import type { Value } from '../ir/graph.ts';
import { affineOf, type Affine, type AffineTerm } from './affine.ts';
import type { Context } from './context.ts';
import { gatherAxes } from './gathers.ts';
import { resolveDim } from './sizes.ts';

type ReadExpression = Extract<TypedExpression, { kind: 'read' }>;

/** What an axis of a read's target is for. */
export type Tag =
  | { readonly kind: 'label'; readonly label: Label }
  | { readonly kind: 'own' }
  | WindowTag
  /** Read at a tensor of indices. */
  | { readonly kind: 'gather'; readonly at: TensorValue };

/** Read at `offset + sum of terms` of two labels, both steps positive numbers. */
export interface WindowTag {
  readonly kind: 'window';
  readonly terms: readonly [AffineTerm, AffineTerm];
  readonly offset: Dim;
  /** Zeros around and between the elements, where the read's target is the tensor without them. */
  readonly padding: { readonly low: Dim; readonly high: Dim; readonly interior: Dim } | null;
}

/** A tensor with a tag an axis. */
export interface TaggedValue {
  readonly value: Value;
  readonly tags: readonly Tag[];
}

/** A read, evaluated. */
export function evaluateRead(
  context: Context,
  expression: ReadExpression,
  environment: Environment,
): Elaborated {
  const target = context.evaluate(expression.target, environment);
  return finishRead(context, prepareRead(context, target, expression.slots, environment));
}

/** One slot an axis, groups taken apart. */
type AxisSlot = Exclude<ReadSlot, { kind: 'group' } | { kind: 'pack' } | { kind: 'keep' }> | Tag;

/** The read with its windows and gathers still open. */
export function prepareRead(
  context: Context,
  target: Elaborated,
  slots: readonly ReadSlot[],
  environment: Environment,
): TaggedValue {
  const { builder } = context;
  const tensor = asTensor(builder, target, dtypeOf(target));
  const { value, axes } = takeApart(context, tensor, slots, environment);
  const cuts: Cut[] = axes.map((slot, axis) =>
    cutOf(context, slot, value.shape[axis], environment),
  );
  return cut(builder, value, cuts);
}

/**
 * The read of the tensor inside the zeros around `target`, with those zeros in the windows' tags; null where `target` has
 * none or a padded axis is read otherwise than by a window.
 */
export function prepareReadWithoutPadding(
  context: Context,
  target: Elaborated,
  slots: readonly ReadSlot[],
  environment: Environment,
): TaggedValue | null {
  const padding = target.kind === 'tensor' ? sourceOf(context, target.value) : null;
  if (target.kind !== 'tensor' || padding === null) return null;
  const bare = tensorOf(padding.source, target.labels);
  const { value, axes, paddings } = takeApart(context, bare, slots, environment, padding);
  if (paddings === null) return null;
  const cuts: Cut[] = [];
  for (const [axis, slot] of axes.entries()) {
    const entry = paddings[axis];
    if (entry === null) {
      cuts.push(cutOf(context, slot, value.shape[axis], environment));
      continue;
    }
    const affine = slot.kind === 'at' ? affineOf(slot.at, environment) : null;
    const made = affine === null ? null : cutOfAffine(affine, value.shape[axis]);
    if (made?.tag?.kind !== 'window') return null;
    cuts.push({ ...made, tag: { ...made.tag, padding: entry } });
  }
  return cut(context.builder, value, cuts);
}

/** Zeros around zeros in one. */
function sourceOf(context: Context, value: Value): ZeroPadding | null {
  const outer = context.paddings.get(value);
  if (outer === undefined) return null;
  const inner = sourceOf(context, outer.source);
  const plain = outer.interior.every((d) => equal(d, zero));
  if (inner === null || !plain) return outer;
  return {
    source: inner.source,
    low: outer.low.map((d, axis) => add(d, inner.low[axis])),
    high: outer.high.map((d, axis) => add(d, inner.high[axis])),
    interior: inner.interior,
  };
}

type PaddingEntry = { readonly low: Dim; readonly high: Dim; readonly interior: Dim } | null;

/** One slot for every axis: labels and packs are tags already, groups become axes of their own. */
function takeApart(
  context: Context,
  tensor: TensorValue,
  slots: readonly ReadSlot[],
  environment: Environment,
  padding: ZeroPadding | null = null,
): {
  readonly value: Value;
  readonly axes: readonly AxisSlot[];
  readonly paddings: readonly PaddingEntry[] | null;
} {
  const axes: AxisSlot[] = tensor.labels.map((label): Tag => ({ kind: 'label', label }));
  const shape: Dim[] = tensor.labels.map((label) => label.size);
  const paddings: PaddingEntry[] = tensor.labels.map(() => null);
  let regrouped = false;
  let padsSplit = false;
  let axis = tensor.labels.length;
  const whole = (slot: AxisSlot): void => {
    axes.push(slot);
    shape.push(tensor.value.shape[axis]);
    paddings.push(paddingOf(padding, axis));
    axis++;
  };
  for (const slot of slots) {
    if (slot.kind === 'pack')
      for (const label of labelsOf(slot.index, environment)) whole({ kind: 'label', label });
    else if (slot.kind === 'keep')
      for (let i = keptAxes(slot, environment); i > 0; i--) whole({ kind: 'own' });
    else if (slot.kind === 'group') {
      regrouped = true;
      padsSplit ||= paddingOf(padding, axis) !== null;
      for (const { at, size } of slot.items) {
        axes.push({ kind: 'at', at });
        shape.push(resolveDim(size, environment));
        paddings.push(null);
      }
      axis++;
    } else whole(slot);
  }
  // Fewer slots than axes: the last ones stay.
  while (axis < tensor.value.shape.length) whole({ kind: 'own' });
  const value = regrouped ? context.builder.reshape(tensor.value, shape) : tensor.value;
  return { value, axes, paddings: padsSplit ? null : paddings };
}

function paddingOf(padding: ZeroPadding | null, axis: number): PaddingEntry {
  if (padding === null) return null;
  const entry = {
    low: padding.low[axis],
    high: padding.high[axis],
    interior: padding.interior[axis],
  };
  return Object.values(entry).every((d) => equal(d, zero)) ? null : entry;
}

export function labelsOf(
  index: Extract<ReadSlot, { kind: 'pack' }>['index'],
  environment: Environment,
): readonly Label[] {
  const labels = environment.indices.get(index);
  if (labels === undefined) throw new Error(`the index ${index.name} is not bound`);
  return labels;
}

const keptAxes = (slot: Extract<ReadSlot, { kind: 'keep' }>, environment: Environment): number =>
  slot.axes.reduce(
    (count, axis) =>
      count + (axis.kind === 'size' ? 1 : (environment.packs.get(axis.pack)?.length ?? 0)),
    0,
  );

/** What is sliced out of one axis: `count` elements from `start`, `stride` apart, after a reversal; then what is left is for `tag`. */
interface Cut {
  readonly reversed: boolean;
  readonly start: Dim;
  readonly count: Dim;
  readonly stride: Dim;
  /** Null: one element, and the axis goes. */
  readonly tag: Tag | null;
}

const everything = (size: Dim, tag: Tag): Cut => ({
  reversed: false,
  start: zero,
  count: size,
  stride: one,
  tag,
});

function cutOf(context: Context, slot: AxisSlot, size: Dim, environment: Environment): Cut {
  switch (slot.kind) {
    case 'label':
    case 'own':
    case 'window':
    case 'gather':
      return everything(size, slot);
    case 'range': {
      const [from, to] = [slot.from, slot.to].map((d) => resolveDim(d, environment));
      return { ...everything(subtract(to, from), { kind: 'own' }), start: from };
    }
    case 'at': {
      const affine = affineOf(slot.at, environment);
      const made = affine === null ? null : cutOfAffine(affine, size);
      if (made !== null) return made;
      const at = asTensor(context.builder, context.evaluate(slot.at, environment), 'i32');
      return everything(size, { kind: 'gather', at });
    }
  }
}

function cutOfAffine({ terms, offset }: Affine, size: Dim): Cut | null {
  const [first, second] = terms;
  if (first === undefined)
    return { reversed: false, start: offset, count: one, stride: one, tag: null };
  const steps = terms.map(({ step }) => isConstant(step));
  if (second === undefined) {
    const [step] = steps;
    if (step === null) return null;
    const reversed = step < 0;
    const start = reversed ? subtract(subtract(size, one), offset) : offset;
    const tag: Tag = { kind: 'label', label: first.label };
    return { reversed, start, count: first.label.size, stride: constant(Math.abs(step)), tag };
  }
  if (terms.length > 2 || steps.some((step) => step === null || step < 0)) return null;
  return everything(size, { kind: 'window', terms: [first, second], offset, padding: null });
}

/** Applies the cuts: at most one reversal, one slice and one reshape for all of them. */
function cut(builder: Builder, value: Value, cuts: readonly Cut[]): TaggedValue {
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

/** Windows, diagonals and gathers done: labels first, in the order of their axes, then the tensor's own axes. */
export function finishRead(context: Context, read: TaggedValue): TensorValue {
  const { builder } = context;
  const unfolded = unfoldWindows(builder, read);
  const distinct = takeDiagonals(builder, unfolded);
  const gathered = gatherAxes(builder, distinct);
  const labels = gathered.tags.flatMap((tag) => (tag.kind === 'label' ? [tag.label] : []));
  const permutation = [
    ...gathered.tags.flatMap((tag, axis) => (tag.kind === 'label' ? [axis] : [])),
    ...gathered.tags.flatMap((tag, axis) => (tag.kind === 'own' ? [axis] : [])),
  ];
  return tensorOf(builder.transpose(gathered.value, permutation), labels);
}

/** Every window as two axes of its own: by a reshape where windows tile the axis, by `unfold` otherwise. */
function unfoldWindows(builder: Builder, read: TaggedValue): TaggedValue {
  let current = read;
  for (;;) {
    const axis = current.tags.findIndex((tag) => tag.kind === 'window');
    const tag = current.tags[axis];
    if (tag?.kind !== 'window') return current;
    current = unfoldWindow(builder, current, axis, tag);
  }
}

function unfoldWindow(
  builder: Builder,
  { value, tags }: TaggedValue,
  axis: number,
  { terms, offset }: WindowTag,
): TaggedValue {
  const [outer, inner] = tilingOrder(terms);
  const count = windowExtent([outer, inner]);
  const cuts = tags.map((tag, i): Cut => everything(value.shape[i], tag));
  cuts[axis] = { ...cuts[axis], start: offset, count };
  const tiles =
    equal(inner.step, one) && equal(outer.step, inner.label.size)
      ? multiply(outer.label.size, inner.label.size)
      : null;
  if (tiles !== null) cuts[axis] = { ...cuts[axis], count: tiles };
  const sliced = cut(builder, value, cuts).value;
  const labelTags: Tag[] = [outer, inner].map(({ label }) => ({ kind: 'label', label }));
  if (tiles !== null) {
    const sizes = [outer.label.size, inner.label.size];
    return {
      value: builder.reshape(sliced, sliced.shape.toSpliced(axis, 1, ...sizes)),
      tags: tags.toSpliced(axis, 1, ...labelTags),
    };
  }
  const unfolded = builder.unfold(sliced, {
    axes: [axis],
    sizes: [inner.label.size],
    strides: [outer.step],
    dilations: [inner.step],
  });
  return { value: unfolded, tags: [...tags.with(axis, labelTags[0]), labelTags[1]] };
}

/** The number of elements from the first that a window reads to the last. */
export const windowExtent = (terms: readonly AffineTerm[]): Dim =>
  terms.reduce((sum, { label, step }) => add(sum, multiply(subtract(label.size, one), step)), one);

/** The label that counts windows first: the one whose step is the other's size, or the outer one. */
function tilingOrder([a, b]: WindowTag['terms']): readonly [AffineTerm, AffineTerm] {
  return equal(a.step, one) && equal(b.step, a.label.size) ? [b, a] : [a, b];
}

/** Axes that have one label together: their diagonal, as a strided slice of both axes flattened. */
function takeDiagonals(builder: Builder, read: TaggedValue): TaggedValue {
  const labels = read.tags.map((tag) => (tag.kind === 'label' ? tag.label.id : null));
  const second = labels.findIndex((id, axis) => id !== null && labels.indexOf(id) < axis);
  if (second < 0) return read;
  const first = labels.indexOf(labels[second]);
  const others = labels.map((_, axis) => axis).filter((axis) => axis !== first && axis !== second);
  const { value, tags } = read;
  const size = value.shape[first];
  const rest = others.map((axis) => value.shape[axis]);
  const front = builder.transpose(value, [first, second, ...others]);
  const flat = builder.reshape(front, [multiply(size, size), ...rest]);
  const diagonal = builder.slice(
    flat,
    flat.shape.map(() => zero),
    [multiply(size, size), ...rest],
    [add(size, one), ...rest.map(() => one)],
  );
  const shape = [size, ...rest];
  return takeDiagonals(builder, {
    value: builder.reshape(diagonal, shape),
    tags: [tags[first], ...others.map((axis) => tags[axis])],
  });
}

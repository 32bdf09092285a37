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
  negate,
  one,
  subtract,
  zero,
} from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';

import type { Value } from '../ir/graph.ts';
import { affineOf, type Affine, type AffineTerm } from './affine.ts';
import type { Context } from './context.ts';
import { wholeValue } from './draws.ts';
import { cut, everything, type Cut, type Tag, type TaggedValue, type WindowTerm } from './axes.ts';
import { finishRead } from './finish-read.ts';
import { resolveDim } from './sizes.ts';

type ReadExpression = Extract<TypedExpression, { kind: 'read' }>;

/** A read, evaluated. */
export function evaluateRead(
  context: Context,
  expression: ReadExpression,
  environment: Environment,
): Elaborated {
  const target = wholeValue(context, expression.target, environment);
  return finishRead(context.builder, prepareRead(context, target, expression.slots, environment));
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

function cutOf(context: Context, slot: AxisSlot, size: Dim, environment: Environment): Cut {
  switch (slot.kind) {
    case 'label':
    case 'own':
    case 'window':
    case 'repeat':
    case 'gather':
      return everything(size, slot);
    case 'range': {
      const [from, to] = [slot.from, slot.to].map((d) => resolveDim(d, environment));
      return { ...everything(subtract(to, from), { kind: 'own' }), start: from };
    }
    case 'at': {
      const affine = affineOf(slot.at, environment);
      const made = affine === null ? null : cutOfAffine(affine, size);
      const repeat = made ?? cutOfRepeat(slot.at, size, environment);
      if (repeat !== null) return repeat;
      const at = asTensor(context.builder, context.evaluate(slot.at, environment), 'i32');
      return everything(size, { kind: 'gather', at });
    }
  }
}

/** `x[i // 2]` where `i` runs through twice the axis: nearest upsampling. */
function cutOfRepeat(at: TypedExpression, size: Dim, environment: Environment): Cut | null {
  if (at.kind === 'convert') return cutOfRepeat(at.value, size, environment);
  if (at.kind !== 'builtin' || at.builtin.name !== 'floor_divide') return null;
  const [index, by] = at.arguments.map((part) => affineOf(part, environment));
  if (index?.terms.length !== 1 || by === null || by.terms.length > 0) return null;
  const [{ label, step }] = index.terms;
  const plain = equal(step, one) && equal(index.offset, zero);
  return plain && equal(label.size, multiply(size, by.offset))
    ? everything(size, { kind: 'repeat', label, times: by.offset })
    : null;
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
  if (terms.length > 2 || steps.includes(null)) return null;
  const [a, b] = [windowTerm(first), windowTerm(second)];
  const least = [first, second].reduce(
    (sum, { label, step }, i) =>
      [a, b][i].mirrored ? add(sum, multiply(step, subtract(label.size, one))) : sum,
    offset,
  );
  return everything(size, { kind: 'window', terms: [a, b], offset: least, padding: null });
}

/** A term whose step is a number, counted upwards. */
function windowTerm({ label, step }: AffineTerm): WindowTerm {
  const mirrored = (isConstant(step) ?? 0) < 0;
  return { label, step: mirrored ? negate(step) : step, mirrored };
}

// `y[.., (i, j), o] = body`: a tensor from what it is at every place. The body is read twice: once to find the range of
// every index, once to check it with the ranges known.

import type { Expression, Identifier, Slot } from '../../grammar/ast.ts';
import { type Span } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { indices } from '../diagnostics/indices.ts';
import { multiply, numelOf, one, subtract } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import { proveEqual } from '../dims/prove.ts';
import { showDim } from '../dims/show.ts';
import type { Axis, Shape } from '../dims/shape.ts';
import {
  broken,
  isBroken,
  newScope,
  type Context,
  type Notation,
  type RangeOrigin,
  type Trial,
} from './context.ts';
import { tensor } from './convert.ts';
import { describe } from './show.ts';
import type { Index, TypedExpression } from './typed.ts';
import type { TensorType } from './types.ts';
import { type LeftSlot, boundSize, declaredAxes, distinct, leftSlots } from './left-sides.ts';
import {
  bindKnown,
  checkBody,
  newIndex,
  newTrial,
  notationOf,
  rangesOf,
  silent,
  trialIndex,
} from './trials.ts';

/** What `..` on the left stands for, as indices: one for each axis or pack. */
const dotIndices = (shape: Shape): Index[] =>
  shape.map((axis) =>
    axis.kind === 'pack'
      ? newIndex('..', numelOf(axis.pack), axis.pack)
      : newIndex('..', axis.size),
  );

function tryComprehension(
  context: Context,
  slots: readonly LeftSlot[],
  axes: readonly Shape[] | null,
  body: Expression,
): Trial {
  const dotsAt = slots.findIndex((slot) => slot.kind === 'dots');
  const trial = newTrial(dotsAt < 0 ? 'none' : (axes?.[dotsAt] ?? 'unknown'));
  const inside: Context = {
    ...silent(context),
    scope: newScope('notation', context.scope),
    notation: notationOf(trial),
  };
  for (const [at, slot] of slots.entries()) {
    if (slot.kind === 'dots') continue;
    const items = slot.items.map(({ name, bound, inclusive }) => {
      const index = trialIndex(trial, name);
      inside.scope.names.set(name.text, { kind: 'index', index, span: name.span });
      const size = bound === null ? null : boundSize(silent(context), bound, inclusive);
      if (size !== null && bound !== null)
        trial.equations.push({
          left: index.range,
          right: size,
          origin: {
            span: bound.span,
            reason: () => `\`${name.text}\` runs to ${showDim(size)} here`,
          },
        });
      return index;
    });
    const axis: Axis | undefined = axes?.[at]?.[0];
    if (axis?.kind === 'size')
      trial.equations.push({
        left: items.map((index) => index.range).reduce(multiply, one),
        right: axis.size,
        origin: { span: slot.span, reason: () => `the result has size ${showDim(axis.size)} here` },
      });
  }
  trial.isBroken = isBroken(context.session.rules.expression(inside, body, null));
  return trial;
}

/**
 * `y[.., (i, j), o] = body` as a tensor; `declared` is the type of `y` where it is known. A mistake is reported, and
 * the result broken.
 */
export function checkComprehension(
  context: Context,
  left: readonly Slot[],
  body: Expression,
  declared: TensorType | null,
  span: Span,
): TypedExpression {
  const slots = leftSlots(context, left);
  if (slots === null || !distinct(context, slots)) return broken(span);
  const axes = declaredAxes(slots, declared?.shape ?? null);
  const trial = tryComprehension(context, slots, axes, body);
  const dots = typeof trial.dots === 'string' ? [] : dotIndices(trial.dots);
  const notation: Notation = {
    ...notationOf(null),
    ranges: rangesOf(context, trial),
    dots: trial.dots === 'none' ? null : dots,
    trialIsBroken: trial.isBroken,
  };
  const inside: Context = { ...context, scope: newScope('notation', context.scope), notation };
  if (trial.dots === 'unknown') {
    const at = slots.find((slot) => slot.kind === 'dots')?.span ?? span;
    context.report(
      report(indices.E0307, {
        span: at,
        data: { reason: 'nothing on the right side shows which axes `..` stands for' },
      }),
    );
    return broken(span);
  }
  const missing: Identifier[] = [];
  const groups = slots.map((slot): readonly Index[] | null => {
    if (slot.kind === 'dots') return null;
    const items = slot.items.map(({ name, bound, inclusive }) => {
      const index = bindKnown(inside, notation, name);
      if (index === null) missing.push(name);
      const size = bound === null ? null : boundSize(context, bound, inclusive);
      if (index !== null && size !== null && bound !== null)
        expectRange(context, notation, index, size, bound.span);
      return index;
    });
    return items.filter((index) => index !== null);
  });
  const value = checkBody(inside, missing, notation.trialIsBroken, (c) =>
    c.session.rules.expression(c, body, null),
  );
  const complete = slots.every(
    (slot, i) => slot.kind === 'dots' || groups[i]?.length === slot.items.length,
  );
  if (isBroken(value) || !complete) return broken(span);
  if (value.type.kind !== 'tensor' || value.type.shape.length > 0) {
    context.report(
      report(indices.E0314, { span: body.span, data: { found: describe(value.type) } }),
    );
    return broken(span);
  }
  const result = groups.flatMap((group) =>
    group === null ? dots.map((index) => [index]) : [group],
  );
  return {
    kind: 'comprehension',
    axes: result,
    body: value,
    type: tensor(value.type.base, result.map(axisOfGroup)),
    span,
  };
}

const axisOfGroup = (group: readonly Index[]): Axis => {
  const [first] = group;
  if (group.length === 1 && first.pack !== null) return { kind: 'pack', pack: first.pack };
  return { kind: 'size', size: group.map((index) => index.range).reduce(multiply, one) };
};

/** An explicit bound beside what reads and the declared type say. */
export function expectRange(
  context: Context,
  notation: Notation,
  index: Index,
  size: Dim,
  span: Span,
): void {
  if (proveEqual(index.range, size, context.assumptions).kind === 'proved') return;
  if (notation.conflict.reported) return;
  notation.conflict.reported = true;
  const origin: RangeOrigin | undefined = notation.origins.get(index);
  context.report(
    report(indices.E0302, {
      span,
      data: {
        name: index.name,
        first: `0..${showDim(subtract(size, one))}`,
        second: `0..${showDim(subtract(index.range, one))}`,
      },
      related: origin === undefined ? [] : [{ span: origin.span, reason: origin.reason() }],
    }),
  );
}

// `Q[s, a] <- e`: an update at places that the running program knows. On this left side a name that is a whole number here is a
// place, and every other name is an index, as on other left sides: `W[s[b], j] <- x[b, j]` writes a row for every b.

import type { Expression, NameExpression, Slot, Target } from '../../grammar/ast.ts';
import { textOf } from '../../grammar/source.ts';
import { walk } from '../../grammar/walk.ts';
import { builtins } from '../builtins/registry.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { indices as indexTable } from '../diagnostics/indices.ts';
import { names } from '../diagnostics/names.ts';
import type { Axis } from '../dims/shape.ts';
import { assign, type Complain } from './assign.ts';
import { broken, isBroken, lookUp, newScope, type Context, type Trial } from './context.ts';
import { tensor } from './convert.ts';
import { axisName } from './mismatch.ts';
import { partsOf } from './parts.ts';
import { readAt } from './read-slots.ts';
import { describe, showShape } from './show.ts';
import {
  bindKnown,
  checkBody,
  newTrial,
  notationOf,
  rangesOf,
  silent,
  trialIndex,
} from './trials.ts';
import type { Index, PutSlot, TypedExpression } from './typed.ts';
import type { TensorType, Type } from './types.ts';

/** A slot as it is written. `index`: a name that stands for the whole axis. */
type LeftSlot =
  | { readonly kind: 'keep'; readonly axis: Axis }
  | { readonly kind: 'index'; readonly name: NameExpression; readonly axis: Axis }
  | { readonly kind: 'at'; readonly node: Expression; readonly axis: Axis };

const isWhole = (type: Type): boolean =>
  type.kind === 'tensor' &&
  type.shape.length === 0 &&
  (type.base.kind === 'int' || type.base.kind === 'fin');

/** Whether an expression is a place: anything but a name that has no whole number here. */
function isPlace(context: Context, node: Expression): boolean {
  if (node.kind === 'tuple') return false;
  if (node.kind !== 'name') return node.kind !== 'compare';
  const entity = lookUp(context.scope, node.text);
  if (entity === null || entity.kind === 'dim' || entity.kind === 'lazy-dim') return false;
  return isWhole(context.session.rules.expression(silent(context), node, null).type);
}

/** Whether a left side of `<-` has a place among its slots. */
export const putsAtPlaces = (context: Context, slots: readonly Slot[]): boolean =>
  slots.some((slot) => slot.kind === 'at' && isPlace(context, slot.value));

function leftSlots(
  context: Context,
  target: Target,
  slots: readonly Slot[],
  { shape }: TensorType,
): readonly LeftSlot[] | null {
  if (slots.length > shape.length) {
    const data = { shape: showShape(shape), expected: shape.length, found: slots.length };
    context.report(report(indexTable.E0308, { span: target.span, data }));
    return null;
  }
  const left = slots.map((slot, i): LeftSlot | null => {
    const axis = shape[i];
    if (slot.kind === 'range' && slot.from === null && slot.to === null)
      return { kind: 'keep', axis };
    if (slot.kind !== 'at' || slot.value.kind === 'tuple' || slot.value.kind === 'compare') {
      context.report(
        report(indexTable.E0313, { span: slot.span, data: { found: textOf(slot.span) } }),
      );
      return null;
    }
    const { value: node } = slot;
    if (node.kind === 'name' && !isPlace(context, node)) return { kind: 'index', name: node, axis };
    return { kind: 'at', node, axis };
  });
  const known = left.filter((slot) => slot !== null);
  if (known.length < left.length) return null;
  return [...known, ...shape.slice(slots.length).map((axis) => ({ kind: 'keep', axis }) as const)];
}

/** The names in a place that nothing defines: indices of the left side. */
function newNames(context: Context, node: Expression): readonly NameExpression[] {
  const found: NameExpression[] = [];
  walk(node, (child) => {
    if (!('kind' in child)) return true;
    if (child.kind === 'call')
      for (const { value } of child.arguments) found.push(...newNames(context, value));
    const isNew =
      child.kind === 'name' &&
      lookUp(context.scope, child.text) === null &&
      builtins[child.text] === undefined;
    if (isNew) found.push(child);
    return child.kind !== 'call';
  });
  return found;
}

/** Each index of the left side by the name that binds it: those of whole axes first. */
function boundNames(context: Context, left: readonly LeftSlot[]): readonly NameExpression[] {
  const all = [
    ...left.flatMap((slot) => (slot.kind === 'index' ? [slot.name] : [])),
    ...left.flatMap((slot) => (slot.kind === 'at' ? newNames(context, slot.node) : [])),
  ];
  return all.filter((name, i) => all.findIndex((other) => other.text === name.text) === i);
}

function trialOf(
  context: Context,
  target: Target,
  left: readonly LeftSlot[],
  bound: readonly NameExpression[],
  body: Expression,
): Trial {
  const trial = newTrial('none');
  const inside: Context = {
    ...silent(context),
    scope: newScope('notation', context.scope),
    notation: notationOf(trial),
  };
  for (const name of bound)
    inside.scope.names.set(name.text, {
      kind: 'index',
      index: trialIndex(trial, name),
      span: name.span,
    });
  checkSlots(inside, target, left);
  trial.isBroken = isBroken(context.session.rules.expression(inside, body, null));
  return trial;
}

/** The slots, their places proved to be in range; null after a report. */
function checkSlots(
  context: Context,
  target: Target,
  left: readonly LeftSlot[],
): readonly PutSlot[] | null {
  const node: NameExpression = { kind: 'name', text: target.name.text, span: target.name.span };
  const slots = left.map((slot, i): PutSlot | null => {
    if (slot.kind === 'keep') return { kind: 'keep', axis: slot.axis };
    const place = { axis: slot.axis, target: node, name: axisName(i, left.length) };
    const read = readAt(context, slot.kind === 'index' ? slot.name : slot.node, place);
    return read?.kind === 'at' ? { kind: 'at', at: read.at } : null;
  });
  const known = slots.filter((slot) => slot !== null);
  return known.length === slots.length ? known : null;
}

const mentions = (expression: TypedExpression, index: Index): boolean =>
  expression.kind === 'index'
    ? expression.index === index
    : partsOf(expression).some((part) => mentions(part, index));

/** `current` with `body` at the places of the left side; broken after a report. */
export function checkPut(
  context: Context,
  target: Target,
  current: TypedExpression,
  body: Expression,
  complain: Complain,
): TypedExpression {
  const span = { ...target.span, end: body.span.end };
  const { type } = current;
  if (target.slots === null || type.kind !== 'tensor') return broken(span);
  const left = leftSlots(context, target, target.slots, type);
  if (left === null) return broken(span);
  const bound = boundNames(context, left);
  const inside = bound.length === 0 ? context : withIndices(context, target, left, bound, body);
  const indices = bound.map((name) => {
    const entity = inside.scope.names.get(name.text);
    return entity?.kind === 'index' ? entity.index : null;
  });
  const slots = checkSlots(inside, target, left);
  const kept = left.flatMap((slot) => (slot.kind === 'keep' ? [slot.axis] : []));
  const wanted = tensor(type.base, kept);
  const value = checkBody(
    inside,
    bound.filter((_, i) => indices[i] === null),
    inside.notation?.trialIsBroken ?? false,
    (c) => c.session.rules.expression(c, body, wanted),
  );
  const known = indices.filter((index) => index !== null);
  if (slots === null || isBroken(value) || known.length < indices.length) return broken(span);
  if (kept.length === 0 && value.type.kind === 'tensor' && value.type.shape.length > 0) {
    const data = { found: describe(value.type) };
    context.report(report(indexTable.E0314, { span: body.span, data }));
    return broken(span);
  }
  const fitted = assign(context, value, wanted, complain);
  if (isBroken(fitted) || !allUsed(context, bound, known, slots, fitted)) return broken(span);
  return { kind: 'put', target: current, slots, indices: known, value: fitted, type, span };
}

function withIndices(
  context: Context,
  target: Target,
  left: readonly LeftSlot[],
  bound: readonly NameExpression[],
  body: Expression,
): Context {
  const trial = trialOf(context, target, left, bound, body);
  const notation = {
    ...notationOf(null),
    ranges: rangesOf(context, trial),
    trialIsBroken: trial.isBroken,
  };
  const inside: Context = { ...context, scope: newScope('notation', context.scope), notation };
  for (const name of bound) bindKnown(inside, notation, name);
  return inside;
}

/** An index of a whole axis that the value does not use is more likely a name that is not defined. */
function allUsed(
  context: Context,
  bound: readonly NameExpression[],
  indices: readonly Index[],
  slots: readonly PutSlot[],
  value: TypedExpression,
): boolean {
  const unused = bound.find((_, i) => {
    const uses = slots.filter((slot) => slot.kind === 'at' && mentions(slot.at, indices[i]));
    return uses.length < 2 && !mentions(value, indices[i]) && !isInner(uses, indices[i]);
  });
  if (unused === undefined) return true;
  context.report(
    report(names.E0201, {
      span: unused.span,
      data: { name: unused.text },
      help: 'declare it, or write `:` for the whole axis',
    }),
  );
  return false;
}

/** Whether an index stands inside a place, as in `s[b]`, and not alone. */
const isInner = (uses: readonly PutSlot[], index: Index): boolean =>
  uses.some((slot) => slot.kind === 'at' && slot.at.kind !== 'index' && mentions(slot.at, index));

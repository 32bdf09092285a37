// Typed expressions that the compiler writes itself: arithmetic by the builtins' own type rules, reads and
// left sides from groups of indices.

import type { Span } from '../../../grammar/source.ts';
import { constant, multiply, numelOf, one } from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Axis, Shape } from '../../dims/shape.ts';
import { builtinNamed, callBuiltin } from '../builtin-calls.ts';
import { isBroken, type Context } from '../context.ts';
import { int, intScalar, real, realScalar, tensor } from '../convert.ts';
import { newIndex } from '../trials.ts';
import type { Index, Local, ReadSlot, TypedExpression } from '../typed.ts';
import type { Type } from '../types.ts';

/** The indices of each axis of a left side, as `y[.., (i, j), o]` has them. */
export type Frame = readonly (readonly Index[])[];

/** What is written gets the place of the text that it comes from. */
export interface Writer {
  readonly context: Context;
  readonly span: Span;
}

export const writerAt = (context: Context, span: Span): Writer => ({
  context: { ...context, notation: null, report: () => {} },
  span,
});

/** A builtin of values whose types fit: `apply(w, 'divide', a, b)`. */
export function apply(
  { context, span }: Writer,
  name: string,
  ...values: readonly TypedExpression[]
): TypedExpression {
  const result = callBuiltin(context, builtinNamed(name), values, span);
  if (isBroken(result)) throw new Error(`${name} does not fit what was written around it`);
  return result;
}

export const numberOf = ({ span }: Writer, value: number): TypedExpression => ({
  kind: 'number',
  value,
  type: realScalar,
  span,
});

export const localOf = ({ span }: Writer, local: Local): TypedExpression => ({
  kind: 'local',
  local,
  type: local.type,
  span,
});

export const sizeOf = ({ span }: Writer, dim: Dim): TypedExpression => ({
  kind: 'dim',
  dim,
  type: intScalar,
  span,
});

export const sizesOf = (writer: Writer, dims: readonly Dim[]): TypedExpression => ({
  kind: 'array',
  items: dims.map((dim) => sizeOf(writer, dim)),
  type: tensor(int, [{ kind: 'size', size: constant(dims.length) }]),
  span: writer.span,
});

export const tupleOf = (
  { span }: Writer,
  items: readonly TypedExpression[],
  type: Type,
): TypedExpression => ({ kind: 'tuple', items, type, span });

export function fieldOf(writer: Writer, target: TypedExpression, field: number): TypedExpression {
  if (target.kind === 'tuple') return target.items[field];
  if (target.type.kind !== 'tuple') throw new Error('only a tuple has fields');
  const { type } = target.type.fields[field];
  return { kind: 'project', target, field, type, span: writer.span };
}

export const indexOf = ({ span }: Writer, index: Index): TypedExpression => ({
  kind: 'index',
  index,
  type: tensor({ kind: 'fin', size: index.range }),
  span,
});

/** Fresh indices, one an axis. */
export const indicesOf = (shape: Shape): readonly Index[] =>
  shape.map((axis, i) =>
    axis.kind === 'pack'
      ? newIndex('..', numelOf(axis.pack), axis.pack)
      : newIndex(`i${i}`, axis.size),
  );

export const axisOf = (group: readonly Index[]): Axis => {
  const [first] = group;
  if (group.length === 1 && first.pack !== null) return { kind: 'pack', pack: first.pack };
  return { kind: 'size', size: group.map((index) => index.range).reduce(multiply, one) };
};

export const comprehension = (
  { span }: Writer,
  axes: Frame,
  body: TypedExpression,
): TypedExpression => ({
  kind: 'comprehension',
  axes,
  body,
  type: tensor(body.type.kind === 'tensor' ? body.type.base : real, axes.map(axisOf)),
  span,
});

const slotOf = (writer: Writer, group: readonly Index[]): ReadSlot => {
  const [first] = group;
  if (group.length > 1)
    return {
      kind: 'group',
      items: group.map((index) => ({ at: indexOf(writer, index), size: index.range })),
    };
  return first.pack === null
    ? { kind: 'at', at: indexOf(writer, first) }
    : { kind: 'pack', index: first };
};

/** One element of `target`, at the indices of a left side. */
export const readAt = (writer: Writer, target: TypedExpression, axes: Frame): TypedExpression => ({
  kind: 'read',
  target,
  slots: axes.map((group) => slotOf(writer, group)),
  type: tensor(target.type.kind === 'tensor' ? target.type.base : real),
  span: writer.span,
});

/** The part `from..to-1` of one axis. */
export function cutOf(
  writer: Writer,
  target: TypedExpression,
  axis: number,
  from: Dim,
  to: Dim,
  extent: Dim,
): TypedExpression {
  if (target.type.kind !== 'tensor') throw new Error('only a tensor is cut');
  const { base, shape } = target.type;
  const slots = shape.map((kept, i): ReadSlot =>
    i === axis ? { kind: 'range', from, to } : { kind: 'keep', axes: [kept] },
  );
  const cut = shape.map((kept, i): Axis => (i === axis ? { kind: 'size', size: extent } : kept));
  return { kind: 'read', target, slots, type: tensor(base, cut), span: writer.span };
}

/** The sum of a scalar over indices; itself where there are none. */
export const sumOver = (
  { span }: Writer,
  indices: readonly Index[],
  body: TypedExpression,
): TypedExpression =>
  indices.length === 0
    ? body
    : {
        kind: 'binder',
        binder: 'sum',
        indices: indices.map((index) => ({ index, prefix: null })),
        body,
        type: body.type,
        span,
      };

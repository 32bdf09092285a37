// Reads: which slot takes which axis, `..` in index notation, fields of tuples and layers of arrays by number.

import type { AtSlot, IndexExpression, Slot } from '../../grammar/ast.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { indices } from '../diagnostics/indices.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import { add, isConstant, one, subtract, zero } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import { proveAtMost, proveEqual } from '../dims/prove.ts';
import { showDim } from '../dims/show.ts';
import type { Axis, Shape } from '../dims/shape.ts';
import { broken, isBroken, type Context } from './context.ts';
import { sizeOfExpression, tensor } from './convert.ts';
import { toSize } from './dimensions.ts';
import { axisName } from './mismatch.ts';
import { describe, showShape, showType } from './show.ts';
import type { Index, ReadSlot, TypedExpression } from './typed.ts';
import type { TensorType, Type } from './types.ts';
import { readAt, readRange } from './read-slots.ts';

const axisOfIndex = (index: Index): Axis =>
  index.pack === null ? { kind: 'size', size: index.range } : { kind: 'pack', pack: index.pack };

/** `..` in index notation: the same axes as on the left side. */
function readDots(context: Context, node: Slot, axes: Shape): ReadSlot[] | null {
  const { notation } = context;
  const trial = notation?.trial ?? null;
  if (notation === null) return [{ kind: 'keep', axes }];
  if (notation.dots === null) {
    if (trial !== null && trial.dots === 'unknown') trial.dots = axes;
    if (trial !== null) return [];
    context.report(
      report(indices.E0307, {
        span: node.span,
        data: { reason: 'the left side has no `..`' },
        help: 'write `:` to keep an axis, or put `..` on the left side',
      }),
    );
    return null;
  }
  if (trial !== null) return [];
  const left = notation.dots.map(axisOfIndex);
  const same =
    left.length === axes.length &&
    left.every((axis, i) => {
      const other = axes[i];
      return axis.kind === 'pack' || other.kind === 'pack'
        ? axis.kind === 'pack' && other.kind === 'pack' && axis.pack === other.pack
        : proveEqual(axis.size, other.size, context.assumptions).kind === 'proved';
    });
  if (!same) {
    context.report(
      report(indices.E0307, {
        span: node.span,
        data: {
          reason: `\`..\` is ${showShape(axes)} here, and ${showShape(left)} on the left side`,
        },
      }),
    );
    return null;
  }
  return notation.dots.map((index): ReadSlot =>
    index.pack === null
      ? {
          kind: 'at',
          at: {
            kind: 'index',
            index,
            type: tensor({ kind: 'fin', size: index.range }),
            span: node.span,
          },
        }
      : { kind: 'pack', index },
  );
}

const keptAxes = (slot: ReadSlot): Shape => {
  if (slot.kind === 'keep') return slot.axes;
  return slot.kind === 'range' ? [{ kind: 'size', size: subtract(slot.to, slot.from) }] : [];
};

/** Which axes each slot takes; null after a report. */
function alignSlots(
  context: Context,
  node: IndexExpression,
  shape: Shape,
): readonly { readonly slot: Slot; readonly from: number; readonly to: number }[] | null {
  const { slots } = node;
  const dots = slots.filter((slot) => slot.kind === 'ellipsis');
  const others = slots.length - dots.length;
  const missing = dots.length === 0 && others < shape.length && context.notation !== null;
  if (dots.length > 1 || others > shape.length || missing) {
    context.report(
      dots.length > 1
        ? report(indices.E0307, {
            span: dots[1].span,
            data: { reason: '`..` stands twice in one read' },
          })
        : report(indices.E0308, {
            span: node.span,
            data: { shape: showShape(shape), expected: shape.length, found: others },
            help: shape.some((a) => a.kind === 'pack') ? '`..` reads the axes of a pack' : null,
          }),
    );
    return null;
  }
  let at = 0;
  return slots.map((slot) => {
    const from = at;
    at += slot.kind === 'ellipsis' ? shape.length - others : 1;
    return { slot, from, to: at };
  });
}

/** A read of a tensor; broken after a report. */
export function readTensor(
  context: Context,
  node: IndexExpression,
  target: TypedExpression,
  type: TensorType,
): TypedExpression {
  const aligned = alignSlots(context, node, type.shape);
  if (aligned === null) return broken(node.span);
  let good = true;
  const slots: ReadSlot[] = [];
  for (const { slot, from, to } of aligned) {
    const read = readSlot(context, node, slot, type.shape, from, to);
    if (read === null) good = false;
    else slots.push(...read);
  }
  if (!good) return broken(node.span);
  const end = aligned.at(-1)?.to ?? 0;
  if (end < type.shape.length) slots.push({ kind: 'keep', axes: type.shape.slice(end) });
  return {
    kind: 'read',
    target,
    slots,
    type: tensor(type.base, slots.flatMap(keptAxes)),
    span: node.span,
  };
}

function readSlot(
  context: Context,
  node: IndexExpression,
  slot: Slot,
  shape: Shape,
  from: number,
  to: number,
): readonly ReadSlot[] | null {
  if (slot.kind === 'ellipsis') return readDots(context, slot, shape.slice(from, to));
  const place = { axis: shape[from], target: node.target, name: axisName(from, shape.length) };
  const read =
    slot.kind === 'range' ? readRange(context, slot, place) : readAt(context, slot.value, place);
  return read === null ? null : [read];
}

const onlyNumber = (slots: readonly Slot[]): AtSlot | null =>
  slots.length === 1 && slots[0].kind === 'at' ? slots[0] : null;

/** `halves(x)[0]`: a field of a tuple by its number. */
function readTuple(
  context: Context,
  node: IndexExpression,
  target: TypedExpression,
  type: Extract<Type, { kind: 'tuple' }>,
): TypedExpression {
  const slot = onlyNumber(node.slots);
  const size = slot === null ? null : toSize(context, slot.value);
  const field = size === null ? null : isConstant(size);
  if (field === null) return broken(node.span);
  const chosen = type.fields[field];
  if (chosen !== undefined)
    return { kind: 'project', target, field, type: chosen.type, span: node.span };
  context.report(
    report(indices.E0303, {
      span: node.span,
      data: {
        index: String(field),
        least: String(field),
        most: String(field),
        size: String(type.fields.length),
      },
    }),
  );
  return broken(node.span);
}

/** `steps[0]`: one layer of an array. */
function readLayers(
  context: Context,
  node: IndexExpression,
  target: TypedExpression,
  count: Dim,
): TypedExpression {
  const slot = onlyNumber(node.slots);
  const at = slot === null ? null : toSize(context, slot.value);
  if (at === null) {
    if (slot === null)
      context.report(
        report(indices.E0308, {
          span: node.span,
          data: { shape: `[${showDim(count)}]`, expected: 1, found: node.slots.length },
        }),
      );
    return broken(node.span);
  }
  const within =
    proveAtMost(zero, at, context.assumptions).kind === 'proved' &&
    proveAtMost(add(at, one), count, context.assumptions).kind === 'proved';
  if (within) return { kind: 'element', target, at, type: target.type, span: node.span };
  context.report(
    report(indices.E0303, {
      span: slot?.span ?? node.span,
      data: { index: showDim(at), least: showDim(at), most: showDim(at), size: showDim(count) },
    }),
  );
  return broken(node.span);
}

/** The number of layers that an expression stands for, where it is an array of layers. */
export const layerCount = (value: TypedExpression): Dim | null =>
  value.kind === 'layer' ? value.layer.count : null;

/** `target[slots]` */
export function checkIndex(context: Context, node: IndexExpression): TypedExpression {
  const target = context.session.rules.expression(context, node.target, null);
  if (isBroken(target)) {
    for (const slot of node.slots)
      if (slot.kind === 'at' && slot.value.kind !== 'tuple')
        context.session.rules.expression(context, slot.value, null);
    return broken(node.span);
  }
  const count = layerCount(target);
  if (count !== null) return readLayers(context, node, target, count);
  if (target.type.kind === 'tensor') return readTensor(context, node, target, target.type);
  if (target.type.kind === 'tuple') return readTuple(context, node, target, target.type);
  context.report(
    report(types.E0121, {
      span: node.target.span,
      data: { found: describe(target.type), expected: 'a tensor' },
      notes: sizeOfExpression(target) === null ? [] : [`\`${showType(target.type)}\``],
    }),
  );
  return broken(node.span);
}

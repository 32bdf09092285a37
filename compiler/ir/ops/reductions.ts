// Operations that fold an axis into one element or run along it: reduce, arg_max, arg_min, cumsum. Axes that are reduced go.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import { int } from '../../emit/onnx/shapes.ts';
import type { OnnxBuilder } from '../../emit/onnx/builder-types.ts';
import { bracketed } from '../../emit/wgsl/expressions.ts';
import type { Code } from '../../emit/wgsl/lowering.ts';
import type { Builder, Reduction } from '../builder-types.ts';
import type { Value } from '../graph.ts';
import { defineOp, notDifferentiable } from '../op.ts';
import type { Op } from '../op.ts';
import { invert, product, range } from '../shape-arithmetic.ts';
import { stridesOf } from '../strided.ts';
import type { DType, Tensor, TensorData } from '../tensor.ts';
import {
  axesAreWrong,
  cast,
  constantFactor,
  dtypesDiffer,
  fullLike,
  otherAxes,
  shapesDiffer,
  spread,
  throughInt64,
} from './type-rules.ts';

interface Kind {
  readonly initial: Readonly<Record<'f32' | 'i32' | 'u32' | 'bool', number>>;
  readonly fold: (a: number, b: number) => number;
  readonly onnx: string;
  /** Of two expressions. */
  readonly wgsl: (a: string, b: string, dtype: DType, code: Code) => string;
}

const each = (value: number): Kind['initial'] => ({
  f32: value,
  i32: value,
  u32: value,
  bool: value,
});

const kinds: Readonly<Record<Reduction, Kind>> = {
  add: {
    initial: each(0),
    fold: (a, b) => a + b,
    onnx: 'ReduceSum',
    wgsl: (a, b) => `${a} + ${bracketed(b)}`,
  },
  multiply: {
    initial: each(1),
    fold: (a, b) => a * b,
    onnx: 'ReduceProd',
    wgsl: (a, b) => `${a} * ${bracketed(b)}`,
  },
  max: {
    initial: { f32: -Infinity, i32: -(2 ** 31), u32: 0, bool: 0 },
    fold: Math.max,
    onnx: 'ReduceMax',
    wgsl: (a, b, dtype, code) => (dtype === 'f32' ? code.call('maximum', a, b) : `max(${a}, ${b})`),
  },
  min: {
    initial: { f32: Infinity, i32: 2 ** 31 - 1, u32: 2 ** 32 - 1, bool: 1 },
    fold: Math.min,
    onnx: 'ReduceMin',
    wgsl: (a, b, dtype, code) => (dtype === 'f32' ? code.call('minimum', a, b) : `min(${a}, ${b})`),
  },
  and: {
    initial: each(1),
    fold: (a, b) => a & b,
    onnx: 'ReduceMin',
    wgsl: (a, b) => `${a} && ${bracketed(b)}`,
  },
  or: {
    initial: each(0),
    fold: (a, b) => a | b,
    onnx: 'ReduceMax',
    wgsl: (a, b) => `${a} || ${bracketed(b)}`,
  },
};

/** The positions of the elements that `axes` walk through, relative to the first; the last axis fastest. */
function offsetsAlong(shape: readonly number[], axes: readonly number[]): Int32Array {
  const strides = stridesOf(shape);
  const offsets = new Int32Array(axes.reduce((count, axis) => count * shape[axis], 1));
  let filled = 1;
  for (const axis of axes) {
    const size = shape[axis];
    for (let i = filled * size - 1; i >= 0; i--)
      offsets[i] = offsets[Math.floor(i / size)] + (i % size) * strides[axis];
    filled *= size;
  }
  return offsets;
}

/** Folds in float64 and rounds once, when the result is stored. */
function reduceData(x: Tensor, kind: Kind, axes: readonly number[], into: TensorData): void {
  const starts = offsetsAlong(x.shape, otherAxes(axes, x.shape.length));
  const steps = offsetsAlong(x.shape, axes);
  for (let i = 0; i < into.length; i++) {
    let result = kind.initial[x.dtype];
    for (const step of steps) result = kind.fold(result, x.data[starts[i] + step]);
    into[i] = result;
  }
}

/** Sums of more elements than this are taken in two stages. */
const longSum = 4096;

/**
 * The rows of a long sum over everything: ONNX Runtime 1.30 adds a million elements up to an error of 2e-5, and rows of up to 1024 and
 * then their sums to 2e-8, in the same time (2026-11). The largest divisor of the static sizes that is no longer than 1024; null where
 * the sum is short, or has no such rows.
 */
function rowOfLongSum(shape: readonly Dim[]): number | null {
  const known = constantFactor(shape);
  const isFree = shape.some((size) => dims.isConstant(size) === null);
  if (!isFree && known <= longSum) return null;
  for (let row = Math.min(known, 1024); row >= 16; row--) if (known % row === 0) return row;
  return null;
}

function reduceOnnx(
  onnx: OnnxBuilder,
  name: string,
  x: Value,
  kind: Reduction,
  axes: readonly number[],
): string {
  const operator = kinds[kind].onnx;
  const without = (from: string, gone: readonly number[]): string =>
    onnx.node(operator, [from, onnx.int64s(gone)], { keepdims: int(0) });
  if (axes.length === 0) return onnx.node('Identity', [name]);
  if (x.dtype === 'u32') return throughInt64(onnx, [name], ([wide]) => without(wide, axes));
  const row = kind === 'add' && axes.length === x.shape.length ? rowOfLongSum(x.shape) : null;
  if (row === null || x.dtype !== 'f32') return without(name, axes);
  const rows = onnx.node('Reshape', [name, onnx.int64s([-1, row])]);
  return without(without(rows, [1]), [0]);
}

/** The cotangent of x under max or min: shared equally by the elements that attain it, as JAX does. */
function extremeGradient(b: Builder, x: Value, y: Value, g: Value, axes: readonly number[]): Value {
  const attains = b.compare('eq', x, spread(b, y, x.shape, axes));
  const count = b.reduce('add', b.convert(attains, 'f32'), axes);
  return b.select(attains, spread(b, b.divide(g, count), x.shape, axes), fullLike(b, 0, x));
}

/**
 * The products of the elements of the last axis before each one, from 1: doubling, so log2(n) multiplications. The products after
 * each one are those of the reversed axis.
 */
function productsBefore(b: Builder, x: Value, size: number): Value {
  const last = x.shape.length - 1;
  const along = (by: number): Dim[] =>
    x.shape.map((_, axis) => dims.constant(axis === last ? by : 0));
  const shifted = (of: Value, by: number): Value => b.pad(of, b.scalar(1), along(by), along(-by));
  let products = shifted(x, 1);
  for (let by = 1; by < size; by *= 2) products = b.multiply(products, shifted(products, by));
  return products;
}

/** The same for a free size, quadratic: row i of a square holds the elements but the i-th, and is multiplied up. */
function productsOfOthers(b: Builder, x: Value): Value {
  const rank = x.shape.length;
  const last = x.shape[rank - 1];
  const square = [...x.shape, last];
  const rows = b.broadcastInDim(x, square, [...range(rank - 1), rank]);
  const diagonal = b.compare('eq', b.iota(square, rank - 1), b.iota(square, rank));
  return b.reduce('multiply', b.select(diagonal, fullLike(b, 1, rows), rows), [rank]);
}

/**
 * The cotangent of x under a product: that of y times the product of the others. Never divides, so zeros are no exception, and every
 * derivative of it is exact.
 */
function productGradient(b: Builder, x: Value, g: Value, axes: readonly number[]): Value {
  const kept = otherAxes(axes, x.shape.length);
  const order = [...kept, ...axes];
  const sizes = order.map((axis) => x.shape[axis]);
  const length = product(axes.map((axis) => x.shape[axis]));
  const flatShape = [...kept.map((axis) => x.shape[axis]), length];
  const flat = b.reshape(b.transpose(x, order), flatShape);
  const size = dims.isConstant(length);
  const last = [kept.length];
  const others =
    size === null
      ? productsOfOthers(b, flat)
      : b.multiply(
          productsBefore(b, flat, size),
          b.reverse(productsBefore(b, b.reverse(flat, last), size), last),
        );
  const slope = b.transpose(b.reshape(others, sizes), invert(order));
  return b.multiply(spread(b, g, x.shape, axes), slope);
}

const numbers: readonly DType[] = ['f32', 'i32', 'u32'];

const reduce = defineOp<{ readonly kind: Reduction; readonly axes: readonly number[] }>({
  name: 'reduce',
  doc: 'Folds the axes away: the sum (add), product (multiply), max or min of numbers, and or or of booleans. Integer sums and products that leave 32 bits are unspecified (ONNX Runtime saturates). max and min share their cotangent equally among the elements that attain them; of NaN among numbers they are NaN, but in ONNX Runtime, which skips it; the order of a sum is unspecified.',
  operands: ['x'],
  type: (inputs, { kind, axes }) => {
    const allowed: readonly DType[] = kind === 'and' || kind === 'or' ? ['bool'] : numbers;
    return (
      shapesDiffer(inputs, 1) ??
      dtypesDiffer(inputs, allowed) ??
      axesAreWrong(axes, inputs[0].shape) ?? [
        {
          dtype: inputs[0].dtype,
          shape: otherAxes(axes, inputs[0].shape.length).map((axis) => inputs[0].shape[axis]),
        },
      ]
    );
  },
  gradient: {
    kind: 'rule',
    rule: ({ builder, inputs: [x], outputs: [y], attributes: { kind, axes }, cotangents: [g] }) => {
      if (g === null || kind === 'and' || kind === 'or') return [null];
      if (kind === 'add') return [spread(builder, g, x.shape, axes)];
      if (kind === 'multiply') return [productGradient(builder, x, g, axes)];
      return [extremeGradient(builder, x, y, g, axes)];
    },
  },
  evaluate: ({ inputs: [x], attributes: { kind, axes }, outputs: [y], allocate }) => {
    const data = allocate(
      x.dtype,
      y.shape.reduce((a, b) => a * b, 1),
    );
    reduceData(x, kinds[kind], axes, data);
    return [{ ...y, data }];
  },
  onnx: ({ onnx, names: [name], inputs: [x], attributes: { kind, axes } }) => [
    reduceOnnx(onnx, name, x, kind, axes),
  ],
  wgsl: {
    kind: 'reduce',
    axes: ({ axes }) => axes,
    fold: ({ dtype }, { kind }) => ({
      accumulators: [{ dtype, initial: kinds[kind].initial[dtype] }],
      element: (x) => [x],
      combine: ([a], [b], code) => [kinds[kind].wgsl(a, b, dtype, code)],
      result: 0,
    }),
  },
  cases: [
    ...(['add', 'multiply', 'max', 'min'] as const).flatMap((kind) => [
      ...(
        [
          [[5], [0]],
          [[1], [0]],
          [[2, 1, 3], [1]],
          [
            [2, 3, 5],
            [0, 2],
          ],
          [
            [3, 1, 4],
            [0, 1, 2],
          ],
        ] as const
      ).map(([shape, axes]) => ({ kind, dtype: 'f32' as const, shape, axes })),
      ...(['i32', 'u32'] as const).map((dtype) => ({ kind, dtype, shape: [5, 4], axes: [0] })),
    ]),
    { kind: 'add' as const, dtype: 'f32' as const, shape: [70, 61], axes: [0, 1] },
    ...(['and', 'or'] as const).flatMap((kind) =>
      [[0], [0, 1]].map((axes) => ({ kind, dtype: 'bool' as const, shape: [2, 7], axes })),
    ),
  ].map(({ kind, dtype, shape, axes }) => ({
    name: `${kind} ${dtype}[${shape.join(',')}] over ${axes.join(',')}`,
    attributes: { kind, axes },
    inputs: [{ dtype, shape }],
    bound: kind === 'multiply' ? 70 : 2 ** 28,
  })),
});

/** The position before there is one. */
const beyond = 2 ** 31 - 1;

type Along = { readonly axis: number };

/** The first index at which `beats` the best so far never holds again. */
const argument = (
  name: 'arg_max' | 'arg_min',
  doc: string,
  beats: (a: number, b: number) => boolean,
  {
    operator,
    wgsl: beatsInWgsl,
    worst,
  }: {
    readonly operator: string;
    readonly wgsl: '>' | '<';
    readonly worst: Kind['initial'];
  },
): Op =>
  defineOp<Along>({
    name,
    doc,
    operands: ['x'],
    type: (inputs, { axis }) =>
      shapesDiffer(inputs, 1) ??
      dtypesDiffer(inputs, ['f32', 'i32']) ??
      axesAreWrong([axis], inputs[0].shape) ?? [
        { dtype: 'i32', shape: inputs[0].shape.toSpliced(axis, 1) },
      ],
    gradient: notDifferentiable('its result is an index'),
    evaluate: ({ inputs: [x], attributes: { axis }, outputs: [y], allocate }) => {
      const starts = offsetsAlong(x.shape, otherAxes([axis], x.shape.length));
      const steps = offsetsAlong(x.shape, [axis]);
      const data = allocate('i32', starts.length);
      for (let i = 0; i < data.length; i++) {
        let best = 0;
        for (let j = 1; j < steps.length; j++)
          if (beats(x.data[starts[i] + steps[j]], x.data[starts[i] + steps[best]])) best = j;
        data[i] = best;
      }
      return [{ ...y, data }];
    },
    onnx: ({ onnx, names: [x], attributes: { axis } }) => [
      cast(onnx, onnx.node(operator, [x], { axis: int(axis), keepdims: int(0) }), 'i32'),
    ],
    wgsl: {
      kind: 'reduce',
      axes: ({ axis }) => [axis],
      fold: ({ dtype }) => ({
        accumulators: [
          { dtype, initial: worst[dtype] },
          { dtype: 'i32', initial: beyond },
        ],
        element: (x, position) => [x, `i32(${position})`],
        combine: ([a, i], [b, j], code) => {
          // The first wins over nothing, even a NaN, so that there is a position.
          const ties = `${b} == ${a} && ${j} < ${i}`;
          const wins = code.bind(
            'wins',
            `${b} ${beatsInWgsl} ${a} || (${ties}) || ${i} == ${beyond}i`,
          );
          return [`select(${a}, ${b}, ${wins})`, `select(${i}, ${j}, ${wins})`];
        },
        result: 1,
      }),
    },
    cases: [
      { dtype: 'f32' as const, shape: [5], axis: 0 },
      { dtype: 'f32' as const, shape: [3, 1, 4], axis: 1 },
      { dtype: 'f32' as const, shape: [3, 2, 4], axis: 2 },
      // Few values in many places: ties.
      { dtype: 'i32' as const, shape: [3, 9], axis: 1 },
      { dtype: 'i32' as const, shape: [9, 3], axis: 0 },
    ].map(({ dtype, shape, axis }) => ({
      name: `${dtype}[${shape.join(',')}] along ${axis}`,
      attributes: { axis },
      inputs: [{ dtype, shape }],
    })),
  });

const argMax = argument(
  'arg_max',
  'The index of the first largest element along `axis`, which goes. Unspecified where an element is NaN.',
  (a, b) => a > b,
  { operator: 'ArgMax', wgsl: '>', worst: kinds.max.initial },
);

const argMin = argument(
  'arg_min',
  'The index of the first smallest element along `axis`, which goes. Unspecified where an element is NaN.',
  (a, b) => a < b,
  { operator: 'ArgMin', wgsl: '<', worst: kinds.min.initial },
);

const cumsum = defineOp<Along & { readonly reverse: boolean; readonly exclusive: boolean }>({
  name: 'cumsum',
  doc: 'The sum of the elements along `axis` up to each one: from the end if `reverse`, without the element itself if `exclusive`. Integers wrap.',
  operands: ['x'],
  type: (inputs, { axis }) =>
    shapesDiffer(inputs, 1) ??
    dtypesDiffer(inputs, numbers) ??
    axesAreWrong([axis], inputs[0].shape) ?? [{ dtype: inputs[0].dtype, shape: inputs[0].shape }],
  gradient: {
    kind: 'rule',
    rule: ({ builder, attributes: { axis, reverse, exclusive }, cotangents: [g] }) => [
      g === null ? null : builder.cumsum(g, axis, { reverse: !reverse, exclusive }),
    ],
  },
  evaluate: ({ inputs: [x], attributes: { axis, reverse, exclusive }, allocate }) => {
    const starts = offsetsAlong(x.shape, otherAxes([axis], x.shape.length));
    const steps = offsetsAlong(x.shape, [axis]);
    if (reverse) steps.reverse();
    const data = allocate(x.dtype, x.data.length);
    for (const start of starts) {
      let sum = 0;
      for (const step of steps) {
        const next = sum + x.data[start + step];
        data[start + step] = exclusive ? sum : next;
        sum = next;
      }
    }
    return [{ ...x, data }];
  },
  onnx: ({ onnx, names: [name], inputs: [x], attributes: { axis, reverse, exclusive } }) => {
    const sum = ([from]: readonly string[]): string =>
      onnx.node('CumSum', [from, onnx.dim(dims.constant(axis))], {
        reverse: int(reverse ? 1 : 0),
        exclusive: int(exclusive ? 1 : 0),
      });
    return [x.dtype === 'u32' ? throughInt64(onnx, [name], sum) : sum([name])];
  },
  wgsl: {
    kind: 'map',
    cost: 'whole',
    element: ({ inputs: [x], index, attributes: { axis, reverse, exclusive }, read, code }) => {
      const own = index[axis];
      const after = dims.add(own, dims.constant(exclusive ? 1 : 0));
      const first = reverse ? after : dims.zero;
      const count = reverse
        ? dims.subtract(x.shape[axis], after)
        : dims.add(own, dims.constant(exclusive ? 0 : 1));
      const sum = code.variable('sum', x.dtype, `${x.dtype}(0)`);
      code.loop('term', count, (term) =>
        code.assign(sum, `${sum} + ${read(0, index.with(axis, dims.add(first, term)))}`),
      );
      return [sum];
    },
  },
  cases: [
    ...[false, true].flatMap((reverse) =>
      [false, true].map((exclusive) => ({
        dtype: 'f32' as const,
        shape: [3, 5],
        axis: 1,
        reverse,
        exclusive,
      })),
    ),
    { dtype: 'f32' as const, shape: [4, 1, 2], axis: 0, reverse: false, exclusive: false },
    { dtype: 'f32' as const, shape: [1], axis: 0, reverse: true, exclusive: true },
    { dtype: 'i32' as const, shape: [2, 7], axis: 1, reverse: true, exclusive: false },
    { dtype: 'u32' as const, shape: [2, 7], axis: 1, reverse: false, exclusive: true },
  ].map(({ dtype, shape, axis, reverse, exclusive }) => ({
    name: `${dtype}[${shape.join(',')}] along ${axis}${reverse ? ' reverse' : ''}${exclusive ? ' exclusive' : ''}`,
    attributes: { axis, reverse, exclusive },
    inputs: [{ dtype, shape }],
  })),
});

export const reductionOps: readonly Op[] = [reduce, argMax, argMin, cumsum];

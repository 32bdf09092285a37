// The operation reduce, which folds axes into one element: they go.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import { int } from '../../emit/onnx/shapes.ts';
import type { OnnxBuilder } from '../../emit/onnx/builder-types.ts';
import { bracketed } from '../../emit/wgsl/expressions.ts';
import type { Code } from '../../emit/wgsl/lowering.ts';
import type { Reduction } from '../builder-types.ts';
import type { Value } from '../graph.ts';
import { defineOp, type Op } from '../op.ts';
import { offsetsAlong } from '../strided.ts';
import { greatest, least, type DType, type Tensor, type TensorData } from '../tensor.ts';
import { extremeGradient, productGradient } from './reduction-gradients.ts';
import {
  axesAreWrong,
  constantFactor,
  dtypesDiffer,
  numbers,
  otherAxes,
  shapesDiffer,
  spread,
  throughInt64,
} from './type-rules.ts';

interface Kind {
  /** What is folded first, which changes nothing. */
  readonly initial: Readonly<Record<DType, number>>;
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
    initial: least,
    fold: Math.max,
    onnx: 'ReduceMax',
    wgsl: (a, b, dtype, code) => (dtype === 'f32' ? code.call('maximum', a, b) : `max(${a}, ${b})`),
  },
  min: {
    initial: greatest,
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

export const reductionOps: readonly Op[] = [reduce];

// dot_general: every product of tensors that sums over shared axes, from a scalar product to attention scores. Bilinear, so its
// gradient is dot_general again.

import { dotGeneral } from '../../emit/onnx/dot-general.ts';
import { dotContraction } from '../../emit/wgsl/contractions.ts';
import type { Builder, DotDimensions } from '../builder-types.ts';
import { freeAxes } from '../dot-dimensions.ts';
import type { Value } from '../graph.ts';
import { addProduct, matrix } from '../matmul.ts';
import { defineOp } from '../op.ts';
import { areAxes, mismatch } from '../shape-arithmetic.ts';
import { copyStrided, stridesOf, viewOf } from '../strided.ts';
import { sizeOf } from '../tensor.ts';
import type { Evaluation } from '../op.ts';
import type { Tensor, TensorData } from '../tensor.ts';
import { dtypesDiffer, numbers } from './type-rules.ts';

type Dot = {
  readonly lhsBatch: readonly number[];
  readonly rhsBatch: readonly number[];
  readonly lhsContracting: readonly number[];
  readonly rhsContracting: readonly number[];
};

const dot = (
  lhsBatch: readonly number[],
  rhsBatch: readonly number[],
  lhsContracting: readonly number[],
  rhsContracting: readonly number[],
): Dot => ({ lhsBatch, rhsBatch, lhsContracting, rhsContracting });

const f32 = (...shape: number[]) => ({ dtype: 'f32', shape }) as const;
const i32 = (...shape: number[]) => ({ dtype: 'i32', shape }) as const;

const dotGeneralOp = defineOp<Dot>({
  name: 'dot_general',
  doc: 'y[batch, free of lhs, free of rhs] = sum over the contracting axes of lhs * rhs (StableHLO dot_general). Batch and contracting axes are listed in pairs.',
  operands: ['lhs', 'rhs'],
  type: ([lhs, rhs], d) => {
    const wrong = dtypesDiffer([lhs, rhs], numbers);
    if (wrong !== null) return wrong;
    if (
      !areAxes([...d.lhsBatch, ...d.lhsContracting], lhs.shape.length) ||
      !areAxes([...d.rhsBatch, ...d.rhsContracting], rhs.shape.length) ||
      d.lhsBatch.length !== d.rhsBatch.length ||
      d.lhsContracting.length !== d.rhsContracting.length
    )
      return 'batch and contracting axes must be distinct axes, in pairs';
    const right = [...d.rhsBatch, ...d.rhsContracting];
    const problem = [...d.lhsBatch, ...d.lhsContracting]
      .map((axis, i) =>
        mismatch(
          lhs.shape[axis],
          rhs.shape[right[i]],
          `axis ${axis} of lhs and ${right[i]} of rhs`,
        ),
      )
      .find((found) => found !== null);
    if (problem !== undefined) return problem;
    const { lhsFree, rhsFree } = freeAxes(lhs.shape.length, rhs.shape.length, d);
    const shape = [
      ...[...d.lhsBatch, ...lhsFree].map((axis) => lhs.shape[axis]),
      ...rhsFree.map((axis) => rhs.shape[axis]),
    ];
    return [{ dtype: lhs.dtype, shape }];
  },
  gradient: {
    kind: 'rule',
    rule: ({ builder, inputs: [lhs, rhs], attributes: d, cotangents: [g], wanted }) => {
      if (g === null) return [null, null];
      const { lhsFree, rhsFree } = freeAxes(lhs.shape.length, rhs.shape.length, d);
      const batch = d.lhsBatch.map((_, i) => i);
      const gLhs = lhsFree.map((_, i) => batch.length + i);
      const gRhs = rhsFree.map((_, i) => batch.length + lhsFree.length + i);
      const byRhs = ascendingPairs(d.rhsContracting, d.lhsContracting);
      const byLhs = ascendingPairs(d.lhsContracting, d.rhsContracting);
      // dlhs: sum over the free axes of rhs of g * rhs. Its axes: batch, then (free, contracting) or the other way about.
      const dLhs = (): Value =>
        product(builder, {
          x: g,
          y: rhs,
          xDims: { batch, contracting: gRhs },
          yDims: { batch: d.rhsBatch, contracting: rhsFree },
          xAxes: lhsFree,
          yAxes: byRhs,
          batchAxes: d.lhsBatch,
        });
      const dRhs = (): Value =>
        product(builder, {
          x: lhs,
          y: g,
          xDims: { batch: d.lhsBatch, contracting: lhsFree },
          yDims: { batch, contracting: gLhs },
          xAxes: byLhs,
          yAxes: rhsFree,
          batchAxes: d.rhsBatch,
        });
      return [wanted[0] ? dLhs() : null, wanted[1] ? dRhs() : null];
    },
  },
  evaluate: (context) => [evaluate(context)],
  onnx: ({ onnx, names, inputs: [lhs, rhs], attributes }) => [
    dotGeneral(onnx, { ...lhs, name: names[0] }, { ...rhs, name: names[1] }, attributes),
  ],
  wgsl: dotContraction,
  cases: [
    { name: 'matrices', attributes: dot([], [], [1], [0]), inputs: [f32(3, 5), f32(5, 2)] },
    { name: 'both transposed', attributes: dot([], [], [0], [1]), inputs: [f32(5, 3), f32(2, 5)] },
    { name: 'size 1', attributes: dot([], [], [1], [1]), inputs: [f32(1, 1), f32(3, 1)] },
    { name: 'matrix and vector', attributes: dot([], [], [1], [0]), inputs: [f32(3, 5), f32(5)] },
    { name: 'vector and matrix', attributes: dot([], [], [0], [1]), inputs: [f32(5), f32(2, 5)] },
    { name: 'vectors', attributes: dot([], [], [0], [0]), inputs: [f32(7), f32(7)] },
    { name: 'outer product', attributes: dot([], [], [], []), inputs: [f32(3, 2), f32(5)] },
    { name: 'scalars', attributes: dot([], [], [], []), inputs: [f32(), f32()] },
    {
      name: 'dense layer on a sequence',
      attributes: dot([], [], [2], [0]),
      inputs: [f32(2, 3, 4), f32(4, 5)],
    },
    {
      name: 'two contracted',
      attributes: dot([], [], [0, 1], [0, 1]),
      inputs: [f32(2, 3, 4), f32(2, 3, 5)],
    },
    {
      name: 'contracted out of order',
      attributes: dot([], [], [2, 0], [0, 1]),
      inputs: [f32(3, 2, 4), f32(4, 3, 5)],
    },
    { name: 'batched', attributes: dot([0], [0], [2], [1]), inputs: [f32(2, 3, 4), f32(2, 4, 5)] },
    {
      name: 'attention scores',
      attributes: dot([0, 2], [0, 2], [3], [3]),
      inputs: [f32(2, 3, 2, 5), f32(2, 4, 2, 5)],
    },
    {
      name: 'batch axes out of order',
      attributes: dot([2, 0], [1, 0], [1], [2]),
      inputs: [f32(2, 5, 3), f32(2, 3, 5, 1)],
    },
    {
      name: 'products of rows',
      attributes: dot([0], [1], [1], [0]),
      inputs: [f32(3, 4), f32(4, 3)],
    },
    {
      name: 'batched outer product',
      attributes: dot([1], [0], [], []),
      inputs: [f32(2, 3), f32(3, 4)],
    },
    {
      name: 'integers',
      attributes: dot([], [], [1], [0]),
      inputs: [i32(2, 3), i32(3, 4)],
      bound: 1000,
    },
    {
      name: 'batched integers',
      attributes: dot([0], [0], [1], [2]),
      inputs: [i32(2, 3, 1), i32(2, 4, 3)],
    },
  ],
});

/** Pairs sorted by the first; their second. */
const ascendingPairs = (by: readonly number[], values: readonly number[]): number[] =>
  by
    .map((_, i) => i)
    .sort((a, b) => by[a] - by[b])
    .map((i) => values[i]);

interface Side {
  readonly batch: readonly number[];
  readonly contracting: readonly number[];
}

/** The product of x and y, with what axis of the wanted tensor each axis of the result is. */
interface Product {
  readonly x: Value;
  readonly y: Value;
  readonly xDims: Side;
  readonly yDims: Side;
  readonly batchAxes: readonly number[];
  readonly xAxes: readonly number[];
  readonly yAxes: readonly number[];
}

/** x * y or y * x, whichever has its axes in place; else transposed. */
function product(
  builder: Builder,
  { x, y, xDims, yDims, batchAxes, xAxes, yAxes }: Product,
): Value {
  const dimensions = (lhs: Side, rhs: Side): DotDimensions => ({
    lhsBatch: lhs.batch,
    rhsBatch: rhs.batch,
    lhsContracting: lhs.contracting,
    rhsContracting: rhs.contracting,
  });
  const inPlace = (axes: readonly number[]): boolean => axes.every((axis, i) => axis === i);
  const swapped = [...batchAxes, ...yAxes, ...xAxes];
  if (inPlace(swapped)) return builder.dotGeneral(y, x, dimensions(yDims, xDims));
  const axes = [...batchAxes, ...xAxes, ...yAxes];
  const permutation = axes.map((_, axis) => axes.indexOf(axis));
  return builder.transpose(builder.dotGeneral(x, y, dimensions(xDims, yDims)), permutation);
}

function evaluate({
  inputs: [lhs, rhs],
  outputs: [out],
  attributes: d,
  allocate,
}: Evaluation<Dot>): Tensor {
  const { lhsFree, rhsFree } = freeAxes(lhs.shape.length, rhs.shape.length, d);
  const count = (x: Tensor, axes: readonly number[]): number =>
    sizeOf(axes.map((axis) => x.shape[axis]));
  const [batch, m] = [count(lhs, d.lhsBatch), count(lhs, lhsFree)];
  const [k, n] = [count(lhs, d.lhsContracting), count(rhs, rhsFree)];
  const a = arranged(lhs, [...d.lhsBatch, ...lhsFree, ...d.lhsContracting], allocate);
  const b = arranged(rhs, [...d.rhsBatch, ...d.rhsContracting, ...rhsFree], allocate);
  const data = allocate(out.dtype, batch * m * n);
  for (let i = 0; i < batch; i++)
    addProduct(
      matrix(a, i * m * k, k),
      matrix(b, i * k * n, n),
      matrix(data, i * m * n, n),
      m,
      k,
      n,
    );
  return { ...out, data };
}

/** The elements with the axes in that order. */
function arranged(
  x: Tensor,
  axes: readonly number[],
  allocate: Evaluation<Dot>['allocate'],
): TensorData {
  if (axes.every((axis, i) => axis === i)) return x.data;
  const from = stridesOf(x.shape);
  const shape = axes.map((axis) => x.shape[axis]);
  const data = allocate(x.dtype, x.data.length);
  const strides = axes.map((axis) => from[axis]);
  copyStrided(shape, { data: x.data, offset: 0, strides }, viewOf({ data, shape }));
  return data;
}

export const contractionOps = [dotGeneralOp];

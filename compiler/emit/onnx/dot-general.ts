// dot_general in ONNX: MatMul or Gemm by shape, never Einsum (1 to 1.5 times slower on ONNX Runtime 1.30). Operands are
// viewed as matrices by reshapes, which copy nothing; a Transpose is emitted only where no view will do.

import type { Dim } from '../../dims/dim.ts';
import type { DotDimensions } from '../../ir/builder-types.ts';
import { freeAxes } from '../../ir/dot-dimensions.ts';
import type { DType } from '../../ir/tensor.ts';
import { product } from '../../ir/shape-arithmetic.ts';
import type { OnnxBuilder } from './builder-types.ts';
import { int, reshape, transpose, unsqueeze } from './shapes.ts';

interface Operand {
  readonly name: string;
  readonly shape: readonly Dim[];
  readonly dtype: DType;
}

const ascending = (axes: readonly number[]): boolean => axes.every((axis, i) => axis === i);

/** The name of the result, whose axes are batch, free of lhs, free of rhs. */
export function dotGeneral(
  onnx: OnnxBuilder,
  lhs: Operand,
  rhs: Operand,
  dimensions: DotDimensions,
): string {
  const { lhsFree, rhsFree } = freeAxes(lhs.shape.length, rhs.shape.length, dimensions);
  const { lhsBatch, lhsContracting, rhsContracting } = dimensions;
  if (lhsContracting.length === 0) return outer(onnx, lhs, rhs, dimensions);
  if (lhsBatch.length === 0) {
    const [axis] = lhsContracting;
    const plain =
      lhsContracting.length === 1 && axis === lhs.shape.length - 1 && rhsContracting[0] === 0;
    if (plain && rhs.shape.length <= 2) return onnx.node('MatMul', [lhs.name, rhs.name]);
    const result = [...lhsFree.map((i) => lhs.shape[i]), ...rhsFree.map((i) => rhs.shape[i])];
    const [m, n] = [lhsFree.map((i) => lhs.shape[i]), rhsFree.map((i) => rhs.shape[i])];
    const matrix = twoMatrices(onnx, lhs, rhs, dimensions);
    return reshape(onnx, matrix, [product(m), product(n)], result);
  }
  if (lhsFree.length === 0 && rhsFree.length === 0 && lhs.dtype !== 'u32')
    return rowProducts(onnx, lhs, rhs, dimensions);
  return batched(onnx, lhs, rhs, dimensions);
}

/** Nothing is summed: a product broadcast over [batch, free of lhs, free of rhs]. */
function outer(
  onnx: OnnxBuilder,
  lhs: Operand,
  rhs: Operand,
  { lhsBatch, rhsBatch, ...dimensions }: DotDimensions,
): string {
  const { lhsFree, rhsFree } = freeAxes(lhs.shape.length, rhs.shape.length, {
    lhsBatch,
    rhsBatch,
    ...dimensions,
  });
  const left = transpose(onnx, lhs.name, [...lhsBatch, ...lhsFree]);
  const right = transpose(onnx, rhs.name, [...rhsBatch, ...rhsFree]);
  const after = rhsFree.map((_, i) => lhs.shape.length + i);
  // Without batch axes rhs's missing leading axes are ONNX's to add.
  const between = rhsBatch.length === 0 ? [] : lhsFree.map((_, i) => rhsBatch.length + i);
  return onnx.node('Mul', [unsqueeze(onnx, left, after), unsqueeze(onnx, right, between)]);
}

/** No free axes: a product and a sum, since a MatMul of 1 x k by k x 1 is a call a batch element. */
function rowProducts(onnx: OnnxBuilder, lhs: Operand, rhs: Operand, d: DotDimensions): string {
  const left = transpose(onnx, lhs.name, [...d.lhsBatch, ...d.lhsContracting]);
  const right = transpose(onnx, rhs.name, [...d.rhsBatch, ...d.rhsContracting]);
  const axes = d.lhsContracting.map((_, i) => d.lhsBatch.length + i);
  return onnx.node('ReduceSum', [onnx.node('Mul', [left, right]), onnx.int64s(axes)], {
    keepdims: int(0),
  });
}

/** The axes of each group in order, transposed if they must be, each group merged to one axis. */
function view(onnx: OnnxBuilder, x: Operand, groups: readonly (readonly number[])[]): string {
  const order = groups.flat();
  const moved = transpose(onnx, x.name, order);
  return reshape(
    onnx,
    moved,
    order.map((axis) => x.shape[axis]),
    groups.map((group) => product(group.map((axis) => x.shape[axis]))),
  );
}

/** No batch axes: one product of two matrices. Gemm reads either of them transposed at no cost. */
function twoMatrices(onnx: OnnxBuilder, lhs: Operand, rhs: Operand, d: DotDimensions): string {
  const { lhsFree, rhsFree } = freeAxes(lhs.shape.length, rhs.shape.length, d);
  const orders = [d.lhsContracting, d.rhsContracting].map((by) =>
    by.map((_, i) => i).sort((a, b) => by[a] - by[b]),
  );
  // The order in which the pairs are summed is free; take one that leaves both operands where they are, if there is one.
  const candidates = orders.map((order) => {
    const left = order.map((i) => d.lhsContracting[i]);
    const right = order.map((i) => d.rhsContracting[i]);
    const leftMoves = !ascending([...lhsFree, ...left]) && !ascending([...left, ...lhsFree]);
    const rightMoves = !ascending([...right, ...rhsFree]) && !ascending([...rhsFree, ...right]);
    return { left, right, moves: Number(leftMoves) + Number(rightMoves) };
  });
  const { left, right } =
    candidates[0].moves <= candidates[1].moves ? candidates[0] : candidates[1];
  const gemm = lhs.dtype === 'f32';
  const transA = gemm && !ascending([...lhsFree, ...left]) && ascending([...left, ...lhsFree]);
  const transB = gemm && !ascending([...right, ...rhsFree]) && ascending([...rhsFree, ...right]);
  const a = view(onnx, lhs, transA ? [left, lhsFree] : [lhsFree, left]);
  const b = view(onnx, rhs, transB ? [rhsFree, right] : [right, rhsFree]);
  if (!transA && !transB) return onnx.node('MatMul', [a, b]);
  return onnx.node('Gemm', [a, b], { transA: int(Number(transA)), transB: int(Number(transB)) });
}

/** ONNX Runtime folds a Transpose of the last two axes into the MatMul. */
function batched(onnx: OnnxBuilder, lhs: Operand, rhs: Operand, d: DotDimensions): string {
  const { lhsFree, rhsFree } = freeAxes(lhs.shape.length, rhs.shape.length, d);
  const a = view(onnx, lhs, [...d.lhsBatch.map((i) => [i]), lhsFree, d.lhsContracting]);
  const b = view(onnx, rhs, [...d.rhsBatch.map((i) => [i]), d.rhsContracting, rhsFree]);
  const batch = d.lhsBatch.map((i) => lhs.shape[i]);
  const [m, n] = [lhsFree.map((i) => lhs.shape[i]), rhsFree.map((i) => rhs.shape[i])];
  return reshape(
    onnx,
    onnx.node('MatMul', [a, b]),
    [...batch, product(m), product(n)],
    [...batch, ...m, ...n],
  );
}

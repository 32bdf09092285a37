// What many type rules, gradients and lowerings share: comparing shapes, spreading a reduced value back, ONNX attributes. Lowest
// file of ops/; a family never imports another family.

import { isConstant } from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { OnnxAttribute, OnnxBuilder } from '../../emit/onnx/builder-types.ts';
import { int } from '../../emit/onnx/shapes.ts';
import type { Builder } from '../builder-types.ts';
import type { TensorType, Value } from '../graph.ts';
import { areAxes, differ, range } from '../shape-arithmetic.ts';
import type { DType } from '../tensor.ts';
import { showType } from '../types.ts';

/** Whether the shapes differ for certain; see `differ`. */
export const shapesClash = (a: readonly Dim[], b: readonly Dim[]): boolean =>
  a.length !== b.length || a.some((size, i) => differ(size, b[i]));

/** Null, or a sentence if the operands are not `count` tensors of one shape. */
export function shapesDiffer(inputs: readonly TensorType[], count: number): string | null {
  if (inputs.length !== count) return `takes ${count} operands, not ${inputs.length}`;
  return inputs.some((x) => shapesClash(x.shape, inputs[0].shape))
    ? `operands differ in shape: ${inputs.map(showType).join(' and ')}`
    : null;
}

/** What has an order and arithmetic. */
export const numbers: readonly DType[] = ['f32', 'i32', 'u32'];

/** Null, or a sentence if the operands differ in dtype or have one that is not `allowed`. */
export function dtypesDiffer(
  inputs: readonly TensorType[],
  allowed: readonly DType[],
): string | null {
  const [first] = inputs;
  if (!inputs.every((x) => x.dtype === first.dtype))
    return `operands differ in type: ${inputs.map(showType).join(' and ')}`;
  return allowed.includes(first.dtype) ? null : `has no meaning for ${first.dtype}`;
}

/** Null, or a sentence if `axes` are not distinct axes of `shape`. */
export const axesAreWrong = (axes: readonly number[], shape: readonly Dim[]): string | null =>
  areAxes(axes, shape.length)
    ? null
    : `[${axes.join(', ')}] are not distinct axes of a tensor of rank ${shape.length}`;

/** The axes of a tensor of rank `rank` that are not listed, in order. */
export const otherAxes = (axes: readonly number[], rank: number): number[] =>
  range(rank).filter((axis) => !axes.includes(axis));

/** A value whose `axes` were reduced away, repeated along them into `shape`. */
export const spread = (
  builder: Builder,
  reduced: Value,
  shape: readonly Dim[],
  axes: readonly number[],
): Value => builder.broadcastInDim(reduced, shape, otherAxes(axes, shape.length));

/** `value` in every element, of the shape of `like`. */
export const fullLike = (builder: Builder, value: number, like: Value): Value =>
  builder.full(value, like.shape, like.dtype);

/** The product of the sizes that are constants: it divides the number of elements. */
export const constantFactor = (shape: readonly Dim[]): number =>
  shape.reduce((product, size) => product * (isConstant(size) ?? 1), 1);

export const float = (value: number): OnnxAttribute => ({ kind: 'float', value });

/** TensorProto.DataType, for Cast. */
const onnxTypes: Readonly<Record<DType | 'i64', number>> = {
  f32: 1,
  i32: 6,
  i64: 7,
  bool: 9,
  u32: 12,
};

export const cast = (onnx: OnnxBuilder, x: string, dtype: DType | 'i64'): string =>
  onnx.node('Cast', [x], { to: int(onnxTypes[dtype]) });

/**
 * Runs `body` on i64 copies of u32 tensors and casts its results back, for the operators that ONNX Runtime 1.30 has no u32
 * kernel for (Where, Reduce*, CumSum). Casting back wraps modulo 2^32.
 */
export const throughInt64 = (
  onnx: OnnxBuilder,
  names: readonly string[],
  body: (wide: readonly string[]) => string,
): string => cast(onnx, body(names.map((name) => cast(onnx, name, 'i64'))), 'u32');

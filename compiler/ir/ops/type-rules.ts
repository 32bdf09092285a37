// What many type rules, gradients and lowerings share: comparing shapes, spreading a reduced value back, ONNX attributes. Lowest
// file of ops/; a family never imports another family.

import { equal, isConstant } from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import { showDim } from '../../dims/show.ts';
import type { OnnxAttribute, OnnxBuilder } from '../../emit/onnx/builder-types.ts';
import type { Builder } from '../builder-types.ts';
import type { TensorType, Value } from '../graph.ts';
import type { DType } from '../tensor.ts';

export const sameShape = (a: readonly Dim[], b: readonly Dim[]): boolean =>
  a.length === b.length && a.every((size, i) => equal(size, b[i]));

const shown = (x: TensorType): string => `${x.dtype}[${x.shape.map(showDim).join(', ')}]`;

/** Null, or a sentence if the operands are not `count` tensors of one shape. */
export function shapesDiffer(inputs: readonly TensorType[], count: number): string | null {
  if (inputs.length !== count) return `takes ${count} operands, not ${inputs.length}`;
  return inputs.every((x) => sameShape(x.shape, inputs[0].shape))
    ? null
    : `operands differ in shape: ${inputs.map(shown).join(' and ')}`;
}

/** Null, or a sentence if the operands differ in dtype or have one that is not `allowed`. */
export function dtypesDiffer(
  inputs: readonly TensorType[],
  allowed: readonly DType[],
): string | null {
  const [first] = inputs;
  if (!inputs.every((x) => x.dtype === first.dtype))
    return `operands differ in type: ${inputs.map(shown).join(' and ')}`;
  return allowed.includes(first.dtype) ? null : `has no meaning for ${first.dtype}`;
}

/** Null, or a sentence if `axes` are not distinct axes of `shape`. */
export function axesAreWrong(axes: readonly number[], shape: readonly Dim[]): string | null {
  const wrong = axes.find((axis) => !Number.isInteger(axis) || axis < 0 || axis >= shape.length);
  if (wrong !== undefined) return `there is no axis ${wrong} of ${shape.length}`;
  return new Set(axes).size === axes.length ? null : 'an axis is named twice';
}

/** The axes of `rank` that are not in `axes`, in order. */
export const otherAxes = (rank: number, axes: readonly number[]): number[] =>
  Array.from({ length: rank }, (_, axis) => axis).filter((axis) => !axes.includes(axis));

/** A value whose `axes` were reduced away, repeated along them into `shape`. */
export const spread = (
  builder: Builder,
  reduced: Value,
  shape: readonly Dim[],
  axes: readonly number[],
): Value => builder.broadcastInDim(reduced, shape, otherAxes(shape.length, axes));

/** `value` in every element, of the shape of `like`. */
export const fullLike = (builder: Builder, value: number, like: Value): Value =>
  builder.full(value, like.shape, like.dtype);

/** The product of the sizes that are constants: it divides the number of elements. */
export const constantFactor = (shape: readonly Dim[]): number =>
  shape.reduce((product, size) => product * (isConstant(size) ?? 1), 1);

export const int = (value: number): OnnxAttribute => ({ kind: 'int', value });
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
 * kernel for (Where, Reduce*, CumSum, Neg). Wraps modulo 2^32, as u32 arithmetic does.
 */
export const throughInt64 = (
  onnx: OnnxBuilder,
  names: readonly string[],
  body: (wide: readonly string[]) => string,
): string => cast(onnx, body(names.map((name) => cast(onnx, name, 'i64'))), 'u32');

// Operations without operands: literal tensors, ramps and sizes.

import { constant as constantDim, isConstant } from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import { scalarOf } from '../../emit/wgsl/expressions.ts';
import { defineOp, notDifferentiable } from '../op.ts';
import type { Op } from '../op.ts';
import { tensor } from '../tensor.ts';
import type { DType, Tensor } from '../tensor.ts';
import { axesAreWrong, cast } from './type-rules.ts';

const noOperands = notDifferentiable('it depends on no operand');

const constant = defineOp<{ readonly value: Tensor }>({
  name: 'constant',
  doc: 'A literal tensor.',
  operands: [],
  type: (_inputs, { value }) => [
    { dtype: value.dtype, shape: value.shape.map((size) => constantDim(size)) },
  ],
  gradient: noOperands,
  evaluate: ({ attributes: { value }, allocate }) => {
    const data = allocate(value.dtype, value.data.length);
    data.set(value.data);
    return [{ ...value, data }];
  },
  onnx: ({ onnx, attributes: { value } }) => [onnx.constant(value)],
  wgsl: { kind: 'literal', value: ({ value }) => value },
  cases: [
    tensor('f32', [], [0.5]),
    tensor('f32', [2, 1, 3], [-1, 0, 1.5, 2, 1e-3, 1e6]),
    tensor('i32', [1], [-2147483648]),
    tensor('u32', [2], [4294967295, 7]),
    tensor('bool', [3], [0, 1, 1]),
  ].map((value) => ({
    name: `${value.dtype}[${value.shape.join(',')}]`,
    attributes: { value },
    inputs: [],
  })),
});

const iota = defineOp<{
  readonly shape: readonly Dim[];
  readonly axis: number;
  readonly dtype: DType;
}>({
  name: 'iota',
  doc: '0, 1, 2, ... along `axis`, the same along the other axes.',
  operands: [],
  type: (_inputs, { shape, axis, dtype }) =>
    axesAreWrong([axis], shape) ??
    (dtype === 'bool' ? 'has no meaning for bool' : [{ dtype, shape }]),
  gradient: noOperands,
  evaluate: ({ attributes: { axis, dtype }, outputs: [{ shape }], allocate }) => {
    const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const data = allocate(
      dtype,
      shape.reduce((a, b) => a * b, 1),
    );
    for (let i = 0; i < data.length; i++) data[i] = Math.floor(i / inner) % shape[axis];
    return [{ dtype, shape, data }];
  },
  onnx: ({ onnx, attributes: { shape, axis, dtype } }) => {
    const int64 = (value: number): string => onnx.dim(constantDim(value));
    const ramp = cast(onnx, onnx.node('Range', [int64(0), onnx.dim(shape[axis]), int64(1)]), dtype);
    if (shape.length === 1) return [ramp];
    // The ramp's own axis, then a 1 for every axis after it; Expand adds the axes before.
    const column = onnx.int64s([-1, ...shape.slice(axis + 1).map(() => 1)]);
    return [onnx.node('Expand', [onnx.node('Reshape', [ramp, column]), onnx.shape(shape)])];
  },
  wgsl: {
    kind: 'map',
    cost: 'free',
    element: ({ index, attributes: { axis, dtype }, code }) => [
      scalarOf(dtype, code.text(index[axis])),
    ],
  },
  cases: [
    { name: 'i32[5]', shape: [5], axis: 0, dtype: 'i32' as const },
    { name: 'f32[3,1,4] along 0', shape: [3, 1, 4], axis: 0, dtype: 'f32' as const },
    { name: 'u32[2,5,3] along 1', shape: [2, 5, 3], axis: 1, dtype: 'u32' as const },
    { name: 'i32[2,1] along 1', shape: [2, 1], axis: 1, dtype: 'i32' as const },
  ].map(({ name, shape, axis, dtype }) => ({
    name,
    attributes: { shape: shape.map((size) => constantDim(size)), axis, dtype },
    inputs: [],
  })),
});

const dimValue = defineOp<{ readonly dim: Dim; readonly dtype: DType }>({
  name: 'dim_value',
  doc: 'A size as a scalar; an f32 is exact up to 2^24.',
  operands: [],
  type: (_inputs, { dtype }) =>
    dtype === 'bool' ? 'has no meaning for bool' : [{ dtype, shape: [] }],
  gradient: noOperands,
  evaluate: ({ attributes, allocate, dim }) => {
    const data = allocate(attributes.dtype, 1);
    data[0] = dim(attributes.dim);
    return [{ dtype: attributes.dtype, shape: [], data }];
  },
  onnx: ({ onnx, attributes: { dim, dtype } }) => {
    const known = isConstant(dim);
    return [known === null ? cast(onnx, onnx.dim(dim), dtype) : onnx.scalar(known, dtype)];
  },
  wgsl: {
    kind: 'map',
    cost: 'free',
    element: ({ attributes: { dim, dtype }, code }) => [scalarOf(dtype, code.text(dim))],
  },
  cases: (['f32', 'i32', 'u32'] as const).map((dtype) => ({
    name: dtype,
    attributes: { dim: constantDim(12), dtype },
    inputs: [],
  })),
});

export const constantOps: readonly Op[] = [constant, iota, dimValue];

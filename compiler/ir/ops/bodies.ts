// What the operations with bodies share: whether a body fits its operands, and rows of tensors that run with a loop.

import type { Dim } from '../../dims/dim.ts';
import type { Graph, Port, TensorType } from '../graph.ts';
import type { DType, Tensor, TensorData } from '../tensor.ts';
import { sizeOf } from '../tensor.ts';
import { showType } from '../types.ts';
import { shapesClash } from './type-rules.ts';

export const counterType: TensorType = { dtype: 'i32', shape: [] };
export const flagType: TensorType = { dtype: 'bool', shape: [] };

/** What one step sees of a tensor whose first axis runs with the loop. */
export const rowType = ({ dtype, shape }: TensorType): TensorType => ({
  dtype,
  shape: shape.slice(1),
});

/** The rows of `count` steps, one after the other. */
export const stackType = ({ dtype, shape }: TensorType, count: Dim): TensorType => ({
  dtype,
  shape: [count, ...shape],
});

/** Null, or a sentence if the body's inputs are not of these types. */
export const bodyTakesOther = (body: Graph, types: readonly TensorType[]): string | null =>
  portsDiffer('takes', body.inputs, types);

/** Null, or a sentence if the body's outputs are not of these types; more may follow. */
export const bodyGivesOther = (body: Graph, types: readonly TensorType[]): string | null =>
  portsDiffer('gives', body.outputs.slice(0, types.length), types);

function portsDiffer(
  verb: string,
  ports: readonly Port[],
  types: readonly TensorType[],
): string | null {
  const fits =
    ports.length === types.length &&
    types.every(
      (type, i) =>
        ports[i].value.dtype === type.dtype && !shapesClash(ports[i].value.shape, type.shape),
    );
  return fits
    ? null
    : `its body ${verb} ${showTypes(ports.map(({ value }) => value))}, not ${showTypes(types)}`;
}

const showTypes = (types: readonly TensorType[]): string => `(${types.map(showType).join(', ')})`;

/** Row `t` of a tensor, without a copy: nothing writes into a tensor that is made. */
export function rowAt({ dtype, shape, data }: Tensor, t: number): Tensor {
  const row = shape.slice(1);
  const size = sizeOf(row);
  return { dtype, shape: row, data: data.subarray(t * size, (t + 1) * size) };
}

/** An integer scalar or, for a bool, 0 or 1. */
export function scalarTensor(
  allocate: (dtype: DType, size: number) => TensorData,
  dtype: DType,
  value: number,
): Tensor {
  const data = allocate(dtype, 1);
  data[0] = value;
  return { dtype, shape: [], data };
}

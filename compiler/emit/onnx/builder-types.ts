// What an op's ONNX lowering may use: appends ONNX nodes, constants and shape computations to the graph being
// written. An interface of its own, so that op records can name it; emit/onnx/builder.ts implements it.

import type onnxProto from 'onnx-proto';

import type { Dim } from '../../dims/dim.ts';
import type { DType, Tensor } from '../../ir/tensor.ts';

/** ONNX attribute values; integers stay integers by the attribute's own kind. */
export type OnnxAttribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'graph'; readonly value: onnxProto.onnx.IGraphProto };

export interface OnnxBuilder {
  /** Appends a node with one output and returns its name. An empty input name means "absent". */
  node(
    opType: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
  ): string;
  /** The same for nodes with several outputs. */
  nodes(
    opType: string,
    inputs: readonly string[],
    outputs: number,
    attributes?: Readonly<Record<string, OnnxAttribute>>,
  ): readonly string[];
  /** A constant tensor as initialiser; equal ones are shared. */
  constant(tensor: Tensor): string;
  /** A real (f32) or other scalar constant, shape []. */
  scalar(value: number, dtype?: DType): string;
  /** A 1-d int64 constant (axes, starts, ...). */
  int64s(values: readonly number[]): string;
  /** The shape as a 1-d int64 tensor: a constant when static, else computed from the inputs' sizes. */
  shape(dims: readonly Dim[]): string;
  /** One size as an int64 scalar of shape []. */
  dim(dim: Dim): string;
  /** The size if it does not depend on a free dimension, else null. */
  staticDim(dim: Dim): number | null;
  /** A call of a model-local function (made once by `define`), for long encodings such as Threefry. */
  call(
    name: string,
    inputs: readonly string[],
    outputs: number,
    define: (onnx: OnnxBuilder, inputs: readonly string[]) => readonly string[],
  ): readonly string[];
}

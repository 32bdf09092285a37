// Runs a graph whose input ports are x0, x1, ... on a list of tensors.

import { constant } from '../../compiler/dims/arithmetic.ts';
import { interpret } from '../../compiler/ir/interpret.ts';
import type { Graph, TensorType } from '../../compiler/ir/graph.ts';
import type { Precision, Tensor } from '../../compiler/ir/tensor.ts';

/** The type of a tensor of that shape. */
export const typeOf = ({ dtype, shape }: Pick<Tensor, 'dtype' | 'shape'>): TensorType => ({
  dtype,
  shape: shape.map((size) => constant(size)),
});

/** Tensors by the names of the input ports. */
export const feedsOf = (inputs: readonly Tensor[]): Readonly<Record<string, Tensor>> =>
  Object.fromEntries(inputs.map((x, i) => [`x${i}`, x]));

export const runInterpreter = (
  graph: Graph,
  inputs: readonly Tensor[],
  precision: Precision,
): Readonly<Record<string, Tensor>> => interpret(graph, feedsOf(inputs), { precision });

// Small models that the tests of passes, emitters and executors share, built as the elaborator builds them.

import { constant, dimOf, variable } from '../../compiler/dims/arithmetic.ts';
import type { Dim } from '../../compiler/dims/dim.ts';
import type { GraphBuilder } from '../../compiler/ir/builder.ts';
import { createBuilder } from '../../compiler/ir/builder.ts';
import type { Graph, Role, Value } from '../../compiler/ir/graph.ts';
import type { DType, Precision, Tensor } from '../../compiler/ir/tensor.ts';
import { sizeOf, tensor } from '../../compiler/ir/tensor.ts';

export const real = (shape: readonly Dim[]) => ({ dtype: 'f32' as const, shape });
export const sizes = (...values: readonly number[]): readonly Dim[] => values.map(constant);

/** A number generator from a fixed seed: uniform in -1 .. 1. */
export function generator(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

export function randomTensor(
  shape: readonly number[],
  next: () => number,
  dtype: DType = 'f32',
  precision: Precision = 'f64',
): Tensor {
  const values = Array.from({ length: sizeOf(shape) }, next);
  return tensor(
    dtype,
    shape,
    dtype === 'f32' ? values : values.map((v) => Math.floor(3 * Math.abs(v))),
    precision,
  );
}

export function relu(b: GraphBuilder, x: Value): Value {
  const zero = b.full(0, x.shape);
  return b.select(b.compare('gt', x, zero), x, zero);
}

/** `x W^T + b` on the last axis. */
export function dense(b: GraphBuilder, x: Value, w: Value, bias: Value): Value {
  const last = x.shape.length - 1;
  const product = b.dotGeneral(x, w, {
    lhsBatch: [],
    rhsBatch: [],
    lhsContracting: [last],
    rhsContracting: [1],
  });
  return b.add(product, b.broadcastInDim(bias, product.shape, [last]));
}

export interface Training {
  readonly graph: Graph;
  readonly parameters: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

/**
 * One step of plain gradient descent on the mean cross-entropy of a multilayer perceptron with `widths`, batch free:
 * inputs x [B, n], t [B, k] (one row a distribution) and the parameters; outputs loss and every parameter's next value.
 */
export function perceptronStep(widths: readonly number[], rate = 0.1): Training {
  const b = createBuilder();
  const batch = dimOf(variable('B'));
  const layers = widths
    .slice(1)
    .map((width, i) => ({ path: `net.l${i + 1}`, rows: width, columns: widths[i] }));
  const x = b.input('x', 'data', real([batch, constant(widths[0])]));
  const t = b.input('t', 'data', real([batch, constant(widths[widths.length - 1])]));
  const parameters = layers.flatMap(({ path, rows, columns }) => [
    { name: `${path}.W`, shape: [rows, columns] },
    { name: `${path}.b`, shape: [rows] },
  ]);
  const input = (name: string, role: Role, shape: readonly number[]): Value =>
    b.input(name, role, real(sizes(...shape)));
  const values = parameters.map(({ name, shape }) => input(name, 'parameter', shape));
  let h = x;
  layers.forEach(({ path }, i) => {
    h = b.at({ path, span: null }, () => {
      const y = dense(b, h, values[2 * i], values[2 * i + 1]);
      return i < layers.length - 1 ? relu(b, y) : y;
    });
  });
  const loss = b.at({ path: 'loss', span: null }, () => {
    const rows = b.reduce('add', b.multiply(t, b.logSoftmax(h, 1)), [0, 1]);
    return b.negate(b.divide(rows, b.dim(batch, 'f32')));
  });
  const gradients = b.gradient(loss, values);
  b.output('loss', 'loss', loss);
  parameters.forEach(({ name, shape }, i) => {
    const scaled = b.multiply(b.full(rate, sizes(...shape)), gradients[i]);
    b.output(`${name}.next`, 'parameter', b.subtract(values[i], scaled));
  });
  return { graph: b.graph('step'), parameters };
}

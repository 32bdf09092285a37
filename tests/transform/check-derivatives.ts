// Checks a loss's first and second derivatives against differences in float64, and that the optimised graph and ONNX Runtime
// give the same values.

import { expect } from 'vitest';

import { constant } from '../../compiler/dims/arithmetic.ts';
import type { Builder } from '../../compiler/ir/builder-types.ts';
import { createBuilder } from '../../compiler/ir/builder.ts';
import type { Graph, TensorType, Value } from '../../compiler/ir/graph.ts';
import { range } from '../../compiler/ir/shape-arithmetic.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { verify } from '../../compiler/ir/verify.ts';
import { removeDeadCode } from '../../compiler/transform/dead-code.ts';
import { differentiate } from '../../compiler/transform/differentiate.ts';
import { optimise } from '../../compiler/transform/passes.ts';
import { expectClose } from '../ir/expect-close.ts';
import { runInterpreter } from '../ir/run-graph.ts';
import { runOnnx } from '../ir/run-onnx.ts';

export type Loss = (b: Builder, xs: readonly Value[]) => Value;

const real = (...shape: number[]): TensorType => ({
  dtype: 'f32',
  shape: shape.map((size) => constant(size)),
});

export const sum = (b: Builder, x: Value): Value => b.reduce('add', x, range(x.shape.length));

/** Outputs: the loss, its gradients g0.., and the gradients h0.. of `along`, the sum of g * v for a fixed v. */
export function derivativesOf(types: readonly TensorType[], loss: Loss): Graph {
  const b = createBuilder();
  const xs = types.map((type, i) => b.variable(b.input(`x${i}`, 'data', type)));
  const y = loss(b, xs);
  b.output('y', 'result', y);
  const gradients = b.gradient(y, xs);
  gradients.forEach((g, i) => b.output(`g${i}`, 'result', g));
  const along = gradients.map((g) => sum(b, b.multiply(g, direction(b, g))));
  const total = along.reduce((p, q) => b.add(p, q));
  b.output('along', 'result', total);
  b.gradient(total, xs).forEach((h, i) => b.output(`h${i}`, 'result', h));
  return b.graph('derivatives');
}

function direction(b: Builder, x: Value): Value {
  const ramp = x.shape.map((_, axis) => b.iota(x.shape, axis, 'f32'));
  const one = b.full(1, x.shape);
  return b.multiply(
    b.full(0.1, x.shape),
    [...ramp, one].reduce((p, q) => b.add(p, q)),
  );
}

const bump = (x: Tensor, at: number, by: number): Tensor => ({
  ...x,
  data: Float64Array.from(x.data, (value, i) => (i === at ? value + by : value)),
});

/** d output / d xs by central differences. */
function differences(graph: Graph, xs: readonly Tensor[], output: string): Tensor[] {
  const step = 1e-5;
  const outputs = graph.outputs.filter(({ name }) => name === output);
  const alone = removeDeadCode({ ...graph, outputs });
  const at = (inputs: readonly Tensor[]): number =>
    runInterpreter(alone, inputs, 'f64')[output].data[0];
  return xs.map((x, k) => {
    const slopes = Array.from(x.data, (_, i) => {
      const moved = (by: number): number =>
        at(xs.map((other, j) => (j === k ? bump(x, i, by) : other)));
      return (moved(step) - moved(-step)) / (2 * step);
    });
    return tensor('f32', x.shape, slopes, 'f64');
  });
}

/** Small numbers off 0, a different one each. */
const numbers = (shape: readonly number[], seed: number): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = Array.from({ length: size }, (_, i) => 0.8 * Math.sin(1.7 * i + seed) + 0.1);
  return tensor('f32', shape, values, 'f64');
};

interface CheckOptions {
  readonly xs?: readonly Tensor[];
  /** How close derivatives and differences must be; that of the second is ten times this. */
  readonly accuracy?: number;
}

interface Checked {
  readonly optimised: Graph;
  readonly results: Readonly<Record<string, Tensor>>;
}

export async function check(
  shapes: readonly (readonly number[])[],
  loss: Loss,
  { xs = shapes.map(numbers), accuracy = 1e-7 }: CheckOptions = {},
): Promise<Checked> {
  const types = shapes.map((shape) => real(...shape));
  const marked = derivativesOf(types, loss);
  const plain = differentiate(marked);
  expect(verify(plain)).toEqual([]);
  const results = runInterpreter(plain, xs, 'f64');
  differences(plain, xs, 'y').forEach((g, i) =>
    expectClose(results[`g${i}`], g, accuracy, `g${i}`),
  );
  differences(plain, xs, 'along').forEach((h, i) =>
    expectClose(results[`h${i}`], h, 10 * accuracy, `h${i}`),
  );
  const optimised = optimise(marked, (pass, graph) => expect(verify(graph), pass).toEqual([]));
  const same = runInterpreter(optimised, xs, 'f64');
  const onnx = await runOnnx(optimised, xs);
  for (const [name, value] of Object.entries(results)) {
    expectClose(same[name], value, 1e-9, `optimised ${name}`);
    expectClose(onnx[name], value, 1e-4, `ONNX ${name}`);
  }
  return { optimised, results };
}

// Derivatives through loops of a free number of steps, over batches of a free size: one graph for all sizes, on ONNX Runtime natively
// and in WebAssembly.

import { InferenceSession, Tensor as WebTensor } from 'onnxruntime-web';
import { expect, it } from 'vitest';

import { constant, dimOf, variable } from '../../compiler/dims/arithmetic.ts';
import { createBuilder } from '../../compiler/ir/builder.ts';
import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { verify } from '../../compiler/ir/verify.ts';
import { optimise } from '../../compiler/transform/passes.ts';
import { expectClose } from '../ir/expect-close.ts';
import { runInterpreter } from '../ir/run-graph.ts';
import { runOnnx } from '../ir/run-onnx.ts';
import { sum } from './check-derivatives.ts';

/** h <- tanh(x[:, t] W + h U): the loss, and its derivatives by x, W and U. */
function recurrent(): Graph {
  const [B, T] = [dimOf(variable('B')), dimOf(variable('T'))];
  const b = createBuilder();
  const real = (...shape: (typeof B)[]) => ({ dtype: 'f32' as const, shape });
  const [n, h] = [constant(3), constant(4)];
  const x = b.variable(b.input('x0', 'data', real(B, T, n)));
  const W = b.variable(b.input('x1', 'data', real(n, h)));
  const U = b.variable(b.input('x2', 'data', real(h, h)));
  const matmul = { lhsBatch: [], rhsBatch: [], lhsContracting: [1], rhsContracting: [0] };
  const { ys } = b.scan(T, [b.full(0, [B, h])], [], (c, t, [s]) => {
    const row = c.take(x, t, 1);
    const next = c.unary('tanh', c.add(c.dotGeneral(row, W, matmul), c.dotGeneral(s, U, matmul)));
    return { carries: [next], ys: [next] };
  });
  const loss = sum(b, b.multiply(ys[0], ys[0]));
  b.output('loss', 'loss', loss);
  b.gradient(loss, [x, W, U]).forEach((g, i) => b.output(`g${i}`, 'result', g));
  return optimise(b.graph('recurrent'));
}

const numbers = (...shape: readonly number[]) => {
  const size = shape.reduce((p, q) => p * q, 1);
  return tensor(
    'f32',
    shape,
    Array.from({ length: size }, (_, i) => Math.sin(1.3 * i + size)),
  );
};

const graph = recurrent();
const inputsFor = (batch: number, steps: number) => [
  numbers(batch, steps, 3),
  numbers(3, 4),
  numbers(4, 4),
];

it.each([
  [1, 1],
  [2, 5],
  [7, 3],
])('B = %i, T = %i', async (batch, steps) => {
  expect(verify(graph)).toEqual([]);
  const inputs = inputsFor(batch, steps);
  const exact = runInterpreter(graph, inputs, 'f64');
  const onnx = await runOnnx(graph, inputs);
  for (const [name, value] of Object.entries(exact))
    expectClose(onnx[name], value, 1e-5, `${name} in ONNX`);
  const step = 1e-6;
  const lossAt = (by: number): number => {
    const [x, ...weights] = inputs;
    const data = Float64Array.from(x.data, (value, i) => value + by * Math.cos(i));
    return runInterpreter(graph, [{ ...x, data }, ...weights], 'f64')['loss'].data[0];
  };
  const slope = (lossAt(step) - lossAt(-step)) / (2 * step);
  const along = Array.from(exact['g0'].data, (g, i) => g * Math.cos(i)).reduce((p, q) => p + q, 0);
  expect(along).toBeCloseTo(slope, 6);
});

it('runs in onnxruntime-web', async () => {
  const inputs = inputsFor(2, 4);
  const session = await InferenceSession.create(emitOnnx(graph), { executionProviders: ['wasm'] });
  const feeds = inputs.map(({ data, shape }, i) => [
    `x${i}`,
    new WebTensor('float32', Float32Array.from(data), shape),
  ]);
  const results = await session.run(Object.fromEntries(feeds));
  for (const [name, value] of Object.entries(runInterpreter(graph, inputs, 'f64'))) {
    const { data, dims } = results[name];
    expectClose(tensor('f32', dims, data as Float32Array), value, 1e-5, name);
  }
  await session.release();
});

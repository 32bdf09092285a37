// First values, running statistics and the `training` flag, through a program's graphs.

import { describe, expect, test } from 'vitest';

import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { expectClose } from '../ir/expect-close.ts';
import { randomTensor, vector } from './arithmetic.ts';
import { compiledWithLibrary, functionOf, trainOf } from './compile.ts';
import { descend } from './descend.ts';
import { everywhere, interpreter, onnxRuntime } from './executors.ts';

const firstValues = (declarations: string, seed: number) =>
  interpreter.run(compiledWithLibrary(declarations).init, { seed: tensor('u32', [], [seed]) });

/** Mean and standard deviation. */
function spread({ data }: Tensor): { readonly mean: number; readonly deviation: number } {
  const values = Array.from(data);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) };
}

describe('first values', () => {
  test('keep the variance of a signal, and biases are 0', async () => {
    const first = await firstValues(
      'layer net = Dense(200, 150)\nlayer conv = Conv2d(16, 32, 5, groups = 2)',
      1,
    );
    const dense = spread(first['net.W']);
    expect(first['net.W'].shape).toEqual([150, 200]);
    expect(dense.mean / Math.sqrt(2 / 200)).toBeCloseTo(0, 1);
    expect(dense.deviation / Math.sqrt(2 / 200)).toBeCloseTo(1, 1);
    const conv = spread(first['conv.K']);
    expect(first['conv.K'].shape).toEqual([32, 8, 5, 5]);
    expect(conv.deviation / Math.sqrt(2 / (8 * 25))).toBeCloseTo(1, 1);
    expect(new Set([...first['net.b'].data, ...first['conv.b'].data])).toEqual(new Set([0]));
  });

  test('have the spread that each initialiser names', async () => {
    const first = await firstValues(
      `model Wide(n: dim, m: dim) {
        param L: [m, n] ~ normal(0, lecun(n))
        param G: [m, n] ~ normal(1, glorot(n, m))
        param U: [m, n] ~ uniform(-glorot_bound(n, m), glorot_bound(n, m))
      }
      layer net = Wide(200, 100)`,
      2,
    );
    expect(spread(first['net.L']).deviation * Math.sqrt(200)).toBeCloseTo(1, 1);
    expect(spread(first['net.G']).deviation * Math.sqrt(150)).toBeCloseTo(1, 1);
    expect(spread(first['net.G']).mean).toBeCloseTo(1, 2);
    expect(spread(first['net.U']).deviation * Math.sqrt(150)).toBeCloseTo(1, 1);
    const bound = Math.sqrt(6 / 300);
    const largest = Math.max(...first['net.U'].data);
    const smallest = Math.min(...first['net.U'].data);
    expect(largest).toBeLessThan(bound);
    expect(smallest).toBeGreaterThanOrEqual(-bound);
    expect(largest - smallest).toBeGreaterThan(1.99 * bound);
  });

  test('of normalisations are the identity', async () => {
    const first = await firstValues('layer net = BatchNorm(3)', 1);
    const values = Object.entries(first).map(([name, { data }]) => [name, ...data]);
    expect(values.sort()).toEqual([
      ['net.beta', 0, 0, 0],
      ['net.gamma', 1, 1, 1],
      ['net.mu', 0, 0, 0],
      ['net.var', 1, 1, 1],
    ]);
  });

  test('depend on the seed and the path alone', async () => {
    const one = await firstValues('layer a = Dense(3, 4)', 5);
    const two = await firstValues('layer b = Dense(3, 4)\nlayer a = Dense(3, 4)', 5);
    const other = await firstValues('layer a = Dense(3, 4)', 6);
    expect(two['a.W'].data).toEqual(one['a.W'].data);
    expect(two['b.W'].data).not.toEqual(one['a.W'].data);
    expect(other['a.W'].data).not.toEqual(one['a.W'].data);
  });

  test('are the same in ONNX Runtime', async () => {
    const { init } = compiledWithLibrary('layer net = TransformerBlock(8, 2, 16)');
    const seed = { seed: tensor('u32', [], [9]) };
    const [expected, actual] = [
      await interpreter.run(init, seed),
      await onnxRuntime.run(init, seed),
    ];
    for (const [name, value] of Object.entries(expected))
      expectClose(actual[name], value, 1e-6, name);
  });
});

describe.each(everywhere)('batch norm in $name', (executor) => {
  const program = compiledWithLibrary(`
    layer net = BatchNorm(2)
    train fit(x: [B, 2]) { minimize mean(net(x)^2) over net using SGD(0) }
    export fn f(x: [B, 2]) -> y: [B, 2] = net(x)
  `);
  const train = trainOf(program);
  const x = randomTensor(1, [5, 2], 3);

  test('averages statistics over steps, and infers with them', async () => {
    const seed = tensor('u32', [], [1]);
    const { state } = await descend(
      executor,
      train.step,
      await executor.run(train.init, { seed }),
      { x },
      3,
    );
    const columns = [0, 1].map((c) => vector(Array.from(x.data).filter((_, i) => i % 2 === c)));
    const batch = columns.map(spread);
    const kept = 0.9 ** 3;
    const mu = batch.map(({ mean }) => (1 - kept) * mean);
    const unbiased = batch.map(({ deviation }) => (deviation ** 2 * 5) / 4);
    const variance = unbiased.map((v) => kept + (1 - kept) * v);
    expectClose(state['net.mu'], vector(mu), executor.tolerance, 'mu');
    expectClose(state['net.var'], vector(variance), executor.tolerance, 'var');
    const query = randomTensor(2, [3, 2]);
    const { y } = await executor.run(functionOf(program, 'f').graph, { ...state, x: query });
    const expected = Array.from(
      query.data,
      (v, i) => (v - mu[i % 2]) / Math.sqrt(variance[i % 2] + 1e-5),
    );
    expectClose(y, tensor('f32', [3, 2], expected, 'f64'), executor.tolerance, 'y');
  });

  test('a batch of one row leaves statistics finite', async () => {
    const seed = tensor('u32', [], [1]);
    const row = tensor('f32', [1, 2], [3, -4], 'f64');
    const first = await executor.run(train.init, { seed });
    const { losses, state } = await descend(executor, train.step, first, { x: row }, 1);
    expect(losses).toEqual([0]);
    expectClose(state['net.mu'], vector([0.3, -0.4]), executor.tolerance, 'mu');
    expectClose(state['net.var'], vector([0.9, 0.9]), executor.tolerance, 'var');
  });

  test('evaluation uses the running statistics and changes none', async () => {
    const feeds = { x, 'net.gamma': vector([1, 1]), 'net.beta': vector([0, 0]) };
    const states = { 'net.mu': vector([0, 0]), 'net.var': vector([1, 1]) };
    const outputs = await executor.run(train.evaluate, { ...feeds, ...states });
    const plain = Array.from(x.data).reduce((sum, v) => sum + v ** 2 / (1 + 1e-5), 0) / 10;
    expect(Object.keys(outputs)).toEqual(['loss']);
    expectClose(outputs.loss, tensor('f32', [], [plain], 'f64'), executor.tolerance, 'loss');
  });
});

test('`training` holds in the step only', async () => {
  const program = compiledWithLibrary(`
    model Scaled() {
      param w: real = 3
      fn (x: [B]) -> y: [B] {
        if training { f = 1 } else { f = 10 }
        y = f * w * x
      }
    }
    layer net = Scaled()
    train fit(x: [B]) { minimize mean(net(x)) over net using SGD(1) }
    export fn f(x: [B]) -> y: [B] = net(x)
  `);
  const { step, evaluate } = trainOf(program);
  const feeds = {
    x: vector([1, 3]),
    'net.w': tensor('f32', [], [3]),
    step: tensor('i32', [], [0]),
  };
  expect((await interpreter.run(step, feeds)).loss.data[0]).toBe(6);
  expect((await interpreter.run(step, feeds))['net.w.next'].data[0]).toBe(1);
  expect((await interpreter.run(evaluate, feeds)).loss.data[0]).toBe(60);
  const answer = await interpreter.run(functionOf(program, 'f').graph, feeds);
  expect(Array.from(answer.y.data)).toEqual([30, 90]);
});

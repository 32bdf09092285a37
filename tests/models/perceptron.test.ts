// The perceptron's own rule: against the same loop in JavaScript, and within Novikoff's bound on separable data.

import { describe, expect, test } from 'vitest';

import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { compiledWithLibrary, functionOf, trainOf } from './compile.ts';
import { everywhere, type Executor } from './executors.ts';
import { randomTensor } from './arithmetic.ts';

type Tensors = Readonly<Record<string, Tensor>>;

const program = compiledWithLibrary(`
layer net = Perceptron(2)
train rosenblatt(x: [B, 2], y: [B]) {
  mistakes = net.learn(x, y)
  report mistakes = mistakes
}
export fn classify(x: [B, 2]) -> y: [B] = net(x)
`);

/** Points at least `margin` from the line w x + b = 0, and their sides. */
function separable(seed: number, w: readonly number[], b: number, margin: number) {
  const points = Array.from(randomTensor(seed, [400]).data);
  const length = Math.hypot(...w);
  const rows = Array.from({ length: 200 }, (_, i) => points.slice(2 * i, 2 * i + 2)).filter(
    ([p, q]) => Math.abs(w[0] * p + w[1] * q + b) / length > margin,
  );
  const y = rows.map(([p, q]) => (w[0] * p + w[1] * q + b > 0 ? 1 : 0));
  return { rows, y };
}

const start: Tensors = {
  'net.w': tensor('f32', [2], [0, 0]),
  'net.b': tensor('f32', [], [0]),
};

async function pass(executor: Executor, at: Tensors, data: Tensors) {
  const feeds = { ...at, ...data, step: tensor('i32', [], [0]) };
  const outputs = await executor.run(trainOf(program).step, feeds);
  return {
    mistakes: outputs.mistakes.data[0],
    state: Object.fromEntries(Object.keys(at).map((path) => [path, outputs[`${path}.next`]])),
  };
}

describe.each<Executor>(everywhere)('in $name', (executor) => {
  test.each([
    [11, [1, 2], 0.3, 0.1],
    [12, [-3, 1], 0, 0.05],
    [13, [0.2, -1], -0.1, 0.02],
  ] as const)('separable data, seed %d: learnt, within the bound', async (seed, w, b, margin) => {
    const { rows, y } = separable(seed, w, b, margin);
    const data = {
      x: tensor('f32', [rows.length, 2], rows.flat(), 'f64'),
      y: tensor('f32', [rows.length], y),
    };
    let state = start;
    let total = 0;
    const [u, c] = [[0, 0], [0]];
    for (let n = 0; n < 500; n++) {
      const { mistakes, state: next } = await pass(executor, state, data);
      let expected = 0;
      rows.forEach((row, i) => {
        const d = y[i] - (u[0] * row[0] + u[1] * row[1] + c[0] > 0 ? 1 : 0);
        u.forEach((v, k) => (u[k] = v + d * row[k]));
        c[0] += d;
        expected += Math.abs(d);
      });
      if (executor.tolerance < 1e-8) expect(mistakes).toBe(expected);
      total += mistakes;
      state = next;
      if (mistakes === 0) break;
    }
    // In the space of (x, 1): the line's own margin there, and the longest example.
    const norm = Math.hypot(...w, b);
    const gap = Math.min(...rows.map(([p, q]) => Math.abs(w[0] * p + w[1] * q + b) / norm));
    const radius = Math.max(...rows.map((row) => Math.hypot(...row, 1)));
    expect(total).toBeGreaterThan(0);
    expect(total).toBeLessThanOrEqual((radius / gap) ** 2);
    const { graph } = functionOf(program, 'classify');
    const classes = (await executor.run(graph, { ...state, x: data.x })).y;
    expect(Array.from(classes.data)).toEqual(y);
  });

  test('data that no line separates are never learnt', async () => {
    const data = {
      x: tensor('f32', [4, 2], [0, 0, 0, 1, 1, 0, 1, 1]),
      y: tensor('f32', [4], [0, 1, 1, 0]),
    };
    let state = start;
    for (let n = 0; n < 30; n++) {
      const made = await pass(executor, state, data);
      expect(made.mistakes).toBeGreaterThan(0);
      state = made.state;
    }
  });
});

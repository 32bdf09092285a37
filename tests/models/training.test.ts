// The forms of train blocks: blocks that repeat, clipping, gradients gathered over several steps, rates that vary. Each against
// the same steps written out, in the interpreter and in ONNX Runtime.

import { describe, expect, test } from 'vitest';

import type { CompiledTrain } from '../../compiler/program.ts';
import { sizeOf, tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { expectClose } from '../ir/expect-close.ts';
import { randomTensor } from './arithmetic.ts';
import { compiledWithLibrary, trainOf } from './compile.ts';
import { everywhere, interpreter, type Executor } from './executors.ts';

type Tensors = Readonly<Record<string, Tensor>>;

const seed = tensor('u32', [], [3]);
const x = randomTensor(1, [8, 3]);
const y = randomTensor(2, [8, 2]);
const data = { x, y };

/** A train block on x and y whose steps are `steps`; the layers are called `net` and `other`. */
const block = (steps: string): CompiledTrain =>
  trainOf(
    compiledWithLibrary(`
      layer net = MLP(3, 4, 2, tanh)
      layer other = Dense(3, 2)
      train t(x: [B, 3], y: [B, 2]) { ${steps} }
    `),
  );

/** What is fed back after `count` steps of a block, and the outputs of each; `feeds` may differ from step to step. */
async function advance(
  executor: Executor,
  train: CompiledTrain,
  count: number,
  feeds: (i: number) => Tensors = () => data,
): Promise<{ readonly state: Tensors; readonly outputs: readonly Tensors[] }> {
  let state = await interpreter.run(train.init, { seed });
  const outputs: Tensors[] = [];
  for (let i = 0; i < count; i++) {
    const made = await executor.run(train.step, { ...state, ...feeds(i), seed });
    outputs.push(made);
    state = Object.fromEntries(Object.keys(state).map((name) => [name, made[`${name}.next`]]));
  }
  return { state, outputs };
}

/** Whether the parameters of both are the same. */
function expectSameParameters(actual: Tensors, expected: Tensors, tolerance: number): void {
  const paths = Object.keys(expected).filter((path) => /^(net|other)\.([^.]*\.)?[Wb]$/.test(path));
  expect(paths.length).toBeGreaterThan(1);
  for (const path of paths) expectClose(actual[path], expected[path], tolerance, path);
}

const rows = (t: Tensor, from: number, to: number): Tensor => {
  const width = sizeOf(t.shape.slice(1));
  const part = Array.from(t.data).slice(from * width, to * width);
  return tensor(t.dtype, [to - from, ...t.shape.slice(1)], part, 'f64');
};

const minimize = 'minimize mse(net(x), y) over net using';

describe.each<Executor>(everywhere)('in $name', (executor) => {
  const { tolerance } = executor;

  test('`repeat 3` is three steps, of the optimiser too', async () => {
    const repeated = await advance(executor, block(`repeat 3 { ${minimize} Adam(0.1) }`), 2);
    const plain = await advance(executor, block(`${minimize} Adam(0.1)`), 6);
    expectSameParameters(repeated.state, plain.state, tolerance);
    const losses = plain.outputs.map(({ loss }) => loss.data[0]);
    const mean = (losses[3] + losses[4] + losses[5]) / 3;
    expect(repeated.outputs[1].loss.data[0]).toBeCloseTo(mean, 5);
  });

  test('many runs are a loop, which does the same', async () => {
    const steps = `
      z: [B, 2] ~ normal(0, 0.1)
      minimize mse(net(x) + z, y) over net using Adam(0.05) clip 1 accumulate 2
      every 2 { minimize mse(other(x), net(x)) over other using SGD(0.1, momentum = 0.9) }
      seen <- seen + 1
      report runs = seen
    `;
    const loop = block(`state seen: real = 0 repeat 10 { ${steps} }`);
    const plain = block(`state seen: real = 0 repeat 1 { ${steps} }`);
    expect(loop.step.nodes.filter(({ op }) => op === 'scan')).toHaveLength(1);
    const looped = await advance(executor, loop, 2);
    const single = await advance(executor, plain, 20);
    expectSameParameters(looped.state, single.state, 10 * tolerance);
    expect(looped.state.seen.data[0]).toBe(20);
    expect(looped.outputs[1].runs.data[0]).toBeCloseTo((11 + 20) / 2, 5);
    for (const name of ['loss1', 'loss2']) {
      const losses = single.outputs.slice(10).map((o) => o[name].data[0]);
      const mean = losses.reduce((p, q) => p + q, 0) / 10;
      expect(looped.outputs[1][name].data[0]).toBeCloseTo(mean, 4);
    }
  });

  test('`every 3` moves with each third step, and shows its loss always', async () => {
    const seldom = block(`every 3 { ${minimize} Adam(0.1) }`);
    const plain = block(`${minimize} Adam(0.1)`);
    const { state, outputs } = await advance(executor, seldom, 8);
    expectSameParameters(state, (await advance(executor, plain, 2)).state, tolerance);
    const losses = outputs.map(({ loss }) => loss.data[0]);
    expect(losses[1]).toBe(losses[0]);
    expect(losses[2]).toBe(losses[0]);
    expect(losses[3]).toBeLessThan(losses[0]);
    expect(losses[5]).toBe(losses[3]);
    expect(losses[6]).toBeLessThan(losses[3]);
  });

  test('blocks in blocks count their own runs', async () => {
    // Run 4 of the inner block in step 2, runs 8 and 12 in steps 4 and 6.
    const nested = block(`every 2 { repeat 3 { every 4 { ${minimize} Adam(0.1) } } }`);
    const plain = block(`${minimize} Adam(0.1)`);
    for (const [steps, moves] of [
      [2, 0],
      [4, 1],
      [6, 2],
      [8, 3],
    ]) {
      const { state } = await advance(executor, nested, steps);
      expectSameParameters(state, (await advance(executor, plain, moves)).state, tolerance);
    }
  });

  test('`clip` limits the norm of all gradients of one step together', async () => {
    const { state: first } = await advance(executor, block(`${minimize} SGD(1)`), 0);
    const move = async (clip: string): Promise<number[]> => {
      const { state } = await advance(executor, block(`${minimize} SGD(1) ${clip}`), 1);
      return Object.keys(first)
        .filter((path) => path.startsWith('net.'))
        .flatMap((path) => Array.from(state[path].data, (v, i) => first[path].data[i] - v));
    };
    const gradient = await move('');
    const norm = Math.hypot(...gradient);
    expect(norm).toBeGreaterThan(0.2);
    const clipped = await move('clip 0.1');
    expect(Math.hypot(...clipped)).toBeCloseTo(0.1, 5);
    clipped.forEach((v, i) => expect(v).toBeCloseTo((gradient[i] * 0.1) / norm, 5));
    const free = await move('clip 100');
    free.forEach((v, i) => expect(v).toBeCloseTo(gradient[i], 5));
  });

  test('`accumulate 4` over quarters of a batch is one step on all of it', async () => {
    const four = block(`${minimize} Adam(0.1) clip 0.2 accumulate 4`);
    const one = block(`${minimize} Adam(0.1) clip 0.2`);
    const quarter = (i: number): Tensors => {
      const from = (i % 4) * 2;
      return { x: rows(x, from, from + 2), y: rows(y, from, from + 2) };
    };
    const { state, outputs } = await advance(executor, four, 9, quarter);
    expectSameParameters(state, (await advance(executor, one, 2)).state, 10 * tolerance);
    // Between its moves nothing changes but the sums.
    expect(outputs[1]['net.l1.W.next'].data).toEqual(outputs[0]['net.l1.W.next'].data);
    expect(outputs[2]['net.l1.W.accumulated.next'].data.some((v) => v !== 0)).toBe(true);
    expect(outputs[3]['net.l1.W.accumulated.next'].data.every((v) => v === 0)).toBe(true);
  });

  test('a rate may depend on the step', async () => {
    const rates = async (rate: string, count: number): Promise<number[]> => {
      const train = block(`minimize sum(other.b) over other using SGD(${rate})`);
      const { outputs } = await advance(executor, train, count);
      const values = outputs.map((o) => o['other.b.next'].data[0]);
      return values.map((v, i) => (values[i - 1] ?? 0) - v);
    };
    const expected: Readonly<Record<string, (n: number) => number>> = {
      'warm_up(0.5, step, 3)': (n) => Math.min(0.5, (0.5 * n) / 3),
      'cosine(1, step, 6, warm = 2, floor = 0.1)': (n) =>
        n <= 2 ? n / 2 : 0.1 + 0.45 * (1 + Math.cos((Math.PI * Math.min(n - 2, 4)) / 4)),
      'step_decay(1, step, 3, 0.5)': (n) => 0.5 ** Math.floor((n - 1) / 3),
      'exponential_decay(1, step, 3, 0.5)': (n) => 0.5 ** ((n - 1) / 3),
      '1 / step': (n) => 1 / n,
    };
    for (const [rate, of] of Object.entries(expected))
      (await rates(rate, 8)).forEach((v, i) => expect(v, `${rate} ${i}`).toBeCloseTo(of(i + 1), 5));
  });

  test('the runs of `repeat` draw anew, and so does each step', async () => {
    const drawn = async (times: number, steps: number): Promise<number[]> => {
      const text = `repeat ${times} { z: [B] ~ normal(0, 1) report z = z[0] }`;
      const { outputs } = await advance(executor, block(text), steps);
      return outputs.map(({ z }) => z.data[0]);
    };
    const single = await drawn(1, 4);
    expect(new Set(single).size).toBe(4);
    // Run 2 of step 1 is run 3 of all.
    const [a, b, c, d] = single;
    const [first, second] = await drawn(2, 2);
    expect(first).toBeCloseTo((a + b) / 2, 6);
    expect(second).toBeCloseTo((c + d) / 2, 6);
  });

  test('draws of a block have names of their own', async () => {
    const train = block(`
      z: [100] ~ normal(0, 1)
      report outside = z[0]
      repeat 1 { z: [100] ~ normal(0, 1) report inside = z[0] }
      repeat 1 { z: [100] ~ normal(0, 1) report second = z[0] }
      every 1 { z: [100] ~ normal(0, 1) report third = z[0] }
    `);
    const [{ outside, inside, second, third }] = (await advance(executor, train, 1)).outputs;
    expect(new Set([outside, inside, second, third].map((t) => t.data[0])).size).toBe(4);
  });

  test('steps see what the steps before them changed, whichever model and optimiser', async () => {
    const both = block(`
      repeat 2 { minimize mse(net(x), y) over net using Adam(0.1) clip 1 }
      minimize mse(other(x), net(x)) over other using SGD(0.1, momentum = 0.9)
      report size = sum(other.b^2)
    `);
    const { state, outputs } = await advance(executor, both, 2);
    // By hand, each alone.
    const nets = await advance(executor, block(`${minimize} Adam(0.1) clip 1`), 4);
    expectSameParameters({ ...state, ...pick(nets.state, 'net.') }, { ...state }, tolerance);
    const follow = block(`minimize mse(other(x), y) over other using SGD(0.1, momentum = 0.9)`);
    const forward = async (after: number): Promise<Tensor> => {
      const { state: at } = await advance(executor, block(`${minimize} Adam(0.1) clip 1`), after);
      const made = compiledWithLibrary(
        'layer net = MLP(3, 4, 2, tanh)\nexport fn f(x: [B, 3]) -> y: [B, 2] = net(x)',
      );
      return (await executor.run(made.functions[0].graph, { ...at, x })).y;
    };
    const targets = [await forward(2), await forward(4)];
    const others = await advance(executor, follow, 2, (i) => ({ x, y: targets[i] }));
    for (const path of ['other.W', 'other.b'])
      expectClose(state[path], others.state[path], 10 * tolerance, path);
    const size = Array.from(state['other.b'].data).reduce((s, v) => s + v * v, 0);
    expect(outputs[1].size.data[0]).toBeCloseTo(size, 5);
  });
});

const pick = (tensors: Tensors, prefix: string): Tensors =>
  Object.fromEntries(Object.entries(tensors).filter(([path]) => path.startsWith(prefix)));

test('on other data a block runs once and learns nothing', async () => {
  const train = block(`
    repeat 5 { ${minimize} Adam(0.1) accumulate 2 }
    every 7 { report s = sum(y) * step }
  `);
  const { state } = await advance(interpreter, train, 2);
  const { loss, s } = await interpreter.run(train.evaluate, {
    ...pick(state, 'net.'),
    ...data,
    step: state.step,
  });
  const again = await advance(interpreter, block(`${minimize} SGD(0)`), 1, () => data);
  expect(loss.data[0]).toBeLessThan(again.outputs[0].loss.data[0]);
  expect(s.data[0]).toBeCloseTo(2 * Array.from(y.data).reduce((a, b) => a + b, 0), 10);
  expect(train.evaluate.inputs.map(({ role }) => role)).not.toContain('optimizer');
});

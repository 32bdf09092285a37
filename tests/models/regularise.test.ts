// Penalties and priors, residual layers, random changes of images: closed forms and invariants.

import { describe, expect, test } from 'vitest';

import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { randomTensor } from './arithmetic.ts';
import { compiledWithLibrary, functionOf, trainOf } from './compile.ts';
import { everywhere, interpreter } from './executors.ts';

type Tensors = Readonly<Record<string, Tensor>>;

const counter = tensor('i32', [], [0]);
const seed = tensor('u32', [], [9]);
const weights: Tensors = {
  'net.W': tensor('f32', [2, 3], [0.5, -1, 2, 0.25, -0.75, 1], 'f64'),
  'net.b': tensor('f32', [2], [-0.5, 1.5], 'f64'),
};

describe.each(everywhere)('penalties in $name', ({ run }) => {
  /** How one step of SGD(0.5) on a loss of the parameters alone changes the weights, and the loss. */
  async function step(loss: string): Promise<{ readonly moved: number[]; readonly loss: number }> {
    const { step: graph } = trainOf(
      compiledWithLibrary(`layer net = Dense(3, 2)
        train t(x: [B, 3]) { minimize ${loss} over net using SGD(0.5) }`),
    );
    const outputs = await run(graph, { ...weights, x: randomTensor(1, [1, 3]), step: counter });
    const moved = Object.entries(weights).flatMap(([path, { data }]) =>
      Array.from(outputs[`${path}.next`].data, (v, i) => v - data[i]),
    );
    return { moved, loss: outputs.loss.data[0] };
  }
  const all = Object.values(weights).flatMap(({ data }) => Array.from(data));
  const close = (actual: readonly number[], expected: readonly number[]): void =>
    actual.forEach((v, i) => expect(v).toBeCloseTo(expected[i], 6));

  test('L2 shrinks every weight by the same factor', async () => {
    const { moved, loss } = await step('0.1 * sum(l2_penalty(params(net)))');
    close(
      moved,
      all.map((w) => -0.05 * w),
    );
    expect(loss).toBeCloseTo(0.05 * all.reduce((s, w) => s + w * w, 0), 5);
  });

  test('L1 moves every weight by the same amount', async () => {
    const { moved, loss } = await step('0.1 * sum(l1_penalty(params(net)))');
    close(
      moved,
      all.map((w) => -0.05 * Math.sign(w)),
    );
    expect(loss).toBeCloseTo(0.1 * all.reduce((s, w) => s + Math.abs(w), 0), 5);
  });

  test('priors are minus the logarithm of their densities', async () => {
    const gauss = (w: number): number => Math.exp(-(w ** 2) / 8) / (2 * Math.sqrt(2 * Math.PI));
    const laplace = (w: number): number => Math.exp(-Math.abs(w) / 2) / 4;
    const expected = (density: (w: number) => number): number =>
      all.reduce((s, w) => s - Math.log(density(w)), 0);
    expect((await step('sum(gaussian_prior(params(net), 2))')).loss).toBeCloseTo(
      expected(gauss),
      4,
    );
    expect((await step('sum(laplace_prior(params(net), 2))')).loss).toBeCloseTo(
      expected(laplace),
      4,
    );
  });
});

test('MAP of a linear model with a Gaussian prior is ridge regression', async () => {
  // y = w x + noise of variance 1/4, prior N(0, 1/9): w = sum(x y) / (sum(x^2) + 9 / 4).
  const [x, y] = [randomTensor(2, [12, 1]), randomTensor(3, [12, 1])];
  const { step: graph } = trainOf(
    compiledWithLibrary(`
model Line() {
  param w: [1] = 0
  fn (x: [B, 1]) -> y: [B, 1] = x * w
}
layer net = Line()
train t(x: [B, 1], y: [B, 1]) {
  minimize sum(gaussian_prior(y - net(x), 1 / 2)) + sum(gaussian_prior(params(net), 1 / 3)) over net using SGD(1)
}`),
  );
  const pairs = Array.from(x.data, (v, i) => [v, y.data[i]]);
  const cross = pairs.reduce((s, [a, b]) => s + a * b, 0);
  const square = pairs.reduce((s, [a]) => s + a * a, 0);
  const w = tensor('f32', [1], [cross / (square + 9 / 4)], 'f64');
  const outputs = await interpreter.run(graph, { 'net.w': w, x, y, step: counter });
  // The gradient is 0 there.
  expect(outputs['net.w.next'].data[0]).toBeCloseTo(w.data[0], 12);
});

test('binary cross-entropies of a probability and of its logit are the same', async () => {
  const { graph } = functionOf(
    compiledWithLibrary(
      'export fn f(l: [B], y: [B]) -> d: [B] = bce(sigmoid(l), y) - bce_with_logits(l, y)',
    ),
    'f',
  );
  const l = randomTensor(4, [50], 3);
  const y = tensor(
    'f32',
    [50],
    Array.from({ length: 50 }, (_, i) => (i % 5) / 4),
    'f64',
  );
  const { d } = await interpreter.run(graph, { l, y });
  for (const v of d.data) expect(v).toBeCloseTo(0, 12);
});

test.each(everywhere)(
  'a residual layer adds what its function makes, in $name',
  async ({ run }) => {
    const program = compiledWithLibrary(`
layer inner = MLP(3, 4, 3, tanh)
layer net = Residual(3, inner)
export fn f(x: [B, 3]) -> y: [B, 3] = net(x)
export fn g(x: [B, 3]) -> y: [B, 3] = inner(x)`);
    const start = await interpreter.run(program.init, { seed });
    const feeds = { ...start, x: randomTensor(5, [4, 3]) };
    const [{ y }, { y: change }] = [
      await run(functionOf(program, 'f').graph, feeds),
      await run(functionOf(program, 'g').graph, feeds),
    ];
    y.data.forEach((v, i) => expect(v).toBeCloseTo(feeds.x.data[i] + change.data[i], 6));
    expect(functionOf(program, 'f').graph.inputs.map(({ name }) => name)).toContain('inner.l1.W');
  },
);

describe('random changes of images', () => {
  const [B, C, H, W] = [40, 2, 4, 5];
  const size = C * H * W;
  const x = tensor(
    'f32',
    [B, C, H, W],
    Array.from({ length: B * size }, (_, i) => i + 1),
  );
  /** The images after a change, in a training step and on other data. */
  async function changed(
    call: string,
    step = 0,
  ): Promise<{ readonly train: Tensor; readonly other: Tensor }> {
    const { step: graph, evaluate } = trainOf(
      compiledWithLibrary(`
model Keep() {
  state seen: [${B}, ${C}, ${H}, ${W}] = 0
  param w: [1] = 0
  fn (x: [${B}, ${C}, ${H}, ${W}]) -> real {
    seen <- ${call}
    return sum(seen) * w[0]
  }
}
layer net = Keep()
train t(x: [${B}, ${C}, ${H}, ${W}]) {
  minimize net(x) over net using SGD(0)
  report same = sum((net.seen - x)^2)
}`),
    );
    const seen = tensor('f32', [B, C, H, W], new Array(B * size).fill(0));
    const feeds = { x, seed, 'net.seen': seen, 'net.w': tensor('f32', [1], [0]) };
    const learnt = await interpreter.run(graph, { ...feeds, step: tensor('i32', [], [step]) });
    const { same } = await interpreter.run(evaluate, feeds);
    return { train: learnt['net.seen.next'], other: same };
  }
  const image = ({ data }: Tensor, b: number): number[] =>
    Array.from(data).slice(b * size, (b + 1) * size);
  /** The pixels of an image, read at other places; 0 outside. */
  const moved = (b: number, from: (i: number, j: number) => readonly [number, number]): number[] =>
    Array.from({ length: size }, (_, at) => {
      const [c, i, j] = [Math.floor(at / (H * W)), Math.floor(at / W) % H, at % W];
      const [row, column] = from(i, j);
      return row < 0 || column < 0 || row >= H || column >= W
        ? 0
        : image(x, b)[(c * H + row) * W + column];
    });
  const mirrored = (b: number): number[] => moved(b, (i, j) => [i, W - 1 - j]);

  test('random_flip mirrors some, and none or all where that is asked', async () => {
    const { train, other } = await changed('random_flip(x)');
    expect(other.data[0]).toBe(0);
    const turned = Array.from({ length: B }, (_, b) => {
      const is = image(train, b);
      if (String(is) === String(image(x, b))) return 0;
      expect(is).toEqual(mirrored(b));
      return 1;
    }).reduce((s: number, v) => s + v, 0);
    // 40 fair coins: outside of 8..32 once in 10,000 seeds.
    expect(turned).toBeGreaterThan(7);
    expect(turned).toBeLessThan(33);
    const all = (await changed('random_flip(x, 1)')).train;
    for (let b = 0; b < B; b++) expect(image(all, b)).toEqual(mirrored(b));
    expect((await changed('random_flip(x, 0)')).train.data).toEqual(Float64Array.from(x.data));
  });

  test('random_shift moves by at most k, and zeros come in', async () => {
    const { train, other } = await changed('random_shift(x, 1)');
    expect(other.data[0]).toBe(0);
    const seen = new Set<string>();
    for (let b = 0; b < B; b++) {
      const found = [-1, 0, 1]
        .flatMap((down) => [-1, 0, 1].map((right) => [down, right] as const))
        .find(
          ([down, right]) =>
            String(image(train, b)) === String(moved(b, (i, j) => [i + down, j + right])),
        );
      expect(found).toBeDefined();
      seen.add(String(found));
    }
    // Of 9 moves, at most 2 are missed by 40 images but once in 10,000 seeds.
    expect(seen.size).toBeGreaterThanOrEqual(7);
    expect((await changed('random_shift(x, 1)', 1)).train.data).not.toEqual(train.data);
  });

  test('random_noise has its standard deviation, in training only', async () => {
    const { train, other } = await changed('random_noise(x, 0.5)');
    expect(other.data[0]).toBe(0);
    const squares = Array.from(train.data, (v, i) => (v - x.data[i]) ** 2);
    const variance = squares.reduce((a, b) => a + b, 0) / squares.length;
    // 1600 draws: 3.89 standard errors.
    expect(Math.abs(variance - 0.25)).toBeLessThan(0.25 * 3.89 * Math.sqrt(2 / 1600));
  });
});

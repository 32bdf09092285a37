// Generative adversarial networks: the game and its optimum by closed forms and on a small distribution, the Wasserstein critic's
// penalty, and the gradient through an unrolled discriminator against float64 differences.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { Graph } from '../../compiler/ir/graph.ts';
import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { randomTensor } from './arithmetic.ts';
import { compiledWithLibrary, functionOf, trainOf } from './compile.ts';
import { everywhere, interpreter, type Executor } from './executors.ts';

type Tensors = Readonly<Record<string, Tensor>>;

const vector = (x: readonly number[]): Tensor => tensor('f32', [x.length], x, 'f64');
const numbers = ({ data }: Tensor): number[] => Array.from(data);
const seed = tensor('u32', [], [5]);
const normalised = (x: readonly number[]): number[] => {
  const total = x.reduce((a, b) => a + b, 0);
  return x.map((v) => v / total);
};

describe('the game over finitely many outcomes', () => {
  const program = compiledWithLibrary(`
export fn measure(D: [n], p: [n], q: [n]) -> (V: real, best: real, g: [n], js: real) {
  V = exact_game(D, p, q)
  E = best_discriminator(p, q)
  best = exact_game(E, p, q)
  g = grad(best, E)
  js = jensen_shannon(p, q)
}
`);
  const { graph } = functionOf(program, 'measure');
  const share = fc.double({ min: 0.05, max: 0.95, noNaN: true });
  const outcomes = fc.array(fc.tuple(share, share, share), { minLength: 2, maxLength: 6 });

  test('the best discriminator is a stationary point and a maximum; there the game is 2 JS - log 4', async () => {
    await fc.assert(
      fc.asyncProperty(outcomes, async (rows) => {
        const [p, q] = [0, 1].map((i) => normalised(rows.map((row) => row[i])));
        const feeds = { D: vector(rows.map((row) => row[2])), p: vector(p), q: vector(q) };
        const { V, best, g, js } = await interpreter.run(graph, feeds);
        expect(V.data[0]).toBeLessThanOrEqual(best.data[0] + 1e-12);
        expect(best.data[0]).toBeCloseTo(2 * js.data[0] - Math.log(4), 10);
        for (const slope of numbers(g)) expect(slope).toBeCloseTo(0, 8);
        expect(js.data[0]).toBeGreaterThanOrEqual(-1e-12);
      }),
      { numRuns: 30 },
    );
  });

  test('played out, it ends at -log 4 with the distribution of the data', async () => {
    const { step, init } = trainOf(
      compiledWithLibrary(`
model Scores(n: dim) {
  param s: [n] ~ normal(0, 1)
  fn () -> [n] = s
}
layer D = Scores(4)
layer G = Scores(4)
train play(p: [4]) {
  repeat 8 { maximize exact_game(sigmoid(D()), p, softmax(G())) over D using SGD(4) }
  V = exact_game(sigmoid(D()), p, softmax(G()))
  minimize V over G using SGD(5)
  report value = V
}
`),
    );
    const p = [0.1, 0.2, 0.3, 0.4];
    const start = await interpreter.run(init, { seed });
    const values: number[] = [];
    let state: Tensors = start;
    for (let i = 0; i < 200; i++) {
      const outputs = await interpreter.run(step, { ...state, p: vector(p) });
      values.push(outputs.value.data[0]);
      state = Object.fromEntries(
        Object.keys(state).map((name) => [name, outputs[`${name}.next`]] as const),
      );
    }
    const q = normalised(numbers(state['G.s']).map(Math.exp));
    q.forEach((share, i) => expect(share).toBeCloseTo(p[i], 3));
    expect(values[0]).toBeGreaterThan(-Math.log(4) + 0.05);
    expect(values.at(-1)).toBeCloseTo(-Math.log(4), 5);
  });
});

test('a generator that is found out has no slope by `saturating`, and the full slope by `non_saturating`', async () => {
  const { functions } = compiledWithLibrary(`
export fn slopes(d: [n], x: [n]) -> (a: [n], b: [n], g: real, h: real) {
  a = grad(saturating(d), d)
  b = grad(non_saturating(d), d)
  g = game(x, d)
  h = saturating(d)
}
`);
  const d = [-20, -1, 0.5];
  const x = [3, 0, -1];
  const { a, b, g, h } = await interpreter.run(functions[0].graph, { d: vector(d), x: vector(x) });
  const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));
  const mean = (v: readonly number[]): number => v.reduce((s, w) => s + w, 0) / v.length;
  numbers(a).forEach((v, i) => expect(v).toBeCloseTo(-sigmoid(d[i]) / 3, 12));
  numbers(b).forEach((v, i) => expect(v).toBeCloseTo(-(1 - sigmoid(d[i])) / 3, 12));
  const made = mean(d.map((v) => Math.log(1 - sigmoid(v))));
  expect(h.data[0]).toBeCloseTo(made, 10);
  expect(g.data[0]).toBeCloseTo(mean(x.map((v) => Math.log(sigmoid(v)))) + made, 10);
});

describe.each<Executor>(everywhere)('a critic in $name', ({ run, tolerance }) => {
  const digits = Math.floor(-Math.log10(tolerance)) - 1;

  test('that is linear has a penalty that all draws agree on, whose derivative goes through a gradient', async () => {
    const { functions, trains } = compiledWithLibrary(`
layer f = Dense(3, 1)
train t(x: [B, 3], y: [B, 3]) {
  minimize gradient_penalty(f, x, y) over f using SGD(1)
}
export fn sizes(x: [B, 3], y: [B, 3]) -> (p: real, r: real, gap: real) {
  p = gradient_penalty(f, x, y)
  r = gradient_size(f, x)
  gap = critic_gap(f(x), f(y))
}
`);
    const W = [1, -2, 0.5];
    const [x, y] = [randomTensor(1, [4, 3]), randomTensor(2, [4, 3])];
    const feeds = { x, y, 'f.W': tensor('f32', [1, 3], W, 'f64'), 'f.b': vector([0.3]), seed };
    const { p, r, gap } = await run(functions[0].graph, feeds);
    const length = Math.hypot(...W);
    expect(p.data[0]).toBeCloseTo((length - 1) ** 2, digits);
    expect(r.data[0]).toBeCloseTo(length ** 2, digits);
    const score = (t: Tensor): number => numbers(t).reduce((s, v, i) => s + v * W[i % 3], 0) / 4;
    expect(gap.data[0]).toBeCloseTo(score(x) - score(y), digits);
    const after = await run(trains[0].step, { ...feeds, step: tensor('i32', [], [0]) });
    numbers(after['f.W.next']).forEach((w, i) =>
      expect(w).toBeCloseTo(W[i] - (2 * (length - 1) * W[i]) / length, digits),
    );
  });

  test('is looked at on the lines between data and made rows', async () => {
    const { functions } = compiledWithLibrary(`
fn bowl(x: [..S, n]) -> y: [..S, 1] {
  y[.., (j < 1)] = sum[i] x[.., i]^2 / 2
}
export fn penalty(x: [B, 2], y: [B, 2]) -> p: real = gradient_penalty(bowl, x, y)
`);
    // The gradient of the bowl at a point is the point: on the line from (1, 0) to (3, 0), of length 1 to 3.
    const ends = [1, 3].map((a) => tensor('f32', [200, 2], Array(200).fill([a, 0]).flat()));
    const { p } = await run(functions[0].graph, { x: ends[0], y: ends[1], seed });
    // E (2 t)^2 over t in 0..1.
    expect(p.data[0]).toBeGreaterThan(4 / 3 - 0.25);
    expect(p.data[0]).toBeLessThan(4 / 3 + 0.25);
  });

  test('is clipped by its optimiser', async () => {
    const { step } = trainOf(
      compiledWithLibrary(`
layer f = Dense(2, 1)
train t(x: [B, 2]) {
  maximize mean(f(x)) over f using ClippedRMSProp(0.01, 0.05)
}
`),
    );
    const feeds = {
      x: tensor('f32', [1, 2], [1, -3]),
      'f.W': tensor('f32', [1, 2], [0.04, 0.01], 'f64'),
      'f.b': vector([-0.2]),
      'f.W.clippedrmsprop.v': tensor('f32', [1, 2], [0, 0]),
      'f.b.clippedrmsprop.v': vector([0]),
      step: tensor('i32', [], [0]),
    };
    const after = await run(step, feeds);
    // v = g^2 / 100, so a first step is 10 lr in the direction of the gradient.
    expect(after['f.W.next'].data[0]).toBeCloseTo(0.05, 6);
    expect(after['f.W.next'].data[1]).toBeCloseTo(-0.05, 6);
    expect(after['f.b.next'].data[0]).toBeCloseTo(-0.05, 6);
  });
});

describe('an unrolled discriminator, k = 5', () => {
  const layers = `
layer G = MLP(2, 3, 2, tanh)
layer D = MLP(2, 3, 1, tanh)
`;
  const { functions, init } = compiledWithLibrary(`${layers}
export fn loss(x: [A, 2], z: [B, 2]) -> L: real {
  made = G(z)
  w = unrolled(D, x, made, 5, 0.7)
  L = non_saturating(D(made with w))
}
`);
  const unrolling = (made: string): string => `${layers}
train t(x: [A, 2], z: [B, 2]) {
  made = G(z)
  w = unrolled(D, x, ${made}, 5, 0.7)
  minimize non_saturating(D(made with w)) over G using SGD(1)
}
`;
  const { graph } = functions[0];
  const data = { x: randomTensor(3, [4, 2]), z: randomTensor(4, [3, 2]) };
  const lossAt = async (of: Graph, feeds: Tensors): Promise<number> =>
    (await interpreter.run(of, feeds)).L.data[0];

  test('answers as five steps of its training would', async () => {
    const stepwise = compiledWithLibrary(`${layers}
train t(x: [A, 2], z: [B, 2]) {
  repeat 5 { maximize game(D(x), D(G(z))) over D using SGD(0.7) }
  report L = non_saturating(D(G(z)))
}
`);
    const start = await interpreter.run(init, { seed });
    const after = await interpreter.run(trainOf(stepwise).step, {
      ...start,
      ...data,
      step: tensor('i32', [], [0]),
    });
    const L = await lossAt(graph, { ...start, ...data });
    expect(L).toBeCloseTo(after.L.data[0], 10);
  });

  test('passes the gradient through its own optimiser', async () => {
    const { step } = trainOf(compiledWithLibrary(unrolling('made')));
    const start = await interpreter.run(init, { seed });
    const after = await interpreter.run(step, { ...start, ...data, step: tensor('i32', [], [0]) });
    // Not what it would be were the discriminator's answer held fixed.
    const fixed = await interpreter.run(
      trainOf(compiledWithLibrary(unrolling('stop(made)'))).step,
      {
        ...start,
        ...data,
        step: tensor('i32', [], [0]),
      },
    );
    expect(Math.abs(fixed['G.l1.W.next'].data[0] - after['G.l1.W.next'].data[0])).toBeGreaterThan(
      1e-4,
    );
    const h = 1e-5;
    for (const path of ['G.l1.W', 'G.l1.b', 'G.l2.W', 'G.l2.b'])
      for (const [i, before] of numbers(start[path]).entries()) {
        const at = async (by: number): Promise<number> => {
          const values = start[path].data.slice();
          values[i] += by;
          return lossAt(graph, { ...start, ...data, [path]: { ...start[path], data: values } });
        };
        const slope = ((await at(h)) - (await at(-h))) / (2 * h);
        expect(before - after[`${path}.next`].data[i], `${path}[${i}]`).toBeCloseTo(slope, 7);
      }
  });
});

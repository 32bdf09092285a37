// std/diffusion against closed forms: linear-Gaussian algebra, Bayes' rule, and data whose best predictor of the noise is known.

import { describe, expect, test } from 'vitest';

import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { expectClose } from '../ir/expect-close.ts';
import { randomTensor } from './arithmetic.ts';
import { compiled, functionOf, trainOf } from './compile.ts';
import { everywhere, interpreter } from './executors.ts';

const T = 40;
const head = `import "std/diffusion"
import "std/optim"
const q = Linear(${T}, 0.001, 0.2)
`;

const betas = Array.from({ length: T }, (_, t) => 0.001 + ((0.2 - 0.001) * t) / (T - 1));
const abars: number[] = [];
for (const beta of betas) abars.push((abars.at(-1) ?? 1) * (1 - beta));
const before = (t: number): number => (t === 0 ? 1 : abars[t - 1]);
const posterior = (t: number): number => (betas[t] * (1 - before(t))) / (1 - abars[t]);

const reals = (shape: readonly number[], values: readonly number[]): Tensor =>
  tensor('f32', shape, values, 'f64');
const times = tensor('i32', [T], [...betas.keys()]);
const seed = tensor('u32', [], [11]);

/** One row for each time, of three numbers each. */
const rows = (seedOf: number): Tensor => randomTensor(seedOf, [T, 3]);
const byRow = (make: (t: number, i: number) => number): Tensor =>
  reals(
    [T, 3],
    Array.from({ length: 3 * T }, (_, i) => make(Math.floor(i / 3), i)),
  );

describe.each(everywhere)('the forward chain in $name', ({ run, tolerance }) => {
  const { graph } = functionOf(
    compiled(`${head}
export fn f(x: [B, 3], e: [B, 3], u: [B, 3], t: fin(${T})[B])
    -> (xt: [B, 3], back: [B, 3], from_x: [B, 3], from_e: [B, 3], free: [B, 3], cut: [B, 3], loose: [B, 3]) {
  xt = noised(q, x, e, t)
  back = denoised(q, xt, e, t)
  from_x = posterior_mean(q, xt, x, t)
  from_e = reverse_mean(q, xt, e, t)
  free = posterior_mean(q, u, x, t)
  cut = denoised(q, xt, bounded(q, xt, e, t, 0.3), t)
  loose = bounded(q, xt, e, t, 100)
}`),
    'f',
  );
  const [x, e, u] = [rows(1), rows(2), rows(3)];
  const found = run(graph, { x, e, u, t: times });

  test('x[t] given x[0] is what its steps add up to', async () => {
    // x[t] = sqrt(alpha) x[t - 1] + sqrt(beta) noise: mean and variance, step by step.
    let [scale, variance] = [1, 0];
    const chain = betas.map((beta) => {
      scale *= Math.sqrt(1 - beta);
      variance = (1 - beta) * variance + beta;
      return { scale, deviation: Math.sqrt(variance) };
    });
    const expected = byRow((t, i) => chain[t].scale * x.data[i] + chain[t].deviation * e.data[i]);
    expectClose((await found).xt, expected, tolerance, 'xt');
  });

  test('its noise taken away, x[0] is left', async () => {
    // Where 1 part in 64 of the signal is left, rounding counts 64 times.
    expectClose((await found).back, x, 100 * tolerance, 'back');
  });

  test('noise is changed where x[0] would lie beyond the bound, and only there', async () => {
    const { cut, loose } = await found;
    const expected = byRow((_, i) => Math.min(Math.max(x.data[i], -0.3), 0.3));
    expect(expected.data.filter((v) => Math.abs(v) < 0.3).length).toBeGreaterThan(10);
    expectClose(cut, expected, 100 * tolerance, 'cut');
    expectClose(loose, e, 100 * tolerance, 'loose');
  });

  test('the posterior mean is that of Bayes, by precisions', async () => {
    // x[t - 1] is N(sqrt(abar[t - 1]) x, 1 - abar[t - 1]) before x[t], a draw from N(sqrt(alpha) x[t - 1], beta), is seen.
    const expected = byRow((t, i) => {
      if (t === 0) return x.data[i];
      const [prior, seen] = [1 / (1 - before(t)), (1 - betas[t]) / betas[t]];
      const mean = Math.sqrt(before(t)) * x.data[i];
      return (prior * mean + seen * (u.data[i] / Math.sqrt(1 - betas[t]))) / (prior + seen);
    });
    expectClose((await found).free, expected, 10 * tolerance, 'posterior mean');
  });

  test('the mean from the noise is the mean from x[0]', async () => {
    const { from_x, from_e } = await found;
    expectClose(from_e, reals([T, 3], Array.from(from_x.data)), 10 * tolerance, 'reverse mean');
  });
});

/** Mean and variance of draws. */
function moments(draws: ArrayLike<number>) {
  const values = Array.from(draws);
  const mean = values.reduce((s, v) => s + v, 0) / values.length;
  const variance = values.reduce((s, v) => s + (v - mean) ** 2, 0) / (values.length - 1);
  return { mean, variance };
}

describe('ancestral sampling with the best predictor', () => {
  const { graph } = functionOf(
    compiled(`${head}
## Of data from N(2, s^2).
fn best(x: [B, n], t: fin(q.T)[B], s: real) -> e: [B, n] {
  e[b, i] = sqrt(1 - q.abar[t[b]]) * (x[b, i] - sqrt(q.abar[t[b]]) * 2)
          / (q.abar[t[b]] * s^2 + 1 - q.abar[t[b]])
}
fn point(x: [B, n], t: fin(q.T)[B]) -> [B, n] = best(x, t, 0)
fn wide(x: [B, n], t: fin(q.T)[B]) -> [B, n] = best(x, t, 1)
export fn f() -> (one: [4, 500], beta: [4, 500], posterior: [4, 500]) {
  noise: [4, 500] ~ normal(0, 1)
  one = ancestral(q, q.posterior, point, noise)
  beta = ancestral(q, q.beta, wide, noise)
  posterior = ancestral(q, q.posterior, wide, noise)
}`),
    'f',
  );
  const outputs = interpreter.run(graph, { seed });

  test('gives data that are one point, exactly', async () => {
    expectClose((await outputs).one, reals([4, 500], Array(2000).fill(2)), 1e-9, 'one');
  });

  // For s = 1 the mean of a step is sqrt(alpha) (x - sqrt(abar[t]) 2) + sqrt(abar[t - 1]) 2, so the variance follows from step to step.
  const variances = { beta: (t: number) => betas[t], posterior };
  const after = (sigma: (t: number) => number): number =>
    [...betas.keys()].reverse().reduce((v, t) => (1 - betas[t]) * v + (t === 0 ? 0 : sigma(t)), 1);

  test('with the variance beta, the standard normal stays one until the last step', () => {
    expect(after(variances.beta)).toBeCloseTo(1 - betas[0], 12);
    expect(after(variances.posterior)).toBeLessThan(0.95);
  });

  test.each(['beta', 'posterior'] as const)('gives N(2, 1) its moments: %s', async (name) => {
    const { mean, variance } = moments((await outputs)[name].data);
    const expected = after(variances[name]);
    // 2,000 normal draws: both are met by chance once in 10,000 seeds. x[T] begins at 0 and not at 2 sqrt(abar).
    const start = 2 * (1 - abars[T - 1]);
    expect(Math.abs(mean - start)).toBeLessThan(3.89 * Math.sqrt(expected / 2000));
    expect(Math.abs(variance / expected - 1)).toBeLessThan(3.89 * Math.sqrt(2 / 2000));
  });
});

describe('guidance', () => {
  const { graph } = functionOf(
    compiled(`${head}
## Two classes of data, N(2, 0.25) and N(-1, 0.25), as probable: the best predictors with and without the class, and the best classifier.
fn spread(t: fin(q.T)[B]) -> v: [B] { v[b] = q.abar[t[b]] / 4 + 1 - q.abar[t[b]] }
fn density(x: [B, 1], t: fin(q.T)[B], c: [B]) -> l: [B] {
  v = spread(t)
  l[b] = -(x[b, 0] - sqrt(q.abar[t[b]]) * c[b])^2 / (2 * v[b])
}
fn both(x: [B, 1], t: fin(q.T)[B]) -> l: [B] {
  a = density(x, t, fill(2, B))
  c = density(x, t, fill(-1, B))
  l = max(a, c) + log1p(exp(-abs(a - c)))
}
fn first(x: [B, 1], t: fin(q.T)[B]) -> [B] = density(x, t, fill(2, B)) - both(x, t)
fn noise_of(x: [B, 1], t: fin(q.T)[B], l: ([B, 1], fin(q.T)[B]) -> [B]) -> e: [B, 1] {
  g = grad(sum(l(x, t)), x)
  e[b, i] = -sqrt(1 - q.abar[t[b]]) * g[b, i]
}
export fn f(x: [B, 1], t: fin(q.T)[B], rho: real)
    -> (by_classifier: [B, 1], free: [B, 1], more: [B, 1], known: [B, 1]) {
  v = spread(t)
  without = noise_of(x, t, both)
  known[b, i] = sqrt(1 - q.abar[t[b]]) * (x[b, i] - sqrt(q.abar[t[b]]) * 2) / v[b]
  by_classifier = classifier_guided(q, without, first, x, t)
  free = guided(known, without, rho)
  more = classifier_guided(q, without, first, x, t, 1 + rho)
}`),
    'f',
  );
  const x = randomTensor(4, [T, 1]);

  test.each(everywhere)('in $name', async ({ run, tolerance }) => {
    const { by_classifier, free, more, known } = await run(graph, {
      x,
      t: times,
      rho: reals([], [1.7]),
    });
    const same = (t: Tensor): Tensor => reals(t.shape, Array.from(t.data));
    // Bayes' rule: the score with the class is that without and the classifier's.
    expectClose(by_classifier, same(known), 10 * tolerance, 'by the classifier');
    // Guidance without a classifier is guidance by the classifier that Bayes' rule makes of the two predictors.
    expectClose(free, same(more), 10 * tolerance, 'free of it');
  });
});

describe('the loss', () => {
  const lossOf = async (net: string, rows: number): Promise<number> => {
    const program = compiled(`${head}
model Net() {
  param w: real = 1
  fn exact(x: [B, n], t: fin(q.T)[B]) -> e: [B, n] {
    e[b, i] = w * (x[b, i] - sqrt(q.abar[t[b]]) * 0.5) / sqrt(1 - q.abar[t[b]])
  }
  fn none(x: [B, n], t: fin(q.T)[B]) -> [B, n] = (w - 1) * x
}
layer net = Net()
train t(x: [B, 100]) { minimize ddpm_loss(q, net.${net}, x) over net using SGD(0) }`);
    const feeds = {
      'net.w': reals([], [1]),
      x: reals([rows, 100], Array(rows * 100).fill(0.5)),
      step: tensor('i32', [], [0]),
      seed,
    };
    return (await interpreter.run(trainOf(program).step, feeds)).loss.data[0];
  };

  test('is 0 for who knows the noise, and its variance for who predicts none', async () => {
    expect(await lossOf('exact', 20)).toBeLessThan(1e-20);
    // 10,000 squared normals, whose variance is 2: met by chance once in 10,000 seeds.
    expect(Math.abs((await lossOf('none', 100)) - 1)).toBeLessThan(3.89 * Math.sqrt(2 / 10_000));
  });
});

describe('time features', () => {
  test('are sines and cosines at falling frequencies', async () => {
    const { graph } = functionOf(
      compiled(`${head}export fn f(t: fin(${T})[B]) -> h: [B, 6] = time_features(t, 6)`),
      'f',
    );
    const { h } = await interpreter.run(graph, { t: times });
    const expected = [...betas.keys()].flatMap((t) => {
      const angles = [0, 1, 2].map((k) => t * 10_000 ** (-k / 3));
      return [...angles.map(Math.sin), ...angles.map(Math.cos)];
    });
    expectClose(h, reals([T, 6], expected), 1e-9, 'h');
  });
});

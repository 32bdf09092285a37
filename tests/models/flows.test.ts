// The flows of the standard library: inverses, log-determinants against full Jacobians and closed forms, the notes' determinant lemmas,
// and likelihoods that are densities.

import { describe, expect, test } from 'vitest';

import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { logAbsoluteDeterminant, logDeterminants } from '../elaborate/determinant.ts';
import { expectClose } from '../ir/expect-close.ts';
import { randomTensor, vector } from './arithmetic.ts';
import { compiledWithLibrary, functionOf, trainOf } from './compile.ts';
import { executors, interpreter } from './executors.ts';

const BATCH = 2;
type Tensors = Readonly<Record<string, Tensor>>;

const negated = (x: Tensor): Tensor =>
  tensor(
    'f32',
    x.shape,
    Array.from(x.data, (v) => -v),
    'f64',
  );

const isPerturbed = (name: string): boolean => !name.endsWith('.fitted');

/** First values, moved a little, so that what starts at 0 counts as well. */
async function weightsOf(program: ReturnType<typeof compiledWithLibrary>): Promise<Tensors> {
  const first = await interpreter.run(program.init, { seed: tensor('u32', [], [3]) });
  return Object.fromEntries(
    Object.entries(first).map(([name, { shape, data }], i) => {
      const noise = randomTensor(100 + i, shape).data;
      const values = Array.from(data, (v, k) => v + 0.1 * noise[k]);
      return [name, isPerturbed(name) ? tensor('f32', shape, values, 'f64') : first[name]];
    }),
  );
}

/** A layer of the library by its sizes: the shape of its events, and of its results (several for scales). */
const layers: Readonly<Record<string, readonly [string, ...string[]]>> = {
  'AdditiveCoupling(4, 5)': ['4', '4'],
  'Scaling(3)': ['3', '3'],
  'NICE(4, 5, 3)': ['4', '4'],
  'AffineCoupling(4, 5)': ['4', '4'],
  'RealNVP(4, 5, 3, tanh)': ['4', '4'],
  'LeakyReLU(0.2)': ['3', '3'],
  'Squeeze()': ['2, 4, 1', '1, 2, 4'],
  'ChannelCoupling(2, 3)': ['2, 2, 2', '2, 2, 2'],
  'Checkerboard(1, 3)': ['2, 4, 1', '2, 4, 1'],
  'HalfCoupling(4, 3)': ['2, 1, 4', '2, 1, 4'],
  'ActNorm(3)': ['2, 2, 3', '2, 2, 3'],
  'InvertibleConv(4)': ['4', '4'],
  'GlowStep(4, 3)': ['1, 2, 4', '1, 2, 4'],
  'GlowLevel(1, 3, 2)': ['2, 2, 1', '1, 1, 4'],
  'RealNVP2d(1, 3)': ['4, 4, 1', '2, 2, 2', '1, 1, 8'],
  'Glow(1, 3, 1)': ['8, 8, 1', '4, 4, 2', '2, 2, 4', '1, 1, 16'],
};

/** The results of f as one row. */
function probe(layer: string, event: string, results: readonly string[]): string {
  const names = results.map((_, i) => `y${i}`);
  const flat = names.map((name) => `flatten(${name})`).join(', ');
  const all = results.length === 1 && !results[0].includes(',') ? 'y0' : `concat(${flat})`;
  const d = eval(event.replaceAll(', ', ' * ')) as number;
  const l = layer.startsWith('LeakyReLU') ? '[B, 3]' : '[B]';
  return `layer f = ${layer}
    export fn forward(x: [B, ${event}]) -> (l: ${l}, m: ${l}, x': [B, ${event}]) {
      y = f(x)
      l = f.logdet(x)
      m = f.inverse.logdet(y)
      x' = f.inverse(y)
    }
    export fn jacobian(x: [B, ${event}]) -> J: [B, ${d}, B, ${event}] {
      ${names.join(', ')} = f(x)
      y = ${all}
      J = jac(y, x)
    }`;
}

describe('every flow', () => {
  test.each(Object.entries(layers))('%s', async (layer, [event, ...results]) => {
    const program = compiledWithLibrary(probe(layer, event, results));
    const weights = await weightsOf(program);
    const shape = [BATCH, ...event.split(', ').map(Number)];
    const feeds = { ...weights, x: randomTensor(7, shape) };
    const jacobian = await interpreter.run(functionOf(program, 'jacobian').graph, feeds);
    const expected = vector(logDeterminants(jacobian.J, BATCH));
    for (const executor of executors) {
      const { graph } = functionOf(program, 'forward');
      const { l, m, "x'": back } = await executor.run(graph, feeds);
      const total = l.shape.length === 1 ? l : rowSums(l);
      expectClose(total, expected, 20 * executor.tolerance, 'logdet');
      expectClose(m, negated(l), 20 * executor.tolerance, 'logdet of the inverse');
      expectClose(back, feeds.x, 20 * executor.tolerance, 'inverse');
    }
  });

  const rowSums = ({ shape, data }: Tensor): Tensor =>
    vector(
      Array.from({ length: shape[0] }, (_, b) =>
        Array.from(data.slice(b * shape[1], (b + 1) * shape[1])).reduce((s, v) => s + v, 0),
      ),
    );
});

const run = async (text: string, feeds: Tensors, name = 'f'): Promise<Tensors> => {
  const program = compiledWithLibrary(text);
  const weights = await weightsOf(program);
  return interpreter.run(functionOf(program, name).graph, { ...weights, ...feeds });
};

const matrixOf = ({ shape: [n, m], data }: Tensor): number[][] =>
  Array.from({ length: n }, (_, i) => Array.from(data.slice(i * m, (i + 1) * m)));

describe('closed forms', () => {
  test('additive couplings keep volumes; a scaling adds its logarithms', async () => {
    const program = compiledWithLibrary(`layer a = AdditiveCoupling(4, 3)
      layer s = Scaling(4)
      export fn f(x: [B, 4]) -> (l: [B], m: [B]) {
        l = a.logdet(x)
        m = s.logdet(x)
      }`);
    const weights = await weightsOf(program);
    const x = randomTensor(1, [3, 4]);
    const { l, m } = await interpreter.run(functionOf(program, 'f').graph, { ...weights, x });
    expect(Array.from(l.data)).toEqual([0, 0, 0]);
    const total = Array.from(weights['s.s'].data).reduce((a, b) => a + b, 0);
    for (const value of m.data) expect(value).toBeCloseTo(total, 12);
  });

  test('a 1 x 1 convolution is the product of its factors, at every pixel', async () => {
    const program = compiledWithLibrary(`layer c = InvertibleConv(3)
      export fn f(x: [B, H, W, 3]) -> (y: [B, H, W, 3], l: [B, H, W]) {
        y = c(x)
        l = c.logdet(x)
      }`);
    const weights = await weightsOf(program);
    const x = randomTensor(2, [2, 2, 1, 3]);
    const { y, l } = await interpreter.run(functionOf(program, 'f').graph, { ...weights, x });
    const [L, U] = [matrixOf(weights['c.L']), matrixOf(weights['c.U'])];
    const s = Array.from(weights['c.s'].data);
    const lower = L.map((row, i) => row.map((v, j) => (j < i ? v : j === i ? 1 : 0)));
    const upper = U.map((row, i) => row.map((v, j) => (j > i ? v : j === i ? Math.exp(s[i]) : 0)));
    const times = (m: number[][], v: number[]): number[] =>
      m.map((row) => row.reduce((sum, w, j) => sum + w * v[j], 0));
    const expected = Array.from({ length: 4 }, (_, p) =>
      times(lower, times(upper, Array.from(x.data.slice(3 * p, 3 * p + 3)))).reverse(),
    ).flat();
    expectClose(y, tensor('f32', y.shape, expected, 'f64'), 1e-12, 'y');
    for (const value of l.data) expect(value).toBeCloseTo(s[0] + s[1] + s[2], 12);
  });

  test('the density of the standard normal distribution', async () => {
    const { L } = await run('export fn f(z: [B, n]) -> L: [B] = normal_log_density(z)', {
      z: tensor('f32', [2, 3], [0, 0, 0, 1, -2, 0.5], 'f64'),
    });
    const constant = -1.5 * Math.log(2 * Math.PI);
    expect(L.data[0]).toBeCloseTo(constant, 12);
    expect(L.data[1]).toBeCloseTo(constant - (1 + 4 + 0.25) / 2, 12);
  });

  test('bits: noise over k values has log2 k bits, whatever its scale', async () => {
    const { b } = await run('export fn f(L: [B]) -> b: [B] = bits_per_dimension(L, 2, 256)', {
      L: vector([0, -2 * Math.log(2)]),
    });
    expect(b.data[0]).toBeCloseTo(8, 12);
    expect(b.data[1]).toBeCloseTo(9, 12);
  });

  test('fitting activation normalisation gives mean 0 and deviation 1, once', async () => {
    const program = compiledWithLibrary(`layer n = ActNorm(2)
      model Probe() {
        param w: real = 1
        fn () -> real = w
      }
      layer probe = Probe()
      train fit(x: [B, 2, 2, 2]) {
        y = n.fit(x)
        minimize probe() over probe using SGD(0.1)
        report m = mean(y)
        report v = mean(y^2)
      }`);
    const { step, init } = trainOf(program);
    const first = await interpreter.run(init, { seed: tensor('u32', [], [1]) });
    const x = randomTensor(3, [5, 2, 2, 2]);
    const once = await interpreter.run(step, { ...first, x });
    expect(once.m.data[0]).toBeCloseTo(0, 10);
    expect(once.v.data[0]).toBeCloseTo(1, 4);
    const states = Object.fromEntries(
      Object.keys(first).map((name) => [name, once[`${name}.next`] ?? first[name]]),
    );
    const other = randomTensor(4, [5, 2, 2, 2]);
    const twice = await interpreter.run(step, { ...states, x: other });
    expectClose(twice['n.mu.next'], once['n.mu.next'], 1e-12, 'the mean stays');
    expect(twice['n.fitted.next'].data[0]).toBe(1);
  });
});

/** log|det| of an n x n matrix that a program gives as J. */
const logDeterminantOf = async (text: string, feeds: Tensors): Promise<number> =>
  logAbsoluteDeterminant(matrixOf((await run(text, feeds)).J));

describe('the lemmas of the notes', () => {
  const [u, w] = [randomTensor(11, [4]), randomTensor(12, [4])];
  const x = randomTensor(13, [4]);

  test('log |det A^-1| = -log |det A|', async () => {
    const inverse = await logDeterminantOf(
      `layer c = InvertibleConv(4)
      export fn f(x: [4]) -> J: [4, 4] {
        y = c.inverse(x)
        J = jac(y, x)
      }`,
      { x },
    );
    const direct = await logDeterminantOf(
      `layer c = InvertibleConv(4)
      export fn f(x: [4]) -> J: [4, 4] {
        y = c(x)
        J = jac(y, x)
      }`,
      { x },
    );
    expect(inverse).toBeCloseTo(-direct, 10);
    expect(Math.abs(direct)).toBeGreaterThan(0.01);
  });

  test("det(I + u h' w^T) = 1 + h' u^T w: a planar map", async () => {
    const found = await logDeterminantOf(
      `export fn f(x: [4], u: [4], w: [4]) -> J: [4, 4] {
        a = sum(w * x)
        y = x + u * tanh(a)
        J = jac(y, x)
      }`,
      { x, u, w },
    );
    const dot = (a: Tensor, b: Tensor): number =>
      Array.from(a.data).reduce((sum, v, i) => sum + v * b.data[i], 0);
    const slope = 1 - Math.tanh(dot(w, x)) ** 2;
    expect(found).toBeCloseTo(Math.log(Math.abs(1 + slope * dot(u, w))), 12);
  });

  test('x * y = diag(x) y = diag(y) x', async () => {
    const { p, q, r } = await run(
      `export fn f(x: [4], u: [4]) -> (p: [4], q: [4], r: [4]) {
        p = x * u
        D[i, j] = eye(4)[i, j] * x[i]
        E[i, j] = eye(4)[i, j] * u[i]
        q = D @ u
        r = E @ x
      }`,
      { x, u },
    );
    expectClose(q, p, 1e-12, 'diag(x) y');
    expectClose(r, p, 1e-12, 'diag(y) x');
  });

  test('the determinant of a triangular matrix is the product of its diagonal', async () => {
    const found = await logDeterminantOf(
      `export fn f(A: [4, 4]) -> J: [4, 4] {
        J[i, j] = if j <= i then A[i, j] else 0
      }`,
      { A: randomTensor(14, [4, 4]) },
    );
    const diagonal = [0, 1, 2, 3].map((i) => randomTensor(14, [4, 4]).data[5 * i]);
    expect(found).toBeCloseTo(
      diagonal.reduce((sum, d) => sum + Math.log(Math.abs(d)), 0),
      12,
    );
  });
});

describe('a likelihood', () => {
  test('integrates to 1', async () => {
    const program = compiledWithLibrary(`layer f = RealNVP(2, 8, 3, tanh)
      export fn p(x: [B, 2]) -> p: [B] = exp(log_likelihood(f(x), f.logdet(x)))`);
    const weights = await weightsOf(program);
    const n = 201;
    const at = (i: number): number => -30 + (60 * i) / (n - 1);
    const grid = Array.from({ length: n * n }, (_, k) => [at(Math.floor(k / n)), at(k % n)]).flat();
    const { p } = await interpreter.run(functionOf(program, 'p').graph, {
      ...weights,
      x: tensor('f32', [n * n, 2], grid, 'f64'),
    });
    const cell = (60 / (n - 1)) ** 2;
    const total = Array.from(p.data).reduce((sum, v) => sum + v * cell, 0);
    expect(total).toBeCloseTo(1, 3);
  });
});

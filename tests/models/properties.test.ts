// What must hold of the standard library whatever the numbers are: closed forms, definitions, adjoints, invariances.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { sizeOf, tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { expectClose } from '../ir/expect-close.ts';
import { compiledWithLibrary, functionOf, trainOf } from './compile.ts';
import { correlate, randomTensor, vector } from './arithmetic.ts';
import { executors, interpreter } from './executors.ts';

/** The result `y` of the export fn `f` of some declarations. */
async function resultOf(
  declarations: string,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Tensor> {
  const { graph } = functionOf(compiledWithLibrary(declarations), 'f');
  return (await interpreter.run(graph, feeds)).y;
}

const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const sizes = fc.integer({ min: 1, max: 4 });

describe('layers', () => {
  test('layer norm gives mean 0 and variance v / (v + eps)', () =>
    fc.assert(
      fc.asyncProperty(seeds, fc.integer({ min: 2, max: 9 }), async (seed, n) => {
        const x = randomTensor(seed, [3, n], 20);
        const y = await resultOf(
          `layer net = LayerNorm(${n})
          export fn f(x: [B, ${n}]) -> y: [B, ${n}] = net(x)`,
          { x, 'net.gamma': vector(Array(n).fill(1)), 'net.beta': vector(Array(n).fill(0)) },
        );
        for (let row = 0; row < 3; row++) {
          const [before, after] = [x, y].map(({ data }) =>
            moments(data.slice(row * n, (row + 1) * n)),
          );
          expect(after.mean).toBeCloseTo(0, 9);
          expect(after.variance).toBeCloseTo(before.variance / (before.variance + 1e-5), 9);
        }
      }),
      { numRuns: 10 },
    ));

  test('Conv2d is cross-correlation as defined, whatever its attributes', () =>
    fc.assert(
      fc.asyncProperty(
        seeds,
        fc.record({
          groups: fc.integer({ min: 1, max: 3 }),
          ins: fc.integer({ min: 1, max: 2 }),
          outs: fc.integer({ min: 1, max: 2 }),
          k: fc.integer({ min: 1, max: 3 }),
          stride: fc.integer({ min: 1, max: 3 }),
          padding: fc.integer({ min: 0, max: 2 }),
          dilation: fc.integer({ min: 1, max: 3 }),
          more: fc.tuple(sizes, sizes),
        }),
        async (seed, { groups, ins, outs, k, stride, padding, dilation, more }) => {
          const [c, m] = [groups * ins, groups * outs];
          const reach = Math.max(dilation * (k - 1) + 1 - 2 * padding, 1);
          const [H, W] = more.map((extra) => reach - 1 + extra);
          const x = randomTensor(seed, [2, c, H, W]);
          const kernel = randomTensor(seed + 1, [m, ins, k, k]);
          const expected = correlate(x, kernel, { stride, padding, dilation, groups });
          const [, , height, width] = expected.shape;
          const layer = `Conv2d(${[c, m, k, stride, padding, dilation, groups].join(', ')})`;
          const y = await resultOf(
            `layer net = ${layer}
            export fn f(x: [B, ${c}, ${H}, ${W}]) -> y: [B, ${m}, ${height}, ${width}] = net(x)`,
            { x, 'net.K': kernel, 'net.b': vector(Array(m).fill(0)) },
          );
          expectClose(y, expected, 1e-12, layer);
        },
      ),
      { numRuns: 25 },
    ));

  test('ConvTranspose2d is the adjoint of Conv2d with the same kernel', () =>
    fc.assert(
      fc.asyncProperty(
        seeds,
        fc.record({
          k: fc.integer({ min: 1, max: 4 }),
          stride: fc.integer({ min: 1, max: 3 }),
          padding: fc.integer({ min: 0, max: 2 }),
          dilation: fc.integer({ min: 1, max: 2 }),
          groups: fc.integer({ min: 1, max: 2 }),
          small: fc.tuple(sizes, sizes),
        }),
        async (seed, { k, stride, padding, dilation, groups, small }) => {
          const [h, w] = small;
          const reach = dilation * (k - 1);
          const [H, W] = small.map((n) => (n - 1) * stride + reach + 1 - 2 * padding);
          fc.pre(padding <= reach && H > 0 && W > 0);
          const [c, m] = [2 * groups, 3 * groups];
          const z = randomTensor(seed, [2, m, H, W]);
          const x = randomTensor(seed + 1, [2, c, h, w]);
          const kernel = randomTensor(seed + 2, [c, 3, k, k]);
          const layer = `ConvTranspose2d(${[c, m, k, stride, padding, dilation, groups].join(', ')})`;
          const y = await resultOf(
            `layer net = ${layer}
            export fn f(x: [B, ${c}, ${h}, ${w}]) -> y: [B, ${m}, ${H}, ${W}] = net(x)`,
            { x, 'net.K': kernel, 'net.b': vector(Array(m).fill(0)) },
          );
          const forward = correlate(z, kernel, { stride, padding, dilation, groups });
          expect(inner(y, z)).toBeCloseTo(inner(x, forward), 9);
        },
      ),
      { numRuns: 20 },
    ));

  test('attention over equal tokens gives each of them the value of one', async () => {
    const row = randomTensor(1, [4]);
    const x = tensor('f32', [1, 3, 4], [...row.data, ...row.data, ...row.data], 'f64');
    const parts = ['query', 'key', 'value', 'out'];
    const weights = Object.fromEntries(
      parts.flatMap((part, i) => [
        [`net.${part}.W`, randomTensor(10 + i, [4, 4])],
        [`net.${part}.b`, randomTensor(20 + i, [4])],
      ]),
    );
    const declarations = (body: string): string =>
      `layer net = SelfAttention(4, 2)
      export fn f(x: [B, 3, 4]) -> y: [B, 3, 4] = ${body}`;
    const y = await resultOf(declarations('net(x)'), { x, ...weights });
    const direct = await resultOf(declarations('net.out(net.value(x))'), { x, ...weights });
    expectClose(y, direct, 1e-12, 'y');
  });

  test('attention does not depend on the order of the tokens', async () => {
    const x = randomTensor(3, [1, 4, 4]);
    const order = [2, 0, 3, 1];
    const turned = (t: Tensor): Tensor =>
      tensor(
        'f32',
        t.shape,
        order.flatMap((i) => [...t.data.slice(4 * i, 4 * i + 4)]),
        'f64',
      );
    const { init, functions } = compiledWithLibrary(
      `layer net = SelfAttention(4, 2)
      export fn f(x: [B, T, 4]) -> y: [B, T, 4] = net(x)`,
    );
    const weights = await interpreter.run(init, { seed: tensor('u32', [], [5]) });
    const [plain, permuted] = await Promise.all(
      [x, turned(x)].map((fed) => interpreter.run(functions[0].graph, { x: fed, ...weights })),
    );
    expectClose(permuted.y, turned(plain.y), 1e-12, 'y');
  });
});

describe('losses', () => {
  const labels = tensor('i32', [3], [0, 2, 4]);
  const crossEntropy = `export fn f(l: [B, 5], t: fin(5)[B]) -> y: [B] = cross_entropy(l, t)`;

  test('cross-entropy of equal scores is log K', async () => {
    const l = tensor('f32', [3, 5], Array(15).fill(-7.5), 'f64');
    const expected = vector(Array(3).fill(Math.log(5)));
    expectClose(await resultOf(crossEntropy, { l, t: labels }), expected, 1e-14, 'y');
  });

  test('cross-entropy of scores that would overflow is their distance', async () => {
    const l = tensor(
      'f32',
      [3, 5],
      Array.from({ length: 15 }, (_, i) => (i % 5 === 1 ? 1e6 : 0)),
      'f64',
    );
    expectClose(
      await resultOf(crossEntropy, { l, t: labels }),
      vector([1e6, 1e6, 1e6]),
      1e-14,
      'y',
    );
  });

  test('binary cross-entropy of extreme logits', async () => {
    const y = await resultOf('export fn f(l: [B], t: [B]) -> y: [B] = bce_with_logits(l, t)', {
      l: vector([-1e4, -1e4, 1e4, 1e4, 0]),
      t: vector([0, 1, 0, 1, 0.5]),
    });
    expectClose(y, vector([0, 1e4, 1e4, 0, Math.LN2]), 1e-14, 'y');
  });

  test('hinge is 0 beyond the margin and linear before it', async () => {
    const y = await resultOf('export fn f(s: [B], t: [B]) -> y: [B] = hinge(s, t)', {
      s: vector([2, 1, 0.5, 0, -3, -3, 3]),
      t: vector([1, 1, 1, 1, 1, -1, -1]),
    });
    expectClose(y, vector([0, 0, 0.5, 1, 4, 0, 4]), 1e-15, 'y');
  });
});

describe('pooling', () => {
  /** The gradient of sum(u * call) at an image, by a step of gradient descent with rate 1. */
  async function gradientAt(
    call: string,
    x: Tensor,
    u: Tensor,
  ): Promise<readonly (readonly number[])[]> {
    const [, , H, W] = x.shape;
    const program = compiledWithLibrary(`
      model Image() {
        param x: [1, 1, ${H}, ${W}] = 0
        fn (u: [${u.shape.join(', ')}]) -> real = sum(u * ${call})
      }
      layer image = Image()
      train t(u: [${u.shape.join(', ')}]) { minimize image(u) over image using SGD(1) }
    `);
    const feeds = { 'image.x': x, u, step: tensor('i32', [], [0]) };
    const results = await Promise.all(
      executors.map((executor) => executor.run(trainOf(program).step, feeds)),
    );
    return results.map((outputs) =>
      Array.from(outputs['image.x.next'].data, (v, i) => x.data[i] - v),
    );
  }

  test('of equal numbers, the first of a window gets the gradient', async () => {
    const x = tensor('f32', [1, 1, 4, 4], Array(16).fill(0.5), 'f64');
    const u = tensor('f32', [1, 1, 2, 2], [1, 2, 3, 4], 'f64');
    const expected = [1, 0, 2, 0, 0, 0, 0, 0, 3, 0, 4, 0, 0, 0, 0, 0];
    expect(await gradientAt('max_pool(x, 2)', x, u)).toEqual([expected, expected]);
  });

  test('windows that overlap add up at the first of equals', async () => {
    const x = tensor('f32', [1, 1, 3, 3], [0, 0, 0, 0, 1, 0, 0, 0, 1], 'f64');
    const u = tensor('f32', [1, 1, 2, 2], [1, 2, 4, 8], 'f64');
    const expected = [0, 0, 0, 0, 15, 0, 0, 0, 0];
    expect(await gradientAt('max_pool_strided(x, 2, 1)', x, u)).toEqual([expected, expected]);
  });

  test('rows that no window covers get none', async () => {
    const x = randomTensor(1, [1, 1, 3, 3]);
    const u = tensor('f32', [1, 1, 1, 1], [8], 'f64');
    const [gradient] = await gradientAt('avg_pool(x, 2)', x, u);
    expect(gradient.map((g) => Math.round(g * 1e9) / 1e9)).toEqual([2, 2, 0, 2, 2, 0, 0, 0, 0]);
  });
});

function moments(values: ArrayLike<number>): { readonly mean: number; readonly variance: number } {
  const data = Array.from(values);
  const mean = data.reduce((a, b) => a + b, 0) / data.length;
  return { mean, variance: data.reduce((a, b) => a + (b - mean) ** 2, 0) / data.length };
}

function inner(a: Tensor, b: Tensor): number {
  expect(sizeOf(a.shape)).toBe(sizeOf(b.shape));
  return Array.from(a.data).reduce((sum, v, i) => sum + v * b.data[i], 0);
}

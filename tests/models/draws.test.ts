// Models that draw: Dropout and the variational autoencoder.

import { describe, expect, test } from 'vitest';

import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { randomTensor } from './arithmetic.ts';
import { compiledWithLibrary, functionOf, trainOf } from './compile.ts';
import { descend } from './descend.ts';
import { everywhere, interpreter, onnxRuntime } from './executors.ts';

type Tensors = Readonly<Record<string, Tensor>>;

const seed = tensor('u32', [], [5]);

describe('Dropout', () => {
  const program = compiledWithLibrary(`
model Net(p: real) {
  param w: [1] = 1
  layer drop = Dropout(p)
  fn (x: [B, n]) -> y: [B, n] = drop(x * w[0])
}
layer net = Net(0.25)
train t(x: [B, 100]) {
  y = net(x)
  minimize mean(y) over net using SGD(0)
  report zeros = mean[b, i] ind(y[b, i] == 0)
  report kept = max[b, i] y[b, i]
  report least = min[b, i] y[b, i]
}
export fn infer(x: [B, 100]) -> y: [B, 100] = net(x)
`);
  const x = tensor('f32', [100, 100], Array(10_000).fill(3));
  const weights = { 'net.w': tensor('f32', [1], [1]) };

  test.each(everywhere)('in training, with $name', async (executor) => {
    const { step } = trainOf(program);
    const outputs = await executor.run(step, {
      ...weights,
      x,
      seed,
      step: tensor('i32', [], [0]),
    });
    // 10,000 draws: 3.89 standard deviations are met by chance once in 10,000 seeds.
    const limit = 3.89 * Math.sqrt((0.25 * 0.75) / 10_000);
    expect(Math.abs(outputs.zeros.data[0] - 0.25)).toBeLessThan(limit);
    expect(outputs.kept.data[0]).toBeCloseTo(4, 5);
    expect(outputs.least.data[0]).toBe(0);
    expect(Math.abs(outputs.loss.data[0] - 3)).toBeLessThan(4 * limit);
  });

  test('is the identity elsewhere, and needs no seed there', async () => {
    const { graph } = functionOf(program, 'infer');
    expect(graph.inputs.map(({ name }) => name)).not.toContain('seed');
    expect((await interpreter.run(graph, { ...weights, x })).y.data).toEqual(
      Float64Array.from(x.data),
    );
    const { evaluate } = trainOf(program);
    expect((await interpreter.run(evaluate, { ...weights, x })).zeros.data[0]).toBe(0);
  });

  test('drops others in each layer and step', async () => {
    const twice = compiledWithLibrary(`
model Net() {
  param w: [1] = 1
  layer a = Dropout(0.5)
  layer b = Dropout(0.5)
  fn (x: [B, n]) -> y: [B, n] = a(x * w[0]) * b(x)
}
layer net = Net()
train t(x: [B, 100]) {
  y = net(x)
  minimize mean(y) over net using SGD(0)
  report kept = mean[b, i] ind(y[b, i] > 0)
}
`);
    const kept = async (count: number): Promise<number> => {
      const feeds = { ...weights, x, seed, step: tensor('i32', [], [count]) };
      return (await interpreter.run(trainOf(twice).step, feeds)).kept.data[0];
    };
    // One half each: a quarter passes both, if the draws are independent.
    const limit = 3.89 * Math.sqrt((0.25 * 0.75) / 10_000);
    expect(Math.abs((await kept(0)) - 0.25)).toBeLessThan(limit);
    expect(await kept(1)).not.toBe(await kept(0));
  });
});

describe('VAE', () => {
  const text = (rate: string): string => `
layer net = VAE(6, 5, 2)
train fit(x: [B, 6]) {
  maximize mean(net.elbo(x)) over net using ${rate}
}
export fn bound(x: [B, 6]) -> L: [B] = net.elbo(x, 0.5)
export fn sample() -> p: [4, 6] = net.sample(4)
`;
  const rows = 16;
  const x = tensor(
    'f32',
    [rows, 6],
    Array.from({ length: rows * 6 }, (_, i) => (Math.floor(i / 6) % 2 === i % 2 ? 1 : 0)),
  );

  const start = async (program: ReturnType<typeof compiledWithLibrary>): Promise<Tensors> =>
    interpreter.run(trainOf(program).init, { seed });

  test("the bound's gradient is that of its differences, the noise held fixed", async () => {
    const program = compiledWithLibrary(text('SGD(1)'));
    const { step } = trainOf(program);
    const first = await start(program);
    const lossAt = async (feeds: Tensors): Promise<Tensors> =>
      interpreter.run(step, { ...feeds, x, seed });
    const outputs = await lossAt(first);
    const h = 1e-5;
    for (const name of Object.keys(first).filter((key) => key.startsWith('net.'))) {
      const { shape, data } = first[name];
      const moved = async (by: number): Promise<number> => {
        const values = Array.from(data);
        values[0] += by;
        return (await lossAt({ ...first, [name]: tensor('f32', shape, values, 'f64') })).loss
          .data[0];
      };
      const difference = ((await moved(h)) - (await moved(-h))) / (2 * h);
      // Maximising by SGD(1) adds the gradient.
      expect(outputs[`${name}.next`].data[0] - data[0], name).toBeCloseTo(difference, 6);
    }
  });

  test('the bound follows its formula', async () => {
    const program = compiledWithLibrary(text('SGD(1)'));
    const { graph } = functionOf(program, 'bound');
    const zeros: Tensors = Object.fromEntries(
      Object.entries(await start(program))
        .filter(([name]) => name.startsWith('net.'))
        .map(([name, { shape, data }]) => [name, tensor('f32', shape, Array(data.length).fill(0))]),
    );
    // mu and the log-variances: b2 of the encoder; logits: b2 of the decoder.
    const [m, v, l] = [
      [0.5, -1],
      [0.3, -0.2],
      [1, -2, 0.5, 0, 3, -0.1],
    ];
    const feeds = {
      ...zeros,
      'net.enc.l2.b': tensor('f32', [4], [...m, ...v], 'f64'),
      'net.dec.l2.b': tensor('f32', [6], l, 'f64'),
      x: randomTensor(3, [2, 6]),
      seed,
    };
    const { L } = await interpreter.run(graph, feeds);
    const kl = m.reduce((sum, mu, k) => sum + (mu ** 2 + Math.exp(v[k]) - 1 - v[k]) / 2, 0);
    for (const row of [0, 1]) {
      const fit = l.reduce(
        (sum, logit, i) => sum + feeds.x.data[row * 6 + i] * logit - Math.log1p(Math.exp(logit)),
        0,
      );
      expect(L.data[row]).toBeCloseTo(fit - 0.5 * kl, 10);
    }
  });

  test('the divergence is the integral it stands for', async () => {
    const program = compiledWithLibrary(
      'export fn f(mu: [B, 1], lv: [B, 1]) -> [B] = kl_standard(mu, lv)',
    );
    const cases = [
      [0, 0],
      [1.5, 0.4],
      [-0.3, -2],
      [0.01, 1e-4],
    ] as const;
    const column = (at: 0 | 1): Tensor =>
      tensor(
        'f32',
        [4, 1],
        cases.map((c) => c[at]),
        'f64',
      );
    const { graph } = functionOf(program, 'f');
    const found = await interpreter.run(graph, { mu: column(0), lv: column(1) });
    const [values] = Object.values(found);
    cases.forEach(([mu, lv], i) => {
      const s = Math.exp(lv / 2);
      const h = s / 100;
      let integral = 0;
      for (let k = -1200; k <= 1200; k++) {
        const x = mu + k * h;
        const log = -((x - mu) ** 2) / (2 * s * s) - Math.log(s);
        integral += ((h * Math.exp(log)) / Math.sqrt(2 * Math.PI)) * (log + (x * x) / 2);
      }
      expect(values.data[i], `${mu}, ${lv}`).toBeCloseTo(integral, 9);
    });
  });

  test.each(everywhere)(
    'learns, with $name',
    async (executor) => {
      const program = compiledWithLibrary(text('Adam(2e-2)'));
      const { step } = trainOf(program);
      const first = await start(program);
      const { losses } = await descend(executor, step, first, { x, seed }, 60);
      const mean = (part: readonly number[]): number =>
        part.reduce((a, b) => a + b, 0) / part.length;
      // Each row is one of two patterns: about -6 ln 2 at first, near -ln 2 in the end.
      expect(mean(losses.slice(0, 5))).toBeLessThan(-3.5);
      expect(mean(losses.slice(-5))).toBeGreaterThan(-2.5);
    },
    60_000,
  );

  test('samples are probabilities, the same for the same seed', async () => {
    const program = compiledWithLibrary(text('SGD(1)'));
    const { graph } = functionOf(program, 'sample');
    const first = await start(program);
    const sample = async (from: number): Promise<number[]> => {
      const feeds = { ...first, seed: tensor('u32', [], [from]) };
      return Array.from((await onnxRuntime.run(graph, feeds)).p.data);
    };
    const p = await sample(1);
    expect(p.every((value) => value > 0 && value < 1)).toBe(true);
    expect(await sample(1)).toEqual(p);
    expect(await sample(2)).not.toEqual(p);
  });
});

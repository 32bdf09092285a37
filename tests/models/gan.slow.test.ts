// A Wasserstein critic and a generator, trained: the critic measures a distance that is known, with the slope that the penalty
// allows, and the generator goes where the data is.

import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { randomTensor } from './arithmetic.ts';
import { compiled, compiledWithLibrary, functionOf, trainOf } from './compile.ts';
import { course } from './course.ts';
import { interpreter, onnxRuntime } from './executors.ts';

const [rows, distance, lambda] = [128, 3, 10];

/** Rows from a square around the origin, and from the same square moved. */
const square = (seed: number): Tensor => randomTensor(seed, [rows, 2]);
function moved(seed: number): Tensor {
  const values = Array.from(square(seed).data, (v, k) => v + (k % 2 === 0 ? distance : 0));
  return tensor('f32', [rows, 2], values, 'f64');
}
const batch = (i: number) => ({ x: moved(2 * i + 1), z: square(2 * i + 2) });

describe('a critic with a gradient penalty', () => {
  const program = compiledWithLibrary(`
layer f = MLP(2, 32, 1, softplus)
train critic(x: [B, 2], z: [B, 2]) {
  maximize critic_gap(f(x), f(z)) - ${lambda} * gradient_penalty(f, x, z) over f using Adam(0.01)
}
export fn measure(x: [B, 2], z: [B, 2]) -> (gap: real, a: [B], b: [B], slope: [B]) {
  gap = critic_gap(f(x), f(z))
  a[b] = f(x)[b, 0]
  b[b] = f(z)[b, 0]
  middle = (x + z) / 2
  g = grad(sum(f(middle)), middle)
  slope[b] = sqrt(sum[i] g[b, i]^2)
}
`);

  test('reaches the Wasserstein distance, and is Lipschitz', async () => {
    const { state } = await course(trainOf(program), 1, 600, batch);
    const { x, z } = batch(5000);
    const { graph } = functionOf(program, 'measure');
    const { gap, a, b, slope } = await interpreter.run(graph, { ...state, x, z });
    // A square and its copy lie \`distance\` apart. Along it, slope s earns s W - lambda (s - 1)^2: the best is 1 + W / (2 lambda).
    const best = 1 + distance / (2 * lambda);
    expect(Math.abs(gap.data[0] / (best * distance) - 1)).toBeLessThan(0.05);
    for (const s of slope.data) expect(Math.abs(s - best)).toBeLessThan(0.15);
    for (let i = 0; i < rows; i++) {
      const [dx, dy] = [0, 1].map((k) => x.data[2 * i + k] - z.data[2 * i + k]);
      const steepness = Math.abs(a.data[i] - b.data[i]) / Math.hypot(dx, dy);
      expect(steepness).toBeLessThan(best + 0.15);
    }
  });

  test('leads a generator to the data', async () => {
    const whole = compiledWithLibrary(`
model Shift(n: dim) {
  param b: [n] = 0
  fn (z: [B, n]) -> [B, n] = z + b
}
layer G = Shift(2)
layer f = MLP(2, 32, 1, softplus)
train wgan(x: [B, 2], z: [B, 2]) {
  repeat 3 {
    made = G(z)
    maximize critic_gap(f(x), f(made)) - ${lambda} * gradient_penalty(f, x, made) over f
      using Adam(0.01, beta1 = 0.5)
  }
  minimize -mean(f(G(z))) over G using Adam(0.02, beta1 = 0.5)
  track smooth = ema(G, 0.98)
  report gap = critic_gap(f(x), f(smooth(z)))
}
`);
    const { state, last } = await course(trainOf(whole), 2, 500, batch);
    // The generator circles around the data; its moving average stands there.
    const [u, v] = state['smooth.b'].data;
    expect(Math.abs(u - distance)).toBeLessThan(0.25);
    expect(Math.abs(v)).toBeLessThan(0.25);
    expect(Math.abs(last['gap'].data[0])).toBeLessThan(0.4);
  });
});

describe('the ring of eight clusters', () => {
  const file = (name: string): string =>
    readFileSync(new URL(`../../examples/unrolled-gan/${name}`, import.meta.url), 'utf8');
  const points = file('points.csv')
    .trim()
    .split('\n')
    .map((line) => line.split(',').map(Number));

  test('is covered by a generator that looks ahead', async () => {
    const program = compiled(file('ring.dlg'));
    const step = 128;
    const feeds = (i: number) => {
      // Rows of all clusters, in turn.
      const from = (i * step) % points.length;
      return { x: tensor('f32', [step, 2], points.slice(from, from + step).flat()) };
    };
    const { state } = await course(trainOf(program), 0, 800, feeds);
    const { x } = await onnxRuntime.run(functionOf(program, 'sample').graph, {
      ...state,
      seed: tensor('u32', [], [1]),
    });
    const counts = new Array<number>(8).fill(0);
    for (let i = 0; i < 256; i++) {
      const [a, b] = [x.data[2 * i], x.data[2 * i + 1]];
      const cluster = (Math.round(Math.atan2(b, a) / (Math.PI / 4)) + 8) % 8;
      const angle = (cluster * Math.PI) / 4;
      if (Math.hypot(a - 2 * Math.cos(angle), b - 2 * Math.sin(angle)) < 0.5) counts[cluster]++;
    }
    // An eighth of 256 is 32.
    expect(Math.min(...counts)).toBeGreaterThan(6);
    expect(counts.reduce((a, b) => a + b, 0)).toBeGreaterThan(150);
  });
});

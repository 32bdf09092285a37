// The same seed gives the same numbers in WGSL as in the interpreter: the draws of every distribution, bit by bit where only bits, products
// and sums that are exact make them.

import { describe, expect, it } from 'vitest';

import { interpret } from '../../../compiler/ir/interpret.ts';
import { tensor, type Tensor } from '../../../compiler/ir/tensor.ts';
import { webgpuProgram } from '../../../runtime/executors/webgpu.ts';
import { deviceForTests } from '../../gpu/device.ts';
import { canUnpack } from '../../gpu/unpack.ts';
import { compiled, functionOf } from '../../models/compile.ts';

const device = deviceForTests();

/** Elements, as WGSL and the interpreter in f32 draw them. */
async function drawn(distribution: string, seed: number): Promise<{ gpu: Tensor; cpu: Tensor }> {
  const { graph } = functionOf(
    compiled(`export fn f() -> x: [1009] {
  x: [1009] ~ ${distribution}
}`),
    'f',
  );
  const program = await webgpuProgram(graph, device());
  const feeds = { seed: tensor('u32', [], [seed]) };
  const { x: gpu } = await program.run(feeds);
  await program.dispose();
  return { gpu, cpu: interpret(graph, feeds, { precision: 'f32' }).x };
}

const seeds = [0, 7, 2 ** 32 - 1];

describe('bit by bit', () => {
  it.each(['uniform', 'uniform(-1, 3)', 'bernoulli(0.3)'])('%s', async (distribution) => {
    for (const seed of seeds) {
      const { gpu, cpu } = await drawn(distribution, seed);
      expect(gpu.data).toEqual(cpu.data);
      expect(new Set(gpu.data).size).toBeGreaterThan(1);
    }
  });
});

describe('to the last digits', () => {
  // Logarithms and sines are polynomials. A GPU's compiler may contract a product and a sum, which rounds once for twice; SwiftShader's does
  // not: there these are equal too.
  it.each([
    ['normal(0, 1)', 1e-6],
    ['normal(2, 0.5)', 1e-6],
    ['exponential(2)', 1e-6],
    ['gumbel', 2e-6],
  ])('%s', async (distribution, tolerance) => {
    for (const seed of seeds) {
      const { gpu, cpu } = await drawn(distribution, seed);
      const apart = Array.from(
        cpu.data,
        (x, i) => Math.abs(x - gpu.data[i]) / Math.max(1, Math.abs(x)),
      );
      expect(Math.max(...apart)).toBeLessThanOrEqual(canUnpack ? 0 : tolerance);
    }
  });
});

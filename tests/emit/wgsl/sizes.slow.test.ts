// More than 65,535 workgroups, which are folded into a second dimension, on the software adapter; by kernels for GPUs with a smaller limit
// in folded.slow.test.ts.

import { describe, expect, it } from 'vitest';

import type { Target } from '../../../compiler/emit/wgsl/adapter.ts';
import { emitWgsl } from '../../../compiler/emit/wgsl/emit.ts';
import { deviceForTests } from '../../gpu/device.ts';
import { compiled, functionOf } from '../../models/compile.ts';
import { checkSizes } from './check-sizes.ts';

const device = deviceForTests();

describe('more than 65,535 workgroups', () => {
  const target: Target = { adapter: 'software' };

  /** How many, of the only kernel. */
  const groupsOf = (text: string): number => {
    const { kernels } = emitWgsl(functionOf(compiled(text), 'f').graph, target);
    expect(kernels).toHaveLength(1);
    return kernels[0].groups.terms.reduce((sum, { coefficient }) => sum + coefficient, 0);
  };

  it.each([
    ['a map', `export fn f(x: [16776961]) -> y: [16776961] { y[i] = x[i] + 1 }`, [16776961]],
    ['rows', `export fn f(x: [262145, 2]) -> y: [262145] { y[i] = max[j] x[i, j] }`, [262145, 2]],
    [
      'products',
      `export fn f(x: [262145, 2, 2]) -> y: [262145, 2, 2] { y[n, i, j] = sum[k] x[n, i, k] * x[n, j, k] }`,
      [262145, 2, 2],
    ],
  ] as const)('%s', { timeout: 60_000 }, async (_, text, shape) => {
    expect(groupsOf(text)).toBeGreaterThan(65535);
    await checkSizes(device(), text, [{ x: shape }], target);
  });
});

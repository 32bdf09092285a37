// Sizes that no tile and no workgroup divides, of one element, and prime, free and thus changing from call to call. Nothing is written
// behind the end of a buffer, and nothing read that was not written (tests/gpu/canaries.ts).

import { describe, expect, it } from 'vitest';

import type { Target } from '../../../compiler/emit/wgsl/adapter.ts';
import { deviceForTests } from '../../gpu/device.ts';
import { folded } from '../../gpu/folded.ts';
import { checkSizes, type Shapes } from './check-sizes.ts';

const device = deviceForTests();

const check = (text: string, shapes: readonly Shapes[], target: Target): Promise<void> =>
  checkSizes(device(), text, shapes, target);

const odd = [1, 2, 3, 17, 31, 64, 65, 257];

const targets: readonly Target[] = [{ adapter: 'software' }, { adapter: 'gpu' }];

describe.each(targets)('sizes that change, for adapter $adapter', (target) => {
  const square = odd.map((n) => ({ x: [n, 257 - n || 1] }));

  it('a map', () =>
    check(`export fn f(x: [A, B]) -> y: [B, A] { y[j, i] = tanh(x[i, j]) }`, square, target));

  it('softmax along rows and along columns', () =>
    check(
      `export fn f(x: [A, B]) -> (y: [A, B], z: [A, B]) {
  y[i, j] = softmax[j] x[i, j]
  z[i, j] = softmax[i] x[i, j]
}`,
      square,
      target,
    ));

  it('layer normalisation', () =>
    check(
      `export fn f(x: [A, B]) -> y: [A, B] {
  mu[i] = mean[j] x[i, j]
  v[i] = mean[j] (x[i, j] - mu[i])^2
  y[i, j] = (x[i, j] - mu[i]) / sqrt(v[i] + 0.1)
}`,
      square,
      target,
    ));

  it('a product, with a map after it', { timeout: 60_000 }, () =>
    check(
      `export fn f(a: [A, B], b: [B, C]) -> y: [A, C] {
  s[i, j] = sum[k] a[i, k] * b[k, j]
  y[i, j] = max(s[i, j], 0)
}`,
      odd.map((n, i) => ({ a: [n, odd[(i + 3) % 8]], b: [odd[(i + 3) % 8], odd[(i + 5) % 8]] })),
      target,
    ),
  );

  it('a convolution', { timeout: 60_000 }, () =>
    check(
      `export fn f(x: [B, 3, H, W], K: [5, 3, 3, 3]) -> y: [B, 5, H, W] {
  z = pad(x, [1, 1], [1, 1])
  y[n, o, i, j] = sum[c, u, v] K[o, c, u, v] * z[n, c, i + u, j + v]
}`,
      [
        [1, 1, 1],
        [2, 3, 17],
        [3, 31, 1],
        [1, 7, 31],
      ].map(([B, H, W]) => ({ x: [B, 3, H, W], K: [5, 3, 3, 3] })),
      target,
    ),
  );

  it('a sum of everything, and rows that are added where they belong', () =>
    check(
      `export fn f(x: [A, B]) -> (y: real, z: [A, B]) {
  y = sum[i, j] x[i, j]
  z[i, j] = cumsum[i] x[i, j]
}`,
      square,
      target,
    ));

  it('an empty batch between others: no workgroup runs for what is empty', async () => {
    const { device: counting, dispatched } = folded(device(), 65535);
    await checkSizes(
      counting,
      `export fn f(x: [B, 3], w: [3, 4]) -> (y: [B, 4], p: [B, 3], s: [3], g: [3, 4]) {
  y[n, j] = tanh(sum[i] x[n, i] * w[i, j])
  p[n, i] = softmax[i] x[n, i]
  s[i] = sum[n] x[n, i]
  g = vjp(y, w, ones(B, 4))
}`,
      [2, 0, 5].map((B) => ({ x: [B, 3], w: [3, 4] })),
      target,
    );
    for (const { kernel, groups } of dispatched()) expect(groups, kernel).toBeGreaterThan(0);
  });
});

// Plain reference arithmetic for the tests of models, written from the definitions.

import { sizeOf, tensor, type Tensor } from '../../compiler/ir/tensor.ts';

/** Reals in -scale .. scale, in float64, the same for the same seed (a linear congruential generator). */
export function randomTensor(seed: number, shape: readonly number[], scale = 1): Tensor {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  const values = Array.from({ length: sizeOf(shape) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * scale;
  });
  return tensor('f32', shape, values, 'f64');
}

export const vector = (values: readonly number[]): Tensor =>
  tensor('f32', [values.length], values, 'f64');

/** y[n, o, i, j] = sum over e, u, v of K[o, e, u, v] x[n, e', i s + u d - p, j s + v d - p], with zeros outside x. */
export function correlate(
  x: Tensor,
  kernel: Tensor,
  options: { stride: number; padding: number; dilation: number; groups: number },
): Tensor {
  const { stride, padding, dilation, groups } = options;
  const [N, C, H, W] = x.shape;
  const [M, E, k] = kernel.shape;
  const size = (n: number): number =>
    Math.floor((n + 2 * padding - dilation * (k - 1) - 1) / stride) + 1;
  const [height, width] = [size(H), size(W)];
  const pixel = (n: number, c: number, i: number, j: number): number =>
    i < 0 || j < 0 || i >= H || j >= W ? 0 : x.data[((n * C + c) * H + i) * W + j];
  const values: number[] = [];
  for (let n = 0; n < N; n++)
    for (let o = 0; o < M; o++) {
      const first = Math.floor(o / (M / groups)) * E;
      for (let i = 0; i < height; i++)
        for (let j = 0; j < width; j++) {
          let sum = 0;
          for (let e = 0; e < E; e++)
            for (let u = 0; u < k; u++)
              for (let v = 0; v < k; v++) {
                const [row, column] = [i * stride + u * dilation, j * stride + v * dilation];
                const weight = kernel.data[((o * E + e) * k + u) * k + v];
                sum += weight * pixel(n, first + e, row - padding, column - padding);
              }
          values.push(sum);
        }
    }
  return tensor('f32', [N, M, height, width], values, 'f64');
}

// Results as PNG pictures: one picture, or many in a grid. Values run from 0, black, to 1, white (or one such for each of red, green, blue);
// what lies beyond is cut.

import { encode } from 'fast-png';

import type { Tensor } from '../compiler/ir/tensor.ts';

/** Pictures inside a tensor, and where each of their numbers lies. */
interface Pictures {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly at: (picture: number, row: number, column: number, channel: number) => number;
}

const isChannels = (size: number | undefined): size is 1 | 3 => size === 1 || size === 3;

/**
 * [H, W] is one grey picture and [n, H, W] are many; with an axis of 1 or 3 channels [n, H, W, c] or [n, c, H, W], and one
 * picture in colour is [H, W, 3]. Null for other shapes.
 */
export function picturesIn(shape: readonly number[]): Pictures | null {
  const [a, b, c, d] = shape;
  const channelsLast = (count: number, height: number, width: number, channels: 1 | 3) => ({
    count,
    height,
    width,
    channels,
    at: (n: number, i: number, j: number, k: number) =>
      ((n * height + i) * width + j) * channels + k,
  });
  if (shape.length === 2) return channelsLast(1, a, b, 1);
  if (shape.length === 3) return c === 3 ? channelsLast(1, a, b, 3) : channelsLast(a, b, c, 1);
  if (shape.length !== 4) return null;
  if (isChannels(d)) return channelsLast(a, b, c, d);
  if (!isChannels(b)) return null;
  const at = (n: number, k: number, i: number, j: number): number => ((n * b + k) * c + i) * d + j;
  return { count: a, height: c, width: d, channels: b, at: (n, i, j, k) => at(n, k, i, j) };
}

const GAP = 2;
const GAP_VALUE = 128;

const byte = (value: number): number => Math.round(255 * Math.min(Math.max(value, 0), 1)) || 0;

/** The pictures of a tensor as one PNG, `columns` in a row (as many rows as columns if not said). */
export function pngOf({ data }: Tensor, pictures: Pictures, columns: number | null): Uint8Array {
  const { count, height, width, channels, at } = pictures;
  const across = Math.min(columns ?? Math.ceil(Math.sqrt(count)), count);
  const down = Math.ceil(count / across);
  const [full, tall] = [across * (width + GAP) - GAP, down * (height + GAP) - GAP];
  const pixels = new Uint8Array(full * tall * channels).fill(GAP_VALUE);
  for (let n = 0; n < count; n++) {
    const left = (n % across) * (width + GAP);
    const top = Math.floor(n / across) * (height + GAP);
    for (let i = 0; i < height; i++)
      for (let j = 0; j < width; j++)
        for (let k = 0; k < channels; k++)
          pixels[((top + i) * full + left + j) * channels + k] = byte(data[at(n, i, j, k)]);
  }
  return encode({ width: full, height: tall, data: pixels, channels, depth: 8 });
}

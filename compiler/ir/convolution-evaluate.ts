// Reference evaluation of the three convolution records: windows as columns of a matrix (im2col), then matrix products. One to
// three spatial axes, treated as three.

import type { Dim } from '../dims/dim.ts';
import type { Convolution } from './convolution-geometry.ts';
import { addProduct, matrix } from './matmul.ts';
import { allocate } from './tensor.ts';
import type { Precision, TensorData } from './tensor.ts';

/** Sizes of x [N, C, in...], w [O, C / groups, kernel...] and y [N, O, out...]. */
interface Sizes {
  readonly batch: number;
  readonly groups: number;
  /** Channels of x and of y in one group. */
  readonly inputs: number;
  readonly outputs: number;
  readonly inSize: number;
  readonly taps: number;
  readonly outSize: number;
  readonly axes: readonly [SpatialAxis, SpatialAxis, SpatialAxis];
}

/** `source[tap * out + position]`: where in x a window's tap reads, -1 in the padding or between dilated elements. */
interface SpatialAxis {
  readonly size: number;
  readonly taps: number;
  readonly out: number;
  readonly source: Int32Array;
}

/** One spatial axis of size 1 that nothing happens to. */
const trivial: SpatialAxis = { size: 1, taps: 1, out: 1, source: new Int32Array(1) };

export function convolutionSizes(
  x: readonly number[],
  w: readonly number[],
  y: readonly number[],
  { window, groups }: Convolution,
  dim: (d: Dim) => number,
): Sizes {
  const axes = x.slice(2).map((size, i): SpatialAxis => {
    const [taps, out] = [w[i + 2], y[i + 2]];
    const source = new Int32Array(taps * out);
    const [stride, low] = [dim(window.strides[i]), dim(window.padding[i].low)];
    const [lhs, rhs] = [dim(window.lhsDilation[i]), dim(window.rhsDilation[i])];
    for (let tap = 0; tap < taps; tap++)
      for (let position = 0; position < out; position++) {
        const at = position * stride + tap * rhs - low;
        const inside = at >= 0 && at <= (size - 1) * lhs && at % lhs === 0;
        source[tap * out + position] = inside ? at / lhs : -1;
      }
    return { size, taps, out, source };
  });
  const [a = trivial, b = trivial, c = trivial] = axes;
  const count = dim(groups);
  const of = (key: 'size' | 'taps' | 'out'): number => axes.reduce((n, axis) => n * axis[key], 1);
  return {
    batch: x[0],
    groups: count,
    inputs: w[1],
    outputs: w[0] / count,
    inSize: of('size'),
    taps: of('taps'),
    outSize: of('out'),
    axes: [a, b, c],
  };
}

/**
 * Copies the windows of `inputs` channels of x, from `offset` on, to `columns` [channel, tap, position] ('read'), or adds the
 * columns to x ('accumulate').
 */
function windows(
  { inputs, inSize, axes: [a, b, c] }: Sizes,
  x: TensorData,
  offset: number,
  columns: TensorData,
  mode: 'read' | 'accumulate',
): void {
  let at = 0;
  for (let channel = 0; channel < inputs; channel++)
    for (let ta = 0; ta < a.taps; ta++)
      for (let tb = 0; tb < b.taps; tb++)
        for (let tc = 0; tc < c.taps; tc++)
          for (let pa = 0; pa < a.out; pa++) {
            const ia = a.source[ta * a.out + pa];
            for (let pb = 0; pb < b.out; pb++, at += c.out) {
              const ib = b.source[tb * b.out + pb];
              if (ia < 0 || ib < 0) {
                if (mode === 'read') columns.fill(0, at, at + c.out);
                continue;
              }
              const row = offset + channel * inSize + (ia * b.size + ib) * c.size;
              const first = tc * c.out;
              if (mode === 'read') readRow(x, row, c.source, first, columns, at, c.out);
              else addRow(columns, at, c.source, first, x, row, c.out);
            }
          }
}

function readRow(
  x: TensorData,
  row: number,
  source: Int32Array,
  first: number,
  columns: TensorData,
  at: number,
  size: number,
): void {
  for (let i = 0; i < size; i++) {
    const from = source[first + i];
    columns[at + i] = from < 0 ? 0 : x[row + from];
  }
}

function addRow(
  columns: TensorData,
  at: number,
  source: Int32Array,
  first: number,
  x: TensorData,
  row: number,
  size: number,
): void {
  for (let i = 0; i < size; i++) {
    const to = source[first + i];
    if (to >= 0) x[row + to] += columns[at + i];
  }
}

/** Calls `body` with the offsets of each sample's and group's part of x, w and y. */
function eachGroup(
  sizes: Sizes,
  body: (offsets: { readonly x: number; readonly w: number; readonly y: number }) => void,
): void {
  const { batch, groups, inputs, outputs, inSize, taps, outSize } = sizes;
  for (let n = 0; n < batch; n++)
    for (let group = 0; group < groups; group++)
      body({
        x: (n * groups + group) * inputs * inSize,
        w: group * outputs * inputs * taps,
        y: (n * groups + group) * outputs * outSize,
      });
}

/** y += convolution(x, w). */
export function convolve(
  sizes: Sizes,
  precision: Precision,
  x: TensorData,
  w: TensorData,
  y: TensorData,
): void {
  const { inputs, outputs, taps, outSize } = sizes;
  const depth = inputs * taps;
  const columns = allocate('f32', depth * outSize, precision);
  eachGroup(sizes, (offsets) => {
    windows(sizes, x, offsets.x, columns, 'read');
    const [a, b] = [matrix(w, offsets.w, depth), matrix(columns, 0, outSize)];
    addProduct(a, b, matrix(y, offsets.y, outSize), outputs, depth, outSize);
  });
}

/** x += the transpose of convolution by w, applied to y. */
export function convolveBack(
  sizes: Sizes,
  precision: Precision,
  y: TensorData,
  w: TensorData,
  x: TensorData,
): void {
  const { inputs, outputs, taps, outSize } = sizes;
  const depth = inputs * taps;
  const columns = allocate('f32', depth * outSize, precision);
  eachGroup(sizes, (offsets) => {
    columns.fill(0);
    const transposed = { data: w, offset: offsets.w, row: 1, column: depth };
    const from = matrix(y, offsets.y, outSize);
    addProduct(transposed, from, matrix(columns, 0, outSize), depth, outputs, outSize);
    windows(sizes, x, offsets.x, columns, 'accumulate');
  });
}

/** w += sum over samples and positions of y times the windows of x. */
export function correlate(
  sizes: Sizes,
  precision: Precision,
  x: TensorData,
  y: TensorData,
  w: TensorData,
): void {
  const { groups, inputs, outputs, taps, outSize } = sizes;
  const depth = inputs * taps;
  const columns = allocate('f32', depth * outSize, precision);
  const transposed = allocate('f32', outSize * outputs, precision);
  // [group, depth, outputs]: rows of the products lie together; turned over at the end.
  const sums = allocate('f32', groups * depth * outputs, precision);
  eachGroup(sizes, (offsets) => {
    windows(sizes, x, offsets.x, columns, 'read');
    for (let o = 0; o < outputs; o++)
      for (let p = 0; p < outSize; p++)
        transposed[p * outputs + o] = y[offsets.y + o * outSize + p];
    const [a, b] = [matrix(columns, 0, outSize), matrix(transposed, 0, outputs)];
    addProduct(a, b, matrix(sums, offsets.w, outputs), depth, outSize, outputs);
  });
  for (let group = 0; group < groups; group++)
    for (let o = 0; o < outputs; o++)
      for (let d = 0; d < depth; d++)
        w[(group * outputs + o) * depth + d] = sums[(group * depth + d) * outputs + o];
}

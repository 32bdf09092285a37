// Pools in ONNX: MaxPool and AveragePool on images [samples, channels, windowed axes...].

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import { tensor } from '../../ir/tensor.ts';
import type { WindowAttribute } from '../../ir/window-geometry.ts';
import { countShape, isTiling, spanOf } from '../../ir/window-geometry.ts';
import { product, range } from '../../ir/shape-arithmetic.ts';
import type { OnnxAttribute, OnnxBuilder } from './builder-types.ts';
import { fixed, int, ints, pad, reshape, slice, text, transpose } from './shapes.ts';
import { unfoldWindows } from './windows.ts';

interface Operand {
  readonly name: string;
  readonly shape: readonly Dim[];
}

/** Between a tensor and images of it, whose last axes are the windowed ones in the window's order. */
interface Images {
  readonly shape: (of: readonly Dim[]) => readonly Dim[];
  readonly into: (of: Operand) => string;
  readonly outOf: (name: string, shape: readonly Dim[]) => string;
}

function images(onnx: OnnxBuilder, rank: number, window: WindowAttribute): Images {
  const others = range(rank).filter((axis) => !window.axes.includes(axis));
  const order = [...others, ...window.axes];
  const back = range(rank).map((axis) => order.indexOf(axis));
  const ordered = (of: readonly Dim[]): Dim[] => order.map((axis) => of[axis]);
  const shape = (of: readonly Dim[]): Dim[] => {
    const leading =
      others.length === 2
        ? others.map((axis) => of[axis])
        : [product(others.map((axis) => of[axis])), dims.one];
    return [...leading, ...window.axes.map((axis) => of[axis])];
  };
  return {
    shape,
    into: ({ name, shape: of }) =>
      reshape(onnx, transpose(onnx, name, order), ordered(of), shape(of)),
    outOf: (name, of) => transpose(onnx, reshape(onnx, name, shape(of), ordered(of)), back),
  };
}

type OnnxAttributes = Readonly<Record<string, OnnxAttribute>>;

const numbers = (onnx: OnnxBuilder, values: readonly Dim[]): OnnxAttribute =>
  ints(values.map((value) => fixed(onnx, value, 'a window')));

const steps = (onnx: OnnxBuilder, { strides, dilations }: WindowAttribute): OnnxAttributes => ({
  strides: numbers(onnx, strides),
  dilations: numbers(onnx, dilations),
});

const attributes = (onnx: OnnxBuilder, window: WindowAttribute): OnnxAttributes => ({
  ...steps(onnx, window),
  kernel_shape: numbers(onnx, window.sizes),
});

export function maxPool(onnx: OnnxBuilder, x: Operand, window: WindowAttribute): string {
  const { into, outOf } = images(onnx, x.shape.length, window);
  const pooled = onnx.node('MaxPool', [into(x)], attributes(onnx, window));
  return outOf(pooled, countShape(x.shape, window));
}

/** Which element of each window is the first largest; 64-bit. */
export function argMaxPool(onnx: OnnxBuilder, x: Operand, window: WindowAttribute): string {
  const counts = countShape(x.shape, window);
  const rows = [...counts, product(window.sizes)];
  const windows = unfoldWindows(onnx, x, window);
  return onnx.node('ArgMax', [reshape(onnx, windows, [...counts, ...window.sizes], rows)], {
    axis: int(counts.length),
    keepdims: int(0),
  });
}

/**
 * Each window's g, added at its first largest element.
 *
 * MaxPool's second output would say where that is, but costs ten times the first; see `firstOfTile` for windows that tile. Measured
 * 2026-11-23 on 2 vCPU EPYC, ONNX Runtime 1.30, 1 thread, best of 15, ms for [64, 16, 28, 28] and [64, 32, 14, 14], 2x2: Indices and
 * ScatterElements 5.47, 2.82; Indices and MaxUnpool 3.73, 1.90; slices compared, joined by DepthToSpace 6.35, 3.41; `firstOfTile`
 * 2.22, 1.30; the plain mask x == y, wrong where maxima are equal, 1.98, 0.99.
 */
export function maxPoolGradient(
  onnx: OnnxBuilder,
  x: Operand,
  y: Operand,
  g: string,
  window: WindowAttribute,
): string {
  const { into, outOf, shape } = images(onnx, x.shape.length, window);
  const [image, cotangents] = [into(x), into({ ...y, name: g })];
  if (isTiling(window)) {
    const windows = { name: into(y), shape: shape(y.shape) };
    const covered = tiled(windows.shape, window);
    const ranges = covered.map((limit, axis) => ({
      axis,
      start: dims.zero,
      limit,
      stride: dims.one,
    }));
    const tiles = slice(onnx, image, shape(x.shape), ranges);
    const first = firstOfTile(onnx, tiles, windows, window);
    const spread = onnx.node('Mul', [first, upsample(onnx, cotangents, window)]);
    return outOf(padTo(onnx, spread, covered, shape(x.shape)), x.shape);
  }
  const [, indices] = onnx.nodes('MaxPool', [image], 2, attributes(onnx, window));
  const flat = onnx.int64s([-1]);
  const size = [product(x.shape)];
  const zeros = onnx.node('Expand', [onnx.scalar(0), onnx.shape(size)]);
  const scattered = onnx.node(
    'ScatterElements',
    [zeros, onnx.node('Reshape', [indices, flat]), onnx.node('Reshape', [cotangents, flat])],
    { axis: int(0), reduction: text('add') },
  );
  return outOf(reshape(onnx, scattered, size, shape(x.shape)), x.shape);
}

/** The shape of the elements that windows which tile cover. */
const tiled = (windows: readonly Dim[], window: WindowAttribute): Dim[] =>
  windows.map((count, axis) => (axis < 2 ? count : dims.multiply(count, window.sizes[axis - 2])));

/**
 * 1 where x is the first largest element of its window, else 0. Every position of a tile has a number, the first the largest; the
 * largest number among the positions that hold the maximum says which is the first.
 */
function firstOfTile(onnx: OnnxBuilder, x: string, y: Operand, window: WindowAttribute): string {
  const sizes = window.sizes.map((size) => fixed(onnx, size, 'a window'));
  const count = sizes.reduce((a, b) => a * b, 1);
  const descending = tensor(
    'f32',
    sizes,
    Float32Array.from({ length: count }, (_, t) => count - t),
  );
  const numbers = onnx.node('Tile', [onnx.constant(descending), onnx.shape(y.shape.slice(2))]);
  const isLargest = onnx.node('Equal', [x, upsample(onnx, y.name, window)]);
  // Products with a mask are faster than Where, and the numbers are finite.
  const held = onnx.node('Mul', [castToReal(onnx, isLargest), numbers]);
  const first = onnx.node('MaxPool', [held], attributes(onnx, window));
  return castToReal(onnx, onnx.node('Equal', [upsample(onnx, first, window), numbers]));
}

const castToReal = (onnx: OnnxBuilder, x: string): string => onnx.node('Cast', [x], { to: int(1) });

/** Every element repeated over its tile. */
function upsample(onnx: OnnxBuilder, x: string, window: WindowAttribute): string {
  const sizes = window.sizes.map((size) => fixed(onnx, size, 'a window'));
  const scales = onnx.constant(tensor('f32', [sizes.length + 2], [1, 1, ...sizes]));
  return onnx.node('Resize', [x, '', scales], {
    mode: text('nearest'),
    coordinate_transformation_mode: text('asymmetric'),
    nearest_mode: text('floor'),
  });
}

/** Zeros after the elements, as many as are missing. */
const padTo = (onnx: OnnxBuilder, x: string, from: readonly Dim[], to: readonly Dim[]): string =>
  pad(
    onnx,
    x,
    to.length,
    onnx.scalar(0),
    to.map((size, axis) => ({ axis, low: dims.zero, high: dims.subtract(size, from[axis]) })),
  );

/** AveragePool times the number of taps. */
export function sumPool(onnx: OnnxBuilder, x: Operand, window: WindowAttribute): string {
  const { into, outOf } = images(onnx, x.shape.length, window);
  const mean = onnx.node('AveragePool', [into(x)], attributes(onnx, window));
  const taps = fixed(onnx, product(window.sizes), 'a window');
  const sum = taps === 1 ? mean : onnx.node('Mul', [mean, onnx.scalar(taps)]);
  return outOf(sum, countShape(x.shape, window));
}

/** Each window's g, added to all of its elements: repeated over tiles, else ConvTranspose by ones. */
export function sumPoolGradient(
  onnx: OnnxBuilder,
  g: Operand,
  window: WindowAttribute,
  shape: readonly Dim[],
): string {
  const { into, outOf, shape: imageShape } = images(onnx, shape.length, window);
  const [image, windows, wanted] = [into(g), imageShape(g.shape), imageShape(shape)];
  if (isTiling(window)) {
    const spread = upsample(onnx, image, window);
    return outOf(padTo(onnx, spread, tiled(windows, window), wanted), shape);
  }
  const sizes = window.sizes.map((size) => fixed(onnx, size, 'a window'));
  const count = sizes.reduce((a, b) => a * b, 1);
  const ones = tensor('f32', [1, 1, ...sizes], new Float32Array(count).fill(1));
  const rows = dims.multiply(windows[0], windows[1]);
  const apart = [rows, dims.one, ...windows.slice(2)];
  const sums = onnx.node(
    'ConvTranspose',
    [reshape(onnx, image, windows, apart), onnx.constant(ones)],
    steps(onnx, window),
  );
  const covered = window.sizes.map((_size, i) =>
    dims.add(
      dims.multiply(dims.subtract(windows[i + 2], dims.one), window.strides[i]),
      spanOf(window, i),
    ),
  );
  const whole = [rows, dims.one, ...wanted.slice(2)];
  const padded = padTo(onnx, sums, [rows, dims.one, ...covered], whole);
  return outOf(reshape(onnx, padded, whole, wanted), shape);
}

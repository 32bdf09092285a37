// unfold and fold in ONNX. Windows that tile their axes are a reshape; others are gathered, and summed by Col2Im.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { WindowAttribute } from '../../ir/window-geometry.ts';
import { isTiling, spanOf } from '../../ir/window-geometry.ts';
import { product, range, windowCount } from '../../ir/shape-arithmetic.ts';
import type { OnnxBuilder } from './builder-types.ts';
import { fixed, int, int64Dims, ints, pad, reshape, slice, transpose } from './shapes.ts';

interface Operand {
  readonly name: string;
  readonly shape: readonly Dim[];
}

const countOf = (size: Dim, window: WindowAttribute, i: number): Dim =>
  windowCount(size, spanOf(window, i), window.strides[i]);

/** Where axis i of the tensor and its taps stand among axes that are windows and taps in turn, per windowed axis. */
function interleaved(rank: number, axes: readonly number[]) {
  const position = range(rank).map((axis) => axis + axes.filter((other) => other < axis).length);
  return { windows: position, taps: axes.map((axis) => position[axis] + 1) };
}

/** The name of unfold(x): [.., windows, .., taps..]. */
export function unfoldWindows(onnx: OnnxBuilder, x: Operand, window: WindowAttribute): string {
  const { windows, taps } = interleaved(x.shape.length, window.axes);
  const split = isTiling(window) ? tiles(onnx, x, window) : gathered(onnx, x, window);
  return transpose(onnx, split, [...windows, ...taps]);
}

/** The shape in which each windowed axis is [windows, taps]. */
const splitShape = (shape: readonly Dim[], window: WindowAttribute): Dim[] =>
  shape.flatMap((size, axis) => {
    const i = window.axes.indexOf(axis);
    return i < 0 ? [size] : [countOf(size, window, i), window.sizes[i]];
  });

function tiles(onnx: OnnxBuilder, x: Operand, window: WindowAttribute): string {
  const used = [...x.shape];
  const ranges = window.axes.map((axis, i) => {
    used[axis] = dims.multiply(countOf(x.shape[axis], window, i), window.sizes[i]);
    return { axis, start: dims.zero, limit: used[axis], stride: dims.one };
  });
  const whole = slice(onnx, x.name, x.shape, ranges);
  return reshape(onnx, whole, used, splitShape(x.shape, window));
}

/** Gather by a table of indices, an axis at a time; from the last, so that the others stay where they are. */
function gathered(onnx: OnnxBuilder, x: Operand, window: WindowAttribute): string {
  const order = range(window.axes.length).sort((a, b) => window.axes[b] - window.axes[a]);
  return order.reduce((name, i) => {
    const indices = indexTable(onnx, x.shape[window.axes[i]], window, i);
    return onnx.node('Gather', [name, indices], { axis: int(window.axes[i]) });
  }, x.name);
}

/** int64 [windows, taps]: p * stride + t * dilation; a constant unless the number of windows is free. */
function indexTable(onnx: OnnxBuilder, size: Dim, window: WindowAttribute, i: number): string {
  const taps = fixed(onnx, window.sizes[i], 'the size of a window');
  const step = fixed(onnx, window.dilations[i], 'the dilation of a window');
  const stride = fixed(onnx, window.strides[i], 'the stride of a window');
  const count = countOf(size, window, i);
  const known = onnx.staticDim(count);
  const offsets = range(taps).map((t) => t * step);
  if (known !== null) {
    const table = range(known).flatMap((p) => offsets.map((offset) => p * stride + offset));
    return onnx.node('Reshape', [onnx.int64s(table), onnx.int64s([known, taps])]);
  }
  const end = onnx.dim(dims.multiply(count, window.strides[i]));
  const [zero, by] = [onnx.dim(dims.zero), onnx.dim(window.strides[i])];
  const starts = onnx.node('Unsqueeze', [onnx.node('Range', [zero, end, by]), onnx.int64s([1])]);
  return onnx.node('Add', [starts, onnx.int64s(offsets)]);
}

/** The name of fold(windows), of `shape`. */
export function foldWindows(
  onnx: OnnxBuilder,
  windows: Operand,
  window: WindowAttribute,
  shape: readonly Dim[],
): string {
  return isTiling(window)
    ? joinTiles(onnx, windows, window, shape)
    : columnsToImage(onnx, windows, window, shape);
}

function joinTiles(
  onnx: OnnxBuilder,
  windows: Operand,
  window: WindowAttribute,
  shape: readonly Dim[],
): string {
  const position = interleaved(shape.length, window.axes);
  const order = [...position.windows, ...position.taps];
  const together = transpose(
    onnx,
    windows.name,
    range(order.length).map((axis) => order.indexOf(axis)),
  );
  const covered = [...shape];
  const paddings = window.axes.map((axis, i) => {
    covered[axis] = dims.multiply(countOf(shape[axis], window, i), window.sizes[i]);
    return { axis, low: dims.zero, high: dims.subtract(shape[axis], covered[axis]) };
  });
  const joined = reshape(onnx, together, splitShape(shape, window), covered);
  return pad(onnx, joined, shape.length, onnx.scalar(0), paddings);
}

/** Col2Im, with all other axes as samples of one channel. */
function columnsToImage(
  onnx: OnnxBuilder,
  windows: Operand,
  window: WindowAttribute,
  shape: readonly Dim[],
): string {
  const rank = shape.length;
  const others = range(rank).filter((axis) => !window.axes.includes(axis));
  const taps = window.axes.map((_, i) => rank + i);
  const order = [...others, ...taps, ...window.axes];
  const moved = transpose(onnx, windows.name, order);
  const of = (axes: readonly number[]): Dim[] => axes.map((axis) => windows.shape[axis]);
  const rows = product(of(others));
  const columns = reshape(onnx, moved, of(order), [
    rows,
    product(of(taps)),
    product(of(window.axes)),
  ]);
  const image = window.axes.map((axis) => shape[axis]);
  const summed = onnx.node(
    'Col2Im',
    [columns, int64Dims(onnx, image), int64Dims(onnx, window.sizes)],
    {
      strides: ints(window.strides.map((d) => fixed(onnx, d, 'the stride of a window'))),
      dilations: ints(window.dilations.map((d) => fixed(onnx, d, 'the dilation of a window'))),
      pads: ints(window.axes.flatMap(() => [0, 0])),
    },
  );
  const sorted = [...others, ...window.axes];
  const split = reshape(
    onnx,
    summed,
    [rows, dims.one, ...image],
    sorted.map((axis) => shape[axis]),
  );
  return transpose(
    onnx,
    split,
    range(rank).map((axis) => sorted.indexOf(axis)),
  );
}

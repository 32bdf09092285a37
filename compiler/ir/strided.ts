// Strided copies: the one loop behind the reference evaluation of every operation that only moves elements (broadcast,
// transpose, slice, pad, unfold, ...), and the positions that others walk along. Used by the op records' `evaluate`.

import type { TensorData } from './tensor.ts';

/** Elements `offset + sum_i index_i * strides_i` of `data`. */
export interface View {
  readonly data: TensorData;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** Row-major strides, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--)
    strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
}

/** The positions of the elements that `axes` walk through, relative to the first; the last axis fastest. */
export function offsetsAlong(shape: readonly number[], axes: readonly number[]): Int32Array {
  const strides = stridesOf(shape);
  const offsets = new Int32Array(axes.reduce((count, axis) => count * shape[axis], 1));
  let filled = 1;
  for (const axis of axes) {
    const size = shape[axis];
    for (let i = filled * size - 1; i >= 0; i--)
      offsets[i] = offsets[Math.floor(i / size)] + (i % size) * strides[axis];
    filled *= size;
  }
  return offsets;
}

/** All of a row-major tensor. */
export const viewOf = (tensor: { data: TensorData; shape: readonly number[] }): View => ({
  data: tensor.data,
  offset: 0,
  strides: stridesOf(tensor.shape),
});

interface Loop {
  readonly size: number;
  readonly from: number;
  to: number;
}

/** Drops axes of size 1 and merges neighbours that both views walk as one. */
function loopsOf(shape: readonly number[], source: View, target: View): Loop[] {
  const loops: Loop[] = [];
  shape.forEach((size, axis) => {
    if (size === 1) return;
    const [from, to] = [source.strides[axis], target.strides[axis]];
    const outer = loops.at(-1);
    if (outer !== undefined && outer.from === from * size && outer.to === to * size)
      loops[loops.length - 1] = { size: outer.size * size, from, to };
    else loops.push({ size, from, to });
  });
  return loops;
}

/** Copies (or adds) the elements of `source` to those of `target`, both read as tensors of `shape`. */
export function copyStrided(
  shape: readonly number[],
  source: View,
  target: View,
  mode: 'set' | 'add' = 'set',
): void {
  if (shape.some((size) => size <= 0)) return;
  const loops = loopsOf(shape, source, target);
  const inner = loops.pop() ?? { size: 1, from: 0, to: 0 };
  const index = new Array<number>(loops.length).fill(0);
  const row = mode === 'set' ? copyRow : addRow;
  let [from, to] = [source.offset, target.offset];
  for (;;) {
    row(source.data, from, inner.from, target.data, to, inner.to, inner.size);
    let axis = loops.length - 1;
    for (; axis >= 0; axis--) {
      from += loops[axis].from;
      to += loops[axis].to;
      if (++index[axis] < loops[axis].size) break;
      from -= loops[axis].from * loops[axis].size;
      to -= loops[axis].to * loops[axis].size;
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}

type Row = (
  source: TensorData,
  from: number,
  fromStride: number,
  target: TensorData,
  to: number,
  toStride: number,
  size: number,
) => void;

const copyRow: Row = (source, from, fromStride, target, to, toStride, size) => {
  for (let i = 0; i < size; i++, from += fromStride, to += toStride) target[to] = source[from];
};

const addRow: Row = (source, from, fromStride, target, to, toStride, size) => {
  for (let i = 0; i < size; i++, from += fromStride, to += toStride) target[to] += source[from];
};

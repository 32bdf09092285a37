// Windows over named axes, shared by unfold, fold and the pools: their attribute, sizes and reference loops.

import * as dims from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import { areAxes, extent, windowCount } from './shape-arithmetic.ts';
import { stridesOf } from './strided.ts';

/** `Window` of builder-types.ts as an attribute. */
export type WindowAttribute = {
  readonly axes: readonly number[];
  readonly sizes: readonly Dim[];
  readonly strides: readonly Dim[];
  readonly dilations: readonly Dim[];
};

/** A window of plain numbers, undilated unless said. */
export const windowOf = (
  axes: readonly number[],
  sizes: readonly number[],
  strides: readonly number[],
  dilations: readonly number[] = axes.map(() => 1),
): WindowAttribute => ({
  axes,
  sizes: sizes.map(dims.constant),
  strides: strides.map(dims.constant),
  dilations: dilations.map(dims.constant),
});

/** A window that does not touch its neighbours and takes its axes apart exactly: element i is in window i / size. */
export const isTiling = (window: WindowAttribute): boolean =>
  window.axes.every(
    (_, i) =>
      dims.equal(window.sizes[i], window.strides[i]) &&
      (dims.equal(window.dilations[i], dims.one) || dims.equal(window.sizes[i], dims.one)),
  );

/** From the first element a window reads to the last, inclusive. */
export const spanOf = (window: WindowAttribute, i: number): Dim =>
  extent(window.sizes[i], window.dilations[i]);

/** Null, or what is wrong with the window on a tensor of that rank. */
export function wrongWindow(window: WindowAttribute, rank: number): string | null {
  const lists = [window.sizes, window.strides, window.dilations];
  if (!areAxes(window.axes, rank)) return 'the window names axes that are not there';
  return lists.every((list) => list.length === window.axes.length)
    ? null
    : 'the window has one size, stride and dilation an axis';
}

/** `shape` with the windowed axes counting windows. */
export function countShape(shape: readonly Dim[], window: WindowAttribute): Dim[] {
  const counted = [...shape];
  window.axes.forEach((axis, i) => {
    counted[axis] = windowCount(shape[axis], spanOf(window, i), window.strides[i]);
  });
  return counted;
}

/** A window in numbers: element `index . windowStrides + taps[t]` of the tensor is tap t of window `index`. */
export interface WindowLoops {
  readonly windowStrides: readonly number[];
  /** Steps between neighbouring taps, an axis of the window. */
  readonly tapStrides: readonly number[];
  /** Offsets of all taps, row-major in window order. */
  readonly taps: Int32Array;
}

export function windowLoops(
  shape: readonly number[],
  window: WindowAttribute,
  dim: (d: Dim) => number,
): WindowLoops {
  const windowStrides = stridesOf(shape);
  const tapStrides: number[] = [];
  let taps = [0];
  const elements = stridesOf(shape);
  window.axes.forEach((axis, i) => {
    windowStrides[axis] = elements[axis] * dim(window.strides[i]);
    const step = elements[axis] * dim(window.dilations[i]);
    tapStrides.push(step);
    taps = taps.flatMap((tap) =>
      Array.from({ length: dim(window.sizes[i]) }, (_, t) => tap + t * step),
    );
  });
  return { windowStrides, tapStrides, taps: Int32Array.from(taps) };
}

/** Calls `body` with the number of each window, row-major, and the offset of its first element. */
export function eachWindow(
  counts: readonly number[],
  strides: readonly number[],
  body: (window: number, offset: number) => void,
): void {
  const rank = counts.length;
  const inner = rank === 0 ? 1 : counts[rank - 1];
  const step = rank === 0 ? 0 : strides[rank - 1];
  const index = new Array<number>(rank).fill(0);
  const total = counts.reduce((a, b) => a * b, 1);
  let offset = 0;
  for (let window = 0; window < total; window += inner) {
    for (let i = 0; i < inner; i++) body(window + i, offset + i * step);
    for (let axis = rank - 2; axis >= 0; axis--) {
      offset += strides[axis];
      if (++index[axis] < counts[axis]) break;
      offset -= strides[axis] * counts[axis];
      index[axis] = 0;
    }
  }
}

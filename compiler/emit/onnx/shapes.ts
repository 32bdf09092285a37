// Short hands for the ONNX nodes that move elements, each written in its cheapest form and left out where it would change
// nothing. Lowerings of op records use them; sizes may depend on free dimensions.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { OnnxAttribute, OnnxBuilder } from './builder-types.ts';

export const int = (value: number): OnnxAttribute => ({ kind: 'int', value });
export const ints = (value: readonly number[]): OnnxAttribute => ({ kind: 'ints', value });
export const text = (value: string): OnnxAttribute => ({ kind: 'string', value });

const sameSizes = (a: readonly Dim[], b: readonly Dim[]): boolean =>
  a.length === b.length && a.every((size, i) => dims.equal(size, b[i]));

/** The value of a dimension that an ONNX attribute needs as a number. */
export function fixed(onnx: OnnxBuilder, dim: Dim, what: string): number {
  const value = onnx.staticDim(dim);
  if (value === null) throw new Error(`${what} must not depend on a free dimension in ONNX`);
  return value;
}

/** A 1-d int64 tensor of dimension values, signed ones too. */
export function int64Dims(onnx: OnnxBuilder, values: readonly Dim[]): string {
  const known = values.map((value) => onnx.staticDim(value));
  return known.every((value) => value !== null) ? onnx.int64s(known) : onnx.shape(values);
}

/**
 * Reshape by a constant wherever one can say it: 0 copies the size of the same axis, -1 stands for one size that is free. Reads the
 * inputs' sizes only where two free sizes change place.
 */
export function reshape(
  onnx: OnnxBuilder,
  name: string,
  from: readonly Dim[],
  to: readonly Dim[],
): string {
  if (sameSizes(from, to)) return name;
  const sizes: number[] = [];
  let inferred = false;
  for (const [axis, size] of to.entries()) {
    const known = onnx.staticDim(size);
    if (known !== null) sizes.push(known);
    else if (axis < from.length && dims.equal(from[axis], size)) sizes.push(0);
    else if (!inferred) {
      sizes.push(-1);
      inferred = true;
    } else return onnx.node('Reshape', [name, onnx.shape(to)]);
  }
  return onnx.node('Reshape', [name, onnx.int64s(sizes)]);
}

export const transpose = (
  onnx: OnnxBuilder,
  name: string,
  permutation: readonly number[],
): string =>
  permutation.every((axis, i) => axis === i)
    ? name
    : onnx.node('Transpose', [name], { perm: ints(permutation) });

export const unsqueeze = (onnx: OnnxBuilder, name: string, axes: readonly number[]): string =>
  axes.length === 0 ? name : onnx.node('Unsqueeze', [name, onnx.int64s(axes)]);

/** What `slice` reads along one axis; the end is exclusive. */
export interface Range {
  readonly axis: number;
  readonly start: Dim;
  readonly limit: Dim;
  readonly stride: Dim;
}

/** Slice along the axes named; ranges that take the whole axis of `from` are dropped. */
export function slice(
  onnx: OnnxBuilder,
  name: string,
  from: readonly Dim[],
  ranges: readonly Range[],
): string {
  const kept = ranges.filter(
    ({ axis, start, limit, stride }) =>
      !(
        dims.equal(start, dims.zero) &&
        dims.equal(limit, from[axis]) &&
        dims.equal(stride, dims.one)
      ),
  );
  if (kept.length === 0) return name;
  const inputs = [
    name,
    int64Dims(
      onnx,
      kept.map(({ start }) => start),
    ),
    int64Dims(
      onnx,
      kept.map(({ limit }) => limit),
    ),
    onnx.int64s(kept.map(({ axis }) => axis)),
  ];
  if (kept.some(({ stride }) => !dims.equal(stride, dims.one)))
    inputs.push(
      int64Dims(
        onnx,
        kept.map(({ stride }) => stride),
      ),
    );
  return onnx.node('Slice', inputs);
}

/** Reverses the axes. The end lies before every first element; ONNX Runtime clamps it. */
export function reverse(onnx: OnnxBuilder, name: string, axes: readonly number[]): string {
  if (axes.length === 0) return name;
  const each = (value: number): string => onnx.int64s(axes.map(() => value));
  return onnx.node('Slice', [
    name,
    each(-1),
    each(Number.MIN_SAFE_INTEGER),
    onnx.int64s(axes),
    each(-1),
  ]);
}

/** One size of a padding an axis; negative sizes crop. */
export interface Padding {
  readonly axis: number;
  readonly low: Dim;
  readonly high: Dim;
}

/**
 * Pad a tensor of rank `rank` with the scalar named `value`. All axes are listed, the axes input left out: ONNX Runtime 1.30 moves
 * a Transpose past a Pad as if its sizes were those of all axes, and fails when it runs (2026-11).
 */
export function pad(
  onnx: OnnxBuilder,
  name: string,
  rank: number,
  value: string,
  paddings: readonly Padding[],
): string {
  const isEmpty = ({ low, high }: Padding): boolean =>
    dims.equal(low, dims.zero) && dims.equal(high, dims.zero);
  if (paddings.every(isEmpty)) return name;
  const [lows, highs] = (['low', 'high'] as const).map((side) =>
    Array.from(
      { length: rank },
      (_, axis) => paddings.find((padding) => padding.axis === axis)?.[side] ?? dims.zero,
    ),
  );
  return onnx.node('Pad', [name, int64Dims(onnx, [...lows, ...highs]), value]);
}

/**
 * `step - 1` elements of `value` after every element of `axis`, the last one included: the axis becomes `step` times as long. A
 * reshape on either side of a Pad (ONNX has no dilation of its own).
 */
export function spread(
  onnx: OnnxBuilder,
  name: string,
  from: readonly Dim[],
  axis: number,
  step: Dim,
  value: string,
): { readonly name: string; readonly shape: readonly Dim[] } {
  const padded = pad(onnx, unsqueeze(onnx, name, [axis + 1]), from.length + 1, value, [
    { axis: axis + 1, low: dims.zero, high: dims.subtract(step, dims.one) },
  ]);
  const shape = from.with(axis, dims.multiply(from[axis], step));
  return { name: reshape(onnx, padded, from.toSpliced(axis + 1, 0, step), shape), shape };
}

/**
 * `x` ready to be broadcast by ONNX's rules to a tensor of rank `rank`: its axis i becomes axis `axes[i]`, size 1 elsewhere; missing
 * leading axes are left to ONNX.
 */
export function alignForBroadcast(
  onnx: OnnxBuilder,
  name: string,
  axes: readonly number[],
  rank: number,
): string {
  const order = axes.map((_, i) => i).sort((a, b) => axes[a] - axes[b]);
  const sorted = order.map((i) => axes[i]);
  if (sorted.length === 0) return name;
  const gaps: number[] = [];
  for (let axis = sorted[0]; axis < rank; axis++)
    if (!sorted.includes(axis)) gaps.push(axis - sorted[0]);
  return unsqueeze(onnx, transpose(onnx, name, order), gaps);
}

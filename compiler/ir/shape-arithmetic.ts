// Sizes of results, as dimension expressions, and the size checks of type rules. Used by the op records.

import * as dims from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import { showDim } from '../dims/show.ts';

/**
 * Whether two sizes differ for certain. Sizes that only an assumption of the program makes equal are let through: the
 * checker has proved them.
 */
export function differ(a: Dim, b: Dim): boolean {
  const difference = dims.isConstant(dims.subtract(a, b));
  return difference !== null && difference !== 0;
}

/** What is wrong where two sizes must agree, or null. */
export const mismatch = (a: Dim, b: Dim, what: string): string | null =>
  differ(a, b) ? `${what}: ${showDim(a)} is not ${showDim(b)}` : null;

export const product = (sizes: readonly Dim[]): Dim => sizes.reduce(dims.multiply, dims.one);

/** `ceil(a / b)` for a positive b. */
export const ceilDivide = (a: Dim, b: Dim): Dim =>
  dims.floorDivide(dims.subtract(dims.add(a, b), dims.one), b);

/** How far n elements reach, `step` apart: `(n - 1) * step + 1`. */
export const extent = (n: Dim, step: Dim): Dim =>
  dims.add(dims.multiply(dims.subtract(n, dims.one), step), dims.one);

/** How many windows that reach over `span` elements, `stride` apart, lie in `size` elements. */
export const windowCount = (size: Dim, span: Dim, stride: Dim): Dim =>
  dims.add(dims.floorDivide(dims.subtract(size, span), stride), dims.one);

/** Whether `axes` are distinct axes of a tensor of rank `rank`. */
export const areAxes = (axes: readonly number[], rank: number): boolean =>
  new Set(axes).size === axes.length &&
  axes.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < rank);

/** 0, 1, ..., n - 1. */
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** `inverse[permutation[i]] = i`. */
export function invert(permutation: readonly number[]): number[] {
  const inverse = new Array<number>(permutation.length).fill(0);
  permutation.forEach((axis, i) => (inverse[axis] = i));
  return inverse;
}

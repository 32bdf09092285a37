// How far a result is from the interpreter's, element by element.

import { expect } from 'vitest';

import type { Tensor } from '../../compiler/ir/tensor.ts';

/** The largest difference of an element, relative to it; for results without zeros. */
export function relativeError(actual: Tensor, expected: Tensor): number {
  expect(actual.shape).toEqual(expected.shape);
  return Math.max(...Array.from(expected.data, (v, i) => Math.abs(actual.data[i] / v - 1)));
}

// Distances between results.

import type { Tensor } from '../../compiler/ir/tensor.ts';

/**
 * The largest error of `actual` against `expected`, relative where the expected number is above 1, and where it is. Equal
 * infinities and NaNs are no error; a missing or misshapen tensor is an infinite one.
 */
export function farthest(
  expected: Readonly<Record<string, Tensor>>,
  actual: Readonly<Record<string, Tensor>>,
): { readonly distance: number; readonly where: string } {
  let distance = 0;
  let where = '';
  for (const [name, { shape, data }] of Object.entries(expected)) {
    const other = actual[name];
    if (other === undefined || other.shape.join() !== shape.join())
      return {
        distance: Infinity,
        where: `${name}, of shape [${other?.shape.join()}] instead of [${shape.join()}]`,
      };
    for (const [i, value] of data.entries()) {
      const error = Object.is(value, other.data[i])
        ? 0
        : Math.abs(value - other.data[i]) / Math.max(1, Math.abs(value));
      if (error <= distance) continue;
      distance = error;
      where = `${name}[${i}], ${value}, to ${other.data[i]}`;
    }
  }
  return { distance, where };
}

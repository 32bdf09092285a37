// Comparison of tensors in the tests of the intermediate representation.

import { expect } from 'vitest';

import type { Tensor } from '../../compiler/ir/tensor.ts';

/**
 * Fails unless the tensors are equal: integers and booleans exactly, reals within `tolerance` of the tensor's scale, which is its
 * largest finite element or 1 (sums cancel, so small elements carry the rounding of large ones); NaN equals NaN and an infinity
 * itself.
 */
export function expectClose(
  actual: Tensor | undefined,
  expected: Tensor,
  tolerance: number,
  what: string,
): void {
  expect(actual, what).toBeDefined();
  if (actual === undefined) return;
  expect([actual.dtype, ...actual.shape], `type of ${what}`).toEqual([
    expected.dtype,
    ...expected.shape,
  ]);
  expect(actual.data.length, `size of ${what}`).toBe(expected.data.length);
  const within = expected.dtype === 'f32' ? tolerance * scaleOf(expected) : 0;
  const wrong = Array.from(expected.data).findIndex((e, i) => {
    const a = actual.data[i];
    return !(Object.is(a, e) || a === e || Math.abs(a - e) <= within);
  });
  if (wrong >= 0)
    expect.fail(
      `${what}[${wrong}] is ${actual.data[wrong]}, not ${expected.data[wrong]} (of ${expected.data.length})`,
    );
}

function scaleOf({ data }: Tensor): number {
  let scale = 1;
  for (const x of data) if (Number.isFinite(x)) scale = Math.max(scale, Math.abs(x));
  return scale;
}

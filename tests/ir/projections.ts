// Scalars to differentiate: random projections of a graph's values, the same in every run.

import { isConstant } from '../../compiler/dims/arithmetic.ts';
import type { Builder } from '../../compiler/ir/builder-types.ts';
import type { Value } from '../../compiler/ir/graph.ts';
import { allocate, sizeOf } from '../../compiler/ir/tensor.ts';

export const isReal = ({ dtype }: { readonly dtype: string }): boolean => dtype === 'f32';

/** A linear congruential generator of numbers in -0.5 .. 0.5, from a fixed seed. */
export function randomNumbers(): () => number {
  let state = 7;
  return () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state / 2 ** 31 - 0.5;
  };
}

/** The sum of the real values, each element with a weight of its own. Sizes must be constants. */
export function project(b: Builder, values: readonly Value[], next: () => number): Value {
  let sum = b.scalar(0);
  for (const value of values.filter(isReal)) {
    const shape = value.shape.map((size) => isConstant(size) ?? NaN);
    const data = allocate('f32', sizeOf(shape), 'f64').map(next);
    const weighted = b.multiply(value, b.constant({ dtype: 'f32', shape, data }));
    const axes = shape.map((_, axis) => axis);
    sum = b.add(sum, b.reduce('add', weighted, axes));
  }
  return sum;
}

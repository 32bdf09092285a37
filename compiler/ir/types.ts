// Small facts about tensor types that the builder, the verifier and the passes share.

import { constant, equal } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import { showDim } from '../dims/show.ts';
import type { TensorType } from './graph.ts';

export const sameShape = (a: readonly Dim[], b: readonly Dim[]): boolean =>
  a.length === b.length && a.every((size, axis) => equal(size, b[axis] ?? noSize));

/** Not a size, so never equal to one. */
const noSize = constant(-1);

/** Whether a list of axes is 0, 1, 2, ... */
export const isIdentity = (axes: readonly number[]): boolean => axes.every((axis, i) => axis === i);

/** `f32[B, 10]`, as listings and messages write it. */
export const showType = (type: TensorType): string =>
  `${type.dtype}[${type.shape.map(showDim).join(', ')}]`;

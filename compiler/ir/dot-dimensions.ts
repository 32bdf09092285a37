// The axes of dot_general by what they do. Its evaluation, gradient and ONNX lowering share this.

import type { DotDimensions } from './builder-types.ts';

export interface DotAxes {
  readonly lhsFree: readonly number[];
  readonly rhsFree: readonly number[];
}

const rest = (rank: number, ...used: readonly (readonly number[])[]): number[] =>
  Array.from({ length: rank }, (_, axis) => axis).filter(
    (axis) => !used.some((axes) => axes.includes(axis)),
  );

/** The axes that are neither batch nor contracting, ascending, as they stand in the result. */
export const freeAxes = (lhsRank: number, rhsRank: number, dimensions: DotDimensions): DotAxes => ({
  lhsFree: rest(lhsRank, dimensions.lhsBatch, dimensions.lhsContracting),
  rhsFree: rest(rhsRank, dimensions.rhsBatch, dimensions.rhsContracting),
});

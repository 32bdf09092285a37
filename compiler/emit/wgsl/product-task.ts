// What a variant is given to write the kernel of a product: loaders for the two factors, which carry transposes, windows and whatever
// else lies before the product, and `finish`, which computes and stores what lies after it. Rows, columns and what is summed
// over keep their axes: a window is channel, tap, tap.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { DType } from '../../ir/tensor.ts';
import type { Target } from './adapter.ts';
import { sizeOf, type Index } from './indices.ts';
import type { KernelFrame } from './kernel-context.ts';
import type { Contiguity } from './product-contiguity.ts';
import type { Writer } from './writer.ts';

/** The spaces that indices run over. */
export interface Spaces {
  readonly writer: Writer;
  readonly batch: readonly Dim[];
  readonly rows: readonly Dim[];
  readonly columns: readonly Dim[];
  readonly sum: readonly Dim[];
}

/** A contraction to be written by a variant. */
export interface ProductTask extends Spaces {
  readonly target: Target;
  readonly dtype: DType;
  /** Along what each factor lies side by side in memory. */
  readonly contiguous: Contiguity;
  /** Elements of the factors; the indices must lie inside. */
  readonly lhs: (batch: readonly Index[], row: readonly Index[], k: readonly Index[]) => string;
  readonly rhs: (batch: readonly Index[], k: readonly Index[], column: readonly Index[]) => string;
  /** What names the element of an operand that a factor is made from: places of a window share elements. */
  readonly source: (
    space: 'rows' | 'columns',
    place: readonly Index[],
    k: readonly Index[],
  ) => string;
  /** How many neighbouring columns are finished together: 1, or those of a window, 2 or 4. */
  readonly together: number;
  /** Takes the finished sums of neighbouring elements inside the result, of which the first is in that column. */
  readonly finish: (
    batch: readonly Index[],
    row: readonly Index[],
    column: readonly Index[],
    sums: readonly string[],
  ) => void;
  /** Takes the sum of a row of lhs over all terms, where that is asked for. */
  readonly finishRow: ((row: readonly Index[], sum: string) => void) | null;
}

export interface Variant {
  readonly name: string;
  readonly write: (task: ProductTask) => KernelFrame;
}

/** How many rows, columns and terms there are, all axes together. */
export const extents = ({ batch, rows, columns, sum }: Spaces) => ({
  batch: sizeOf(batch),
  rows: sizeOf(rows),
  columns: sizeOf(columns),
  sum: sizeOf(sum),
});

/** Whether `by` divides a size for certain. */
export const divides = (by: number, size: Dim): boolean =>
  dims.exactDivide(size, dims.constant(by)) !== null;

// A kernel of one contraction and the maps that follow it. How the sum of products is computed is a `Variant`: it gets loaders for
// the two factors, which carry transposes, windows and whatever else lies before the product, and hands each finished element to
// `finish`, which computes and stores what lies after it. Rows, columns and what is summed over keep their axes: a window is
// channel, tap, tap.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { DType } from '../../ir/tensor.ts';
import type { Target } from './adapter.ts';
import { sizeOf, type Index } from './indices.ts';
import { storeAll, type KernelContext, type KernelFrame } from './kernel-context.ts';
import { chooseVariant } from './product-variants.ts';
import { contiguity, type Contiguity } from './product-contiguity.ts';
import { elementKey, isFolded, loweringOf } from './network.ts';
import type { Writer } from './writer.ts';

/** A contraction to be written by a variant. */
export interface ProductTask {
  readonly writer: Writer;
  readonly target: Target;
  readonly dtype: DType;
  readonly batch: readonly Dim[];
  readonly rows: readonly Dim[];
  readonly columns: readonly Dim[];
  readonly sum: readonly Dim[];
  /** Along what each factor lies side by side in memory. */
  readonly contiguous: Contiguity;
  /** Elements of the factors; the indices must lie inside. */
  readonly lhs: (batch: readonly Index[], row: readonly Index[], k: readonly Index[]) => string;
  readonly rhs: (batch: readonly Index[], k: readonly Index[], column: readonly Index[]) => string;
  /** Takes the finished sum of an element inside the result. */
  readonly finish: (
    batch: readonly Index[],
    row: readonly Index[],
    column: readonly Index[],
    sum: string,
  ) => void;
}

export interface Variant {
  readonly name: string;
  readonly write: (task: ProductTask) => KernelFrame;
}

export function writeProductKernel(context: KernelContext): KernelFrame {
  const { network, kernel, writer, read, target } = context;
  const value = kernel.values.find((made) => isFolded(network, made));
  const node = value === undefined ? undefined : network.producerOf(value);
  if (value === undefined || node === undefined) throw new Error('a product kernel of nothing');
  const lowering = loweringOf(node);
  if (lowering.kind !== 'contract') throw new Error(`${node.op} is no contraction`);
  const product = lowering.product(node);
  const source = {
    read: (operand: number, at: readonly Index[]) => read(node.inputs[operand], at),
    code: writer,
  };
  const task: ProductTask = {
    writer,
    target,
    dtype: value.dtype,
    batch: product.batch,
    rows: product.rows,
    columns: product.columns,
    sum: product.sum,
    contiguous: contiguity(network, context.isLoaded, node, product),
    lhs: (batch, rows, sum) => product.lhs({ batch, rows, sum }, source),
    rhs: (batch, sum, columns) => product.rhs({ batch, sum, columns }, source),
    finish(batch, row, column, sum) {
      const index = product.output(batch, row, column);
      writer.remember(elementKey(value, index), sum);
      storeAll(context, context.outputs, index);
    },
  };
  return chooseVariant(task).write(task);
}

/** How many rows, columns and terms there are, all axes together. */
export const extents = ({ batch, rows, columns, sum }: ProductTask) => ({
  batch: sizeOf(batch),
  rows: sizeOf(rows),
  columns: sizeOf(columns),
  sum: sizeOf(sum),
});

/** Whether `by` divides a size for certain. */
export const divides = (by: number, size: Dim): boolean =>
  dims.exactDivide(size, dims.constant(by)) !== null;

// Which variant a product is computed by, from its shape and the kind of adapter.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { VariantName } from './adapter.ts';
import { softwareBlocks } from './product-software.ts';
import { blocks } from './product-blocks.ts';
import { letters, productTable } from './product-table.ts';
import { extents, type ProductTask, type Variant } from './product-task.ts';
import { slices } from './product-slices.ts';
import { tiles } from './product-tiles.ts';

const single = (across: number): Variant =>
  blocks({ down: 1, across, unroll: 1, workgroupSize: 64 });

/** The variants for GPUs; `single` computes what is finished together. */
const variants: Readonly<Record<Exclude<VariantName, 'single'>, Variant>> = {
  blocks: blocks({ down: 4, across: 4, unroll: 4, workgroupSize: 64 }),
  small: tiles({ rows: 32, columns: 32, depth: 32, down: 4, across: 4 }),
  medium: tiles({ rows: 64, columns: 64, depth: 16, down: 4, across: 4 }),
  large: tiles({ rows: 128, columns: 128, depth: 8, down: 8, across: 8 }),
  slices: slices({ down: 4, across: 4, side: 4, slices: 16 }),
};

/** What a free size, such as that of a batch, is taken to be. */
const typicalSize = 64;

export const likely = (size: Dim): number => dims.evaluate(size, () => typicalSize);

export function chooseVariant(task: ProductTask): Variant {
  const { batch, rows, columns, sum } = extents(task);
  const shape = [batch, rows, columns, sum].map(likely);
  const { adapter, product } = task.target;
  if (adapter === 'software' && product === undefined) return softwareBlocks(task, shape);
  const name = product ?? gpuVariant(shape);
  return name === 'single' ? single(task.together) : variants[name];
}

/** That of the shape in the table which is nearest, by factors. */
export function gpuVariant([batch, rows, columns, sum]: readonly number[]): VariantName {
  const { sizes, choices } = productTable;
  const words = choices[nearest(sizes.batch, batch)][nearest(sizes.sum, sum)].split(' ');
  return letters[words[nearest(sizes.side, rows)][nearest(sizes.side, columns)]];
}

/** Where the size stands that is a smaller factor away than any other. */
function nearest(sizes: readonly number[], size: number): number {
  const factors = sizes.map((other) => Math.abs(Math.log(size / other)));
  return factors.indexOf(Math.min(...factors));
}

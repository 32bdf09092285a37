// Which variant a product is computed by, from its shape and the kind of adapter.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import { blocks } from './product-blocks.ts';
import { extents, type ProductTask, type Variant } from './product-kernel.ts';

/** What a free size, such as that of a batch, is taken to be. */
const typicalSize = 64;

const likely = (size: Dim): number => dims.evaluate(size, () => typicalSize);

export function chooseVariant(task: ProductTask): Variant {
  const { batch, rows, columns } = extents(task);
  if (task.adapter === 'software')
    return softwareBlocks(likely(batch), likely(rows), likely(columns));
  return blocks({ down: 1, across: 1, unroll: 1, workgroupSize: 256 });
}

/** As large as there are elements, up to 8 x 8, while there are enough of them for a few cores. */
function softwareBlocks(batch: number, rows: number, columns: number): Variant {
  const side = (size: number): number => Math.ceil(size / Math.ceil(size / 8));
  let [down, across] = [side(rows), side(columns)];
  const count = (): number => batch * Math.ceil(rows / down) * Math.ceil(columns / across);
  while (count() < 16 && down * across > 1) {
    if (across >= down) across = Math.ceil(across / 2);
    else down = Math.ceil(down / 2);
  }
  return blocks({ down, across, unroll: 4, workgroupSize: 4 });
}

// The sums of the first factor's rows, beside a product (row-sums.ts): where a block is of the first columns, its invocations add up what
// they load of that factor.

import * as dims from '../../dims/arithmetic.ts';
import { typeNames } from './expressions.ts';
import type { Index } from './indices.ts';
import { axesNear } from './product-places.ts';
import { extents, type ProductTask } from './product-task.ts';

export interface RowSums {
  /** `a` of each term: the elements of the block's rows. */
  readonly add: (terms: readonly { readonly a: readonly string[] }[]) => void;
  readonly registers: readonly string[];
  /** Writes what becomes of each sum, under a condition. */
  readonly finish: (condition: string, write: (row: Index, sum: string) => void) => void;
}

const nothing: RowSums = { add: () => {}, registers: [], finish: () => {} };

/** `isFirst` holds in the blocks of the first columns, which have `down` rows. */
export function createRowSums(task: ProductTask, down: number, isFirst: string): RowSums {
  const { writer, dtype, finishRow, target } = task;
  if (finishRow === null) return nothing;
  const array = writer.name('row_sums');
  writer.line(`var ${array} = array<${typeNames[dtype]}, ${down}>();`);
  const registers = Array.from({ length: down }, (_, row) => `${array}[${row}]`);
  return {
    registers,
    add: (terms) =>
      writer.block(`if (${isFirst})`, () =>
        registers.forEach((register, row) =>
          writer.line(`${register} += ${terms.map(({ a }) => a[row]).join(' + ')};`),
        ),
      ),
    finish: (condition, write) =>
      writer.block(`if (${condition})`, () => {
        // A loop, since SwiftShader's compiler takes seconds for many copies; on a GPU an array indexed so would be none of registers.
        if (target.adapter === 'software')
          writer.loop('n', dims.constant(down), (n) => write(n, `${array}[${writer.text(n)}]`));
        else registers.forEach((sum, row) => write(dims.constant(row), sum));
      }),
  };
}

/** Hands on the sum of the row at a place, which may lie beyond the last. */
export function finishRowAt(task: ProductTask, place: string, sum: string): void {
  const { writer, finishRow } = task;
  const bound = extents(task).rows;
  const name = writer.bind('place', place);
  writer.when(`${name} < ${writer.text(bound)}`, () =>
    finishRow?.(axesNear(task, 'rows', name, true), sum),
  );
}

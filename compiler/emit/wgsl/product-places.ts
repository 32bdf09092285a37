// What the variants of a product share: indices along its batch, rows, columns and sums, and what stores the finished elements.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import { typeNames } from './expressions.ts';
import type { Index } from './indices.ts';
import { axesOf } from './kernel-context.ts';
import { divides, extents, type ProductTask } from './product-task.ts';

export type Space = 'batch' | 'rows' | 'columns' | 'sum';

const names: Readonly<Record<Space, string>> = {
  batch: 'batch',
  rows: 'row',
  columns: 'column',
  sum: 'k',
};

/** The axes of a position along a space, a flat index below its extent. */
export function axesAt(task: ProductTask, space: Space, position: Index): readonly Index[] {
  const { writer } = task;
  const bound = extents(task)[space];
  if (dims.equal(bound, dims.one)) return task[space].map(() => dims.zero);
  const named = writer.index(names[space], writer.text(position), bound);
  return axesOf(writer, task[space], named, writer.text(named));
}

/** `axesAt` for a position in text, which may lie beyond the last: then it is that of the last. */
export function axesNear(
  task: ProductTask,
  space: Space,
  position: string,
  isInside: boolean,
): readonly Index[] {
  const { writer } = task;
  const bound = extents(task)[space];
  if (dims.equal(bound, dims.one)) return task[space].map(() => dims.zero);
  const last = writer.text(dims.subtract(bound, dims.one));
  const named = writer.index(
    names[space],
    isInside ? position : `min(${position}, ${last})`,
    bound,
  );
  return axesOf(writer, task[space], named, writer.text(named));
}

/** `count` rows or columns from `start` on; those beyond the last are it once more: they are computed, not stored. */
export const placesFrom = (
  task: ProductTask,
  space: 'rows' | 'columns',
  start: string,
  count: number,
): (readonly Index[])[] =>
  Array.from({ length: count }, (_, i) =>
    axesNear(
      task,
      space,
      i === 0 ? start : `${start} + ${i}u`,
      divides(count, extents(task)[space]),
    ),
  );

/** Where an element belongs: flat positions in text. */
export type Place = Readonly<Record<'batch' | 'rows' | 'columns', string>>;

/**
 * What stores a sum, as a call of a function that computes whatever follows the product. `tile`: sums come in tiles of so many rows and
 * columns, which may reach beyond the last.
 */
export function createFinish(
  task: ProductTask,
  tile: { readonly rows: number; readonly columns: number },
): (place: Place, sum: string) => void {
  const { writer } = task;
  const size = extents(task);
  const spaces = (['batch', 'rows', 'columns'] as const).filter(
    (space) => !dims.equal(size[space], dims.one),
  );
  const call = writer.subroutine(
    'finish',
    spaces.map((space) => ({ hint: names[space], bound: size[space] })),
    { hint: 'sum', type: typeNames[task.dtype] },
    (indices, sum) => {
      const at = (space: 'batch' | 'rows' | 'columns'): readonly Index[] => {
        const i = spaces.indexOf(space);
        if (i < 0) return task[space].map(() => dims.zero);
        return axesOf(writer, task[space], indices[i], writer.text(indices[i]));
      };
      const beyond = (['rows', 'columns'] as const)
        .filter((space) => spaces.includes(space) && !divides(tile[space], size[space]))
        .map(
          (space) =>
            `${writer.text(indices[spaces.indexOf(space)])} >= ${writer.text(size[space])}`,
        );
      if (beyond.length > 0)
        writer.block(`if (${beyond.join(' || ')})`, () => writer.line('return;'));
      task.finish(at('batch'), at('rows'), at('columns'), sum);
    },
  );
  return (place, sum) => call(...spaces.map((space) => place[space]), sum);
}

/** `a + b`, or the one that is not 0. */
export const plus = (a: string, b: string): string =>
  a === '0u' ? b : b === '0u' ? a : `${a} + ${b}`;

/** The tiles of a result: how many there are, and where the one with number `at` lies. */
export function tilesOf(
  task: ProductTask,
  tile: { readonly rows: number; readonly columns: number },
) {
  const size = extents(task);
  const count = (space: 'rows' | 'columns'): Dim =>
    dims.floorDivide(
      dims.add(size[space], dims.constant(tile[space] - 1)),
      dims.constant(tile[space]),
    );
  const [stacked, abreast] = [count('rows'), count('columns')];
  return { stacked, abreast, total: dims.multiply(size.batch, dims.multiply(stacked, abreast)) };
}

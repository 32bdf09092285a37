// What the variants of a product share: indices along its batch, rows, columns and sums, and what stores the finished elements.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import { range } from '../../ir/shape-arithmetic.ts';
import { typeNames } from './expressions.ts';
import { divide, modulo, unflatten, type Index } from './indices.ts';
import { axesOf, ceilDivide, leaveBeyond, workgroup } from './kernel-context.ts';
import { divides, extents, type ProductTask, type Spaces } from './product-task.ts';

export type Space = 'batch' | 'rows' | 'columns' | 'sum';

const names: Readonly<Record<Space, string>> = {
  batch: 'batch',
  rows: 'row',
  columns: 'column',
  sum: 'k',
};

/** The axes of a position along a space, a flat index below its extent. */
export function axesAt(task: Spaces, space: Space, position: Index): readonly Index[] {
  const { writer } = task;
  const bound = extents(task)[space];
  if (dims.equal(bound, dims.one)) return task[space].map(() => dims.zero);
  const named = writer.index(names[space], writer.text(position), bound);
  return axesOf(writer, task[space], named, writer.text(named));
}

/** `axesAt` for a position in text, which may lie beyond the last: then it is that of the last. */
export function axesNear(
  task: Spaces,
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

/** Neighbours along a space, numbered from 0. */
export interface Run {
  /** The axes of one to load at: of those beyond the last, the last once more. They are computed, not stored. */
  readonly near: readonly (readonly Index[])[];
  /** The axes of one inside. */
  readonly at: (i: Index) => readonly Index[];
  /** Holds where one is inside; null where all surely are. */
  readonly isInside: (i: Index) => string | null;
}

/** The `count` rows or columns of block `number`. */
export function runOf(
  task: ProductTask,
  space: 'rows' | 'columns',
  number: Index,
  count: number,
): Run {
  const { writer } = task;
  const numbers = Array.from({ length: count }, (_, i) => dims.constant(i));
  const even = evenRun(task, space, number, count);
  if (even !== null) return { near: numbers.map(even), at: even, isInside: () => null };
  const bound = extents(task)[space];
  const first = dims.multiply(number, dims.constant(count));
  const start = writer.text(first);
  return {
    near: numbers.map((i) => axesNear(task, space, plus(start, writer.text(i)), false)),
    at: (i) => axesAt(task, space, dims.add(first, i)),
    isInside: (i) => writer.below(dims.add(first, i), bound),
  };
}

/** The axes of a run that lies inside and evenly in them, so that neighbours differ by constants; null where it may not. */
function evenRun(
  { writer, ...task }: ProductTask,
  space: 'rows' | 'columns',
  number: Index,
  count: number,
): ((i: Index) => readonly Index[]) | null {
  const along = partsOfRun(task[space], count);
  if (along === null) return null;
  const steps = along.map(dims.constant);
  const inRuns = task[space].map((size, axis) => dims.floorDivide(size, steps[axis]));
  const starts = axesOf(writer, inRuns, number, writer.text(number)).map((start, axis) =>
    dims.multiply(start, steps[axis]),
  );
  return (i) => unflatten(i, steps).map((offset, axis) => dims.add(starts[axis], offset));
}

/** How much of each axis a run of `count` takes: the innermost ones whole, and an even part of the next; null where it takes none. */
export function partsOfRun(shape: readonly Dim[], count: number): readonly number[] | null {
  let left = count;
  const parts = shape
    .toReversed()
    .map((size) => {
      const known = dims.isConstant(size) ?? Infinity;
      const part = left % known === 0 ? known : left;
      if (!divides(part, size)) return null;
      left /= part;
      return part;
    })
    .reverse();
  return left === 1 && parts.every((part) => part !== null) ? parts : null;
}

/** Where an element belongs: flat positions in text. */
export type Place = Readonly<Record<'batch' | 'rows' | 'columns', string>>;

/**
 * What stores sums of neighbours, as a call of a function that computes whatever follows the product. `tile`: sums come in tiles of so
 * many rows and columns, which may reach beyond the last.
 */
export function createFinish(
  task: ProductTask,
  tile: { readonly rows: number; readonly columns: number },
): (place: Place, sums: readonly string[]) => void {
  const { writer, together } = task;
  const size = extents(task);
  // Of a single row or column too, a tile has others beyond it: what is written over its operand must be written once.
  const isNumbered = (space: 'batch' | 'rows' | 'columns'): boolean =>
    !dims.equal(size[space], dims.one) || (space !== 'batch' && tile[space] > 1);
  const spaces = (['batch', 'rows', 'columns'] as const).filter(isNumbered);
  const type = typeNames[task.dtype];
  const several = `array<${type}, ${together}>`;
  const call = writer.subroutine(
    'finish',
    spaces.map((space) => ({ hint: names[space], bound: size[space] })),
    together === 1 ? { hint: 'sum', type } : { hint: 'sums', type: several },
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
      const sums = together === 1 ? [sum] : range(together).map((i) => `${sum}[${i}]`);
      task.finish(at('batch'), at('rows'), at('columns'), sums);
    },
  );
  return (place, sums) => {
    const all = together === 1 ? sums[0] : `${several}(${sums.join(', ')})`;
    call(...spaces.map((space) => place[space]), all);
  };
}

/** `a + b`, or the one that is not 0. */
export const plus = (a: string, b: string): string =>
  a === '0u' ? b : b === '0u' ? a : `${a} + ${b}`;

/** The tiles of a result: how many there are, stacked and abreast in each image of the batch, and where the one with number `at` lies. */
export function tilesOf(
  task: ProductTask,
  tile: { readonly rows: number; readonly columns: number },
) {
  const size = extents(task);
  const count = (space: 'rows' | 'columns'): Dim => ceilDivide(size[space], tile[space]);
  const [stacked, abreast] = [count('rows'), count('columns')];
  const perImage = dims.multiply(stacked, abreast);
  return {
    stacked,
    abreast,
    total: dims.multiply(size.batch, perImage),
    tileAt: (at: Index) => ({
      image: divide(at, perImage),
      y: modulo(divide(at, abreast), stacked),
      x: modulo(at, abreast),
    }),
  };
}

/** Where a workgroup has a tile to itself: how many there are, and where its own lies. Those without one leave. */
export function ownTile(
  task: ProductTask,
  tile: { readonly rows: number; readonly columns: number },
) {
  const { writer } = task;
  const { total, tileAt } = tilesOf(task, tile);
  const at = writer.index('tile', workgroup, total);
  leaveBeyond(writer, writer.text(at), total);
  const { image, y, x } = tileAt(at);
  const [top, left] = [
    dims.multiply(y, dims.constant(tile.rows)),
    dims.multiply(x, dims.constant(tile.columns)),
  ];
  return { total, image, top, left };
}

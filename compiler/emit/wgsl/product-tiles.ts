// Products by tiles, for GPUs: a workgroup loads a tile of each factor into workgroup memory, by fours, and each invocation computes a
// block of `down` x `across` elements from there. Tiles lie with the rows (or columns) along the vectors whatever way the
// factors lie in memory; the loads follow memory.

import * as dims from '../../dims/arithmetic.ts';
import { range } from '../../ir/shape-arithmetic.ts';
import { typeNames } from './expressions.ts';
import type { Index } from './indices.ts';
import type { KernelFrame } from './kernel-context.ts';
import { createSums } from './product-blocks.ts';
import { createRowSums, finishRowAt } from './product-rows.ts';
import { divides, extents, type ProductTask, type Variant } from './product-task.ts';
import { axesAt, axesNear, createFinish, ownTile, plus } from './product-places.ts';

export interface Tile {
  /** Rows and columns a workgroup, multiples of `4 * down` and `4 * across` over 4. */
  readonly rows: number;
  readonly columns: number;
  /** Terms of the sums that lie in workgroup memory at a time. */
  readonly depth: number;
  /** Rows and columns an invocation: multiples of 4. */
  readonly down: number;
  readonly across: number;
}

export const tiles = (tile: Tile): Variant => ({
  name: `tiles of ${tile.rows} x ${tile.columns}`,
  write: (task) => writeTiles(task, tile),
});

function writeTiles(task: ProductTask, tile: Tile): KernelFrame {
  const { writer } = task;
  const [across, down] = [tile.columns / tile.across, tile.rows / tile.down];
  const { total, image, top, left } = ownTile(task, tile);
  const start = {
    batch: writer.text(image),
    rows: writer.bind('top', writer.text(top)),
    columns: writer.bind('left', writer.text(left)),
  };
  const batch = axesAt(task, 'batch', image);
  const lhs = createSide(task, tile, 'rows', start.rows, across * down);
  const rhs = createSide(task, tile, 'columns', start.columns, across * down);
  const x = writer.bind('x', `lane % ${across}u`);
  const y = writer.bind('y', `lane / ${across}u`);
  const sums = createSums(task, tile);
  const isFirst = `${start.columns} == 0u`;
  const rowSums = createRowSums(task, tile.down, isFirst);
  const depth = extents(task).sum;
  writer.steps('first', { from: '0u', to: depth, step: tile.depth }, (first) => {
    lhs.load(batch, writer.text(first));
    rhs.load(batch, writer.text(first));
    writer.line('workgroupBarrier();');
    writer.loop('n', dims.constant(tile.depth), (n) => {
      const a = lhs.packs(writer.text(n), y, down, tile.down / 4);
      const b = rhs.packs(writer.text(n), x, across, tile.across / 4);
      const factors = [{ a: a.flatMap((pack) => [0, 1, 2, 3].map((i) => `${pack}[${i}]`)), b }];
      sums.add(factors);
      rowSums.add(factors);
    });
    writer.line('workgroupBarrier();');
  });
  rowSums.finish(`${isFirst} && ${x} == 0u`, (row, sum) =>
    finishRowAt(task, plus(start.rows, placeOf(y, down, writer.text(row))), sum),
  );
  const finish = createFinish(task, tile);
  for (let row = 0; row < tile.down; row++)
    for (let column = 0; column < tile.across; column += task.together)
      finish(
        {
          batch: start.batch,
          rows: plus(start.rows, placeOf(y, down, `${row}u`)),
          columns: plus(start.columns, placeOf(x, across, `${column}u`)),
        },
        range(task.together).map((i) => sums.at(row, column + i)),
      );
  return {
    workgroupSize: across * down,
    groups: total,
    shared: [lhs.declaration, rhs.declaration],
  };
}

/** An invocation's vectors lie `apart` from one another, so that neighbours read beside each other. */
const placeOf = (own: string, apart: number, i: string): string =>
  `(${own} + ${i} / 4u * ${apart}u) * 4u + ${i} % 4u`;

interface Side {
  readonly declaration: string;
  /** Fills the tile with the terms from `first` on. */
  readonly load: (batch: readonly Index[], first: string) => void;
  /** The vectors of term `n` that an invocation computes with. */
  readonly packs: (n: string, own: string, apart: number, count: number) => string[];
}

function createSide(
  task: ProductTask,
  tile: Tile,
  space: 'rows' | 'columns',
  start: string,
  invocations: number,
): Side {
  const { writer, dtype, contiguous } = task;
  const packs = tile[space] / 4;
  // One more than there are: else the vectors of one row or column would lie in one bank of the memory.
  const pitch = packs + 1;
  const array = writer.name(space === 'rows' ? 'lhs_tile' : 'rhs_tile');
  const rounds = (packs * tile.depth) / invocations;
  const isWhole = divides(tile.depth, extents(task).sum);
  const alongTerms = contiguous[space] === 'sum';
  const own = Array.from({ length: rounds }, (_, round) => {
    const number = plus('lane', `${round * invocations}u`);
    const [n, pack] = alongTerms
      ? [`(${number}) % ${tile.depth}u`, `(${number}) / ${tile.depth}u`]
      : [`(${number}) / ${packs}u`, `(${number}) % ${packs}u`];
    const at = { n: writer.bind('n', n), pack: writer.bind('pack', pack) };
    const places = [0, 1, 2, 3].map((i) =>
      axesNear(
        task,
        space,
        plus(start, `${at.pack} * 4u + ${i}u`),
        divides(tile[space], extents(task)[space]),
      ),
    );
    return { ...at, places };
  });
  const type = `vec4<${typeNames[dtype]}>`;
  return {
    declaration: `var<workgroup> ${array}: array<${type}, ${tile.depth * pitch}>;`,
    load(batch, first) {
      for (const { n, pack, places } of own) {
        const term = writer.bind('term', `${first} + ${n}`);
        const k = axesNear(task, 'sum', term, isWhole);
        const elements = places.map((place) =>
          space === 'rows' ? task.lhs(batch, place, k) : task.rhs(batch, k, place),
        );
        const vector = `${type}(${elements.join(', ')})`;
        const guarded = isWhole
          ? vector
          : `select(${type}(0), ${vector}, ${term} < ${writer.text(extents(task).sum)})`;
        writer.line(`${array}[${n} * ${pitch}u + ${pack}] = ${guarded};`);
      }
    },
    packs: (n, place, apart, count) =>
      Array.from({ length: count }, (_, i) =>
        writer.bind(
          space === 'rows' ? 'a' : 'b',
          `${array}[${plus(`${n} * ${pitch}u + ${place}`, `${i * apart}u`)}]`,
        ),
      ),
  };
}

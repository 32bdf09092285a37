// Products by blocks of registers, without barriers: an invocation computes `down` x `across` elements, so that each factor it loads
// is used that many times.

import * as dims from '../../dims/arithmetic.ts';
import { bracketed, typeNames } from './expressions.ts';
import { divide, modulo, type Index } from './indices.ts';
import { ceilDivide, invocation, type KernelFrame } from './kernel-context.ts';
import { divides, extents, type ProductTask, type Variant } from './product-task.ts';
import { axesAt, createFinish, placesFrom, plus, tilesOf } from './product-places.ts';

export interface Block {
  /** Rows and columns an invocation. */
  readonly down: number;
  readonly across: number;
  /** Terms of the sums that are loaded together. */
  readonly unroll: number;
  readonly workgroupSize: number;
}

export const blocks = (block: Block): Variant => ({
  name: `blocks of ${block.down} x ${block.across}`,
  write: (task) => writeBlocks(task, block),
});

function writeBlocks(task: ProductTask, block: Block): KernelFrame {
  const { writer, target } = task;
  const { down, across, workgroupSize } = block;
  const tile = { rows: down, columns: across };
  const { stacked, abreast, total } = tilesOf(task, tile);
  const number = writer.bind('block', invocation(workgroupSize));
  writer.block(`if (${number} >= ${writer.text(total)})`, () => writer.line('return;'));
  const at = writer.index('number', number, total);
  const batch = axesAt(task, 'batch', divide(at, dims.multiply(stacked, abreast)));
  const top = dims.multiply(modulo(divide(at, abreast), stacked), dims.constant(down));
  const left = dims.multiply(modulo(at, abreast), dims.constant(across));
  const start = {
    batch: writer.text(divide(at, dims.multiply(stacked, abreast))),
    rows: writer.bind('top', writer.text(top)),
    columns: writer.bind('left', writer.text(left)),
  };
  const rows = placesFrom(task, 'rows', start.rows, down);
  const columns = placesFrom(task, 'columns', start.columns, across);
  const sums = createSums(task, block);
  eachTerm(task, block.unroll, (terms) =>
    sums.add(
      terms.map((k) => ({
        a: rows.map((row) => writer.bind('a', task.lhs(batch, row, k))),
        b: sums.packed(columns.map((column) => task.rhs(batch, k, column))),
      })),
    ),
  );
  if (target.adapter === 'software') finishInLoops(task, block, batch, { top, left }, sums);
  else {
    const finish = createFinish(task, tile);
    for (let row = 0; row < down; row++)
      for (let column = 0; column < across; column++)
        finish(
          {
            batch: start.batch,
            rows: plus(start.rows, `${row}u`),
            columns: plus(start.columns, `${column}u`),
          },
          sums.at(row, column),
        );
  }
  return { workgroupSize, groups: ceilDivide(total, workgroupSize), shared: [] };
}

/** Runs `body` for all terms of the sums: `unroll` at a time along the last axis, then those that are left one by one. */
function eachTerm(
  { writer, sum }: ProductTask,
  unroll: number,
  body: (terms: readonly (readonly Index[])[]) => void,
): void {
  const last = sum.findLastIndex((size) => !dims.equal(size, dims.one));
  const within = (axis: number, outer: readonly Index[]): void => {
    if (axis > last) return body([[...outer, ...sum.slice(axis).map(() => dims.zero)]]);
    if (dims.equal(sum[axis], dims.one)) return within(axis + 1, [...outer, dims.zero]);
    if (axis < last) return writer.loop('k', sum[axis], (k) => within(axis + 1, [...outer, k]));
    const after = sum.slice(axis + 1).map(() => dims.zero);
    const together = (first: Index, count: number): void =>
      body(
        Array.from({ length: count }, (_, i) => [
          ...outer,
          dims.add(first, dims.constant(i)),
          ...after,
        ]),
      );
    const known = dims.isConstant(sum[axis]);
    if (known !== null && known <= unroll) return together(dims.zero, known);
    const whole = dims.multiply(
      dims.floorDivide(sum[axis], dims.constant(unroll)),
      dims.constant(unroll),
    );
    const from = writer.text(whole);
    writer.steps('k', { from: '0u', to: whole, step: unroll, together: unroll }, (k) =>
      together(k, unroll),
    );
    if (!dims.equal(whole, sum[axis]))
      writer.steps('k', { from, to: sum[axis], step: 1 }, (k) => together(k, 1));
  };
  within(0, []);
}

/** Factors of one term: of every row, and of the columns by fours where their number allows. */
interface Factors {
  readonly a: readonly string[];
  readonly b: readonly string[];
}

interface Sums {
  readonly packed: (columns: readonly string[]) => readonly string[];
  readonly add: (terms: readonly Factors[]) => void;
  /** The variables that hold the sums. */
  readonly registers: readonly string[];
  /** The sum at a place in the block, known when the kernel is written or when it runs. */
  readonly at: (row: number, column: number) => string;
  readonly atIndex: (row: string, column: string) => string;
}

/** The sums of a block: an array, most of whose places are known when it is compiled, so that they are registers. */
export function createSums(
  { writer, dtype }: ProductTask,
  { down, across }: Pick<Block, 'down' | 'across'>,
): Sums {
  const type = typeNames[dtype];
  const isSingle = down * across === 1;
  const width = across % 4 === 0 ? 4 : 1;
  const packs = across / width;
  const array = writer.name('sums');
  const element = width === 4 ? `vec4<${type}>` : type;
  writer.line(
    isSingle ? `var ${array} = ${type}(0);` : `var ${array}: array<${element}, ${down * packs}>;`,
  );
  const place = (row: number, pack: number): string =>
    isSingle ? array : `${array}[${row * packs + pack}]`;
  return {
    packed: (columns) =>
      width === 1
        ? columns.map((column) => writer.bind('b', column))
        : Array.from({ length: packs }, (_, pack) =>
            writer.bind('b', `${element}(${columns.slice(4 * pack, 4 * pack + 4).join(', ')})`),
          ),
    add(terms) {
      for (let row = 0; row < down; row++)
        for (let pack = 0; pack < packs; pack++) {
          const products = terms.map(({ a, b }) => `${bracketed(a[row])} * ${bracketed(b[pack])}`);
          writer.line(`${place(row, pack)} += ${products.join(' + ')};`);
        }
    },
    registers: Array.from({ length: down * packs }, (_, i) =>
      place(Math.floor(i / packs), i % packs),
    ),
    at: (row, column) =>
      width === 1 ? place(row, column) : `${place(row, column >> 2)}[${column & 3}]`,
    atIndex(row, column) {
      if (isSingle) return array;
      return width === 1
        ? `${array}[${row} * ${across}u + ${column}]`
        : `${array}[${row} * ${packs}u + ${column} / 4u][${column} % 4u]`;
    },
  };
}

/** Stores the block element by element, in loops: SwiftShader's compiler takes seconds for so many copies of what follows. */
function finishInLoops(
  task: ProductTask,
  { down, across }: Block,
  batch: readonly Index[],
  { top, left }: { readonly top: Index; readonly left: Index },
  sums: Sums,
): void {
  const { writer, finish } = task;
  const within = (
    space: 'rows' | 'columns',
    first: Index,
    count: number,
    body: (place: string, index: readonly Index[]) => void,
  ): void => {
    const bound = extents(task)[space];
    const at = (offset: Index, place: string): void => {
      const position = dims.add(first, offset);
      const inside = divides(count, bound) ? null : writer.below(position, bound);
      writer.when(inside, () => body(place, axesAt(task, space, position)));
    };
    if (count === 1) at(dims.zero, '0u');
    else writer.loop('n', dims.constant(count), (n) => at(n, writer.text(n)));
  };
  within('rows', top, down, (row, rowIndex) =>
    within('columns', left, across, (column, columnIndex) =>
      finish(batch, rowIndex, columnIndex, sums.atIndex(row, column)),
    ),
  );
}

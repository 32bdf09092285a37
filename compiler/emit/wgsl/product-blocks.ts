// Products by blocks of registers, without barriers: an invocation computes `down` x `across` elements, so that each factor it loads
// is used that many times.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import { range } from '../../ir/shape-arithmetic.ts';
import { bracketed, isName, typeNames } from './expressions.ts';
import type { Index } from './indices.ts';
import {
  ceilDivide,
  inSteps,
  invocation,
  leaveBeyond,
  type KernelFrame,
} from './kernel-context.ts';
import type { ProductTask, Variant } from './product-task.ts';
import { createRowSums } from './product-rows.ts';
import { axesAt, createFinish, plus, runOf, tilesOf, type Run } from './product-places.ts';

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
  const { writer, target, together } = task;
  const { down, across, workgroupSize } = block;
  const tile = { rows: down, columns: across };
  const { stacked, abreast, total, tileAt } = tilesOf(task, tile);
  const number = writer.bind('block', invocation(workgroupSize));
  leaveBeyond(writer, number, total);
  const at = writer.index('number', number, total);
  const { image, ...place } = tileAt(at);
  const batch = axesAt(task, 'batch', image);
  const y = writer.index('y', writer.text(place.y), stacked);
  const x = writer.index('x', writer.text(place.x), abreast);
  const rows = runOf(task, 'rows', y, down);
  const columns = runOf(task, 'columns', x, across);
  const sums = createSums(task, block);
  const isFirst = `${writer.text(x)} == 0u`;
  const rowSums = createRowSums(task, down, isFirst);
  eachTerm(task, block.unroll, (terms) => {
    // A window reads an element under several taps.
    const named = (hint: string, expression: string): string => {
      if (isName(expression)) return expression;
      const known = writer.recall(expression);
      if (known !== undefined) return known;
      const name = writer.bind(hint, expression);
      writer.remember(expression, name);
      return name;
    };
    const factors = terms.map((k) => ({
      a: rows.near.map((row) => named('a', task.lhs(batch, row, k))),
      b: sums.packed(columns.near.map((column) => named('b', task.rhs(batch, k, column)))),
    }));
    sums.add(factors);
    rowSums.add(factors);
  });
  rowSums.finish(isFirst, (row, sum) =>
    writer.when(rows.isInside(row), () => task.finishRow?.(rows.at(row), sum)),
  );
  if (target.adapter === 'software') finishInLoops(task, block, batch, { rows, columns }, sums);
  else {
    const finish = createFinish(task, tile);
    const first = (i: Index, count: number): string =>
      writer.text(dims.multiply(i, dims.constant(count)));
    for (let row = 0; row < down; row++)
      for (let column = 0; column < across; column += together)
        finish(
          {
            batch: writer.text(image),
            rows: plus(first(y, down), `${row}u`),
            columns: plus(first(x, across), `${column}u`),
          },
          range(together).map((i) => sums.at(row, column + i)),
        );
  }
  return { workgroupSize, groups: ceilDivide(total, workgroupSize), shared: [] };
}

/** Runs `body` for all terms of the sums: `unroll` at a time along the last axis, then those that are left one by one. */
export function eachTerm(
  { writer, sum }: Pick<ProductTask, 'writer' | 'sum'>,
  unroll: number,
  body: (terms: readonly (readonly Index[])[]) => void,
): void {
  const last = sum.findLastIndex((size) => !dims.equal(size, dims.one));
  const inner = sum.slice(last + 1).map(() => dims.zero);
  const within = (outer: readonly Index[]): void => {
    const axis = outer.length;
    if (axis > last) return body([[...outer, ...inner]]);
    const most = axis === last ? togetherOf(sum[axis], unroll) : 1;
    inSteps(writer, 'k', sum[axis], most, (first, count) => {
      const numbers = Array.from({ length: count }, (_, i) => dims.add(first, dims.constant(i)));
      if (axis === last) body(numbers.map((k) => [...outer, k, ...inner]));
      else within([...outer, ...numbers]);
    });
  };
  within([]);
}

/** How many terms along an axis are loaded together: all of a window's taps, else up to `most`, evenly if that is not far less. */
export function togetherOf(size: Dim, most: number): number {
  const known = dims.isConstant(size);
  if (known === null) return most;
  if (known <= Math.max(most, 3)) return known;
  const even = [...Array(most).keys()].map((i) => most - i).find((n) => known % n === 0) ?? 1;
  return 2 * even >= most ? even : most;
}

/** Factors of one term: of every row, and of the columns by fours where their number allows. */
interface Factors {
  readonly a: readonly string[];
  readonly b: readonly string[];
}

export interface Sums {
  readonly packed: (columns: readonly string[]) => readonly string[];
  readonly add: (terms: readonly Factors[]) => void;
  /** The variables that hold the sums. */
  readonly registers: readonly string[];
  /** The sum at a place in the block, known when the kernel is written or when it runs. */
  readonly at: (row: number, column: number) => string;
  readonly atIndex: (row: string, column: string) => string;
}

/**
 * The sums of a block: an array, most of whose places are known when it is compiled, so that they are registers. It is set to 0 in so many
 * words: in a loop, without a value, it keeps that of the round before (Dawn on SwiftShader, 2026-11-24).
 */
export function createSums(
  { writer, dtype }: Pick<ProductTask, 'writer' | 'dtype'>,
  { down, across }: Pick<Block, 'down' | 'across'>,
): Sums {
  const type = typeNames[dtype];
  const isSingle = down * across === 1;
  const width = widthOf(across);
  const packs = across / width;
  const array = writer.name('sums');
  const element = width === 1 ? type : `vec${width}<${type}>`;
  writer.line(
    isSingle
      ? `var ${array} = ${type}(0);`
      : `var ${array} = array<${element}, ${down * packs}>();`,
  );
  const place = (row: number, pack: number): string =>
    isSingle ? array : `${array}[${row * packs + pack}]`;
  return {
    packed: (columns) =>
      width === 1
        ? columns
        : Array.from({ length: packs }, (_, pack) => {
            const own = columns.slice(width * pack, width * (pack + 1));
            return writer.bind('b', `${element}(${own.join(', ')})`);
          }),
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
    at(row, column) {
      const register = place(row, Math.floor(column / width));
      return width === 1 ? register : `${register}[${column % width}]`;
    },
    atIndex(row, column) {
      if (isSingle) return array;
      if (width === 1) return `${array}[${row} * ${across}u + ${column}]`;
      return `${array}[${row} * ${packs}u + ${column} / ${width}u][${column} % ${width}u]`;
    },
  };
}

/** How many columns a vector holds. */
export const widthOf = (across: number): number =>
  [4, 3, 2].find((width) => across % width === 0) ?? 1;

/** Stores the block element by element, in loops: SwiftShader's compiler takes seconds for so many copies of what follows. */
function finishInLoops(
  { writer, finish }: ProductTask,
  { down, across }: Block,
  batch: readonly Index[],
  { rows, columns }: Readonly<Record<'rows' | 'columns', Run>>,
  sums: Sums,
): void {
  const within = (run: Run, count: number, body: (i: Index) => void): void => {
    const at = (i: Index): void => writer.when(run.isInside(i), () => body(i));
    if (count === 1) at(dims.zero);
    else writer.loop('n', dims.constant(count), at);
  };
  within(rows, down, (row) =>
    within(columns, across, (column) => {
      const [y, x] = [row, column].map(writer.text);
      finish(batch, rows.at(row), columns.at(column), [writer.bind('sum', sums.atIndex(y, x))]);
    }),
  );
}

// Products by blocks of registers, without barriers: an invocation computes `down` x `across` elements, so that each factor it loads
// is used that many times. `one element each` is the block of one.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import { bracketed, typeNames } from './expressions.ts';
import { divide, modulo, type Index } from './indices.ts';
import { axesOf, ceilDivide, invocation, type KernelFrame } from './kernel-context.ts';
import { divides, extents, type ProductTask, type Variant } from './product-kernel.ts';

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
  const { writer } = task;
  const { down, across, workgroupSize } = block;
  const size = extents(task);
  const [stacked, abreast] = [ceilDivide(size.rows, down), ceilDivide(size.columns, across)];
  const perImage = dims.multiply(stacked, abreast);
  const total = dims.multiply(size.batch, perImage);
  const number = writer.bind('block', invocation(workgroupSize));
  writer.block(`if (${number} >= ${writer.text(total)})`, () => writer.line('return;'));
  const at = writer.index('number', number, total);
  const batch = axes(task, 'batch', divide(at, perImage), size.batch);
  const top = dims.multiply(modulo(divide(at, abreast), stacked), dims.constant(down));
  const left = dims.multiply(modulo(at, abreast), dims.constant(across));
  const rows = places(task, 'rows', 'row', top, down);
  const columns = places(task, 'columns', 'column', left, across);
  const sums = createSums(task, block);
  eachTerm(task, block.unroll, (terms) => {
    const factors = terms.map((k) => ({
      a: rows.map((row) => writer.bind('a', task.lhs(batch, row, k))),
      b: sums.packed(columns.map((column) => task.rhs(batch, k, column))),
    }));
    sums.add(factors);
  });
  finishBlock(task, block, batch, { top, left }, sums.element);
  return { workgroupSize, groups: ceilDivide(total, workgroupSize), shared: [] };
}

/** The axes of a flat position, each a name. */
function axes(
  { writer, ...task }: ProductTask,
  space: 'batch' | 'rows' | 'columns',
  position: Index,
  bound: Dim,
): readonly Index[] {
  if (dims.equal(bound, dims.one)) return task[space].map(() => dims.zero);
  const named = writer.index(names[space], writer.text(position), bound);
  return axesOf(writer, task[space], named, writer.text(named));
}

const names = { batch: 'batch', rows: 'row', columns: 'column' } as const;

/** `count` rows or columns from `first` on. Those beyond the last are it once more: they are computed, not stored. */
function places(
  task: ProductTask,
  space: 'rows' | 'columns',
  hint: string,
  first: Index,
  count: number,
): (readonly Index[])[] {
  const { writer } = task;
  const bound = extents(task)[space];
  if (dims.equal(bound, dims.one)) return [task[space].map(() => dims.zero)];
  const start = writer.bind(hint, writer.text(first));
  const last = writer.text(dims.subtract(bound, dims.one));
  return Array.from({ length: count }, (_, i) => {
    const wanted = i === 0 ? start : `${start} + ${i}u`;
    const inside = divides(count, bound) ? wanted : `min(${wanted}, ${last})`;
    const at = writer.index(hint, inside, bound);
    return axesOf(writer, task[space], at, writer.text(at));
  });
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
    writer.steps('k', { from: dims.zero, to: whole, step: unroll }, (k) => together(k, unroll));
    if (!dims.equal(whole, sum[axis]))
      writer.steps('k', { from: whole, to: sum[axis], step: 1 }, (k) => together(k, 1));
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
  /** The sum at a place in the block. */
  readonly element: (down: string, across: string) => string;
}

/** The sums of a block, in an array whose places are known when it is compiled, until they are stored. */
function createSums({ writer, dtype }: ProductTask, { down, across }: Block): Sums {
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
    element(row, column) {
      if (isSingle) return array;
      return width === 1
        ? `${array}[${row} * ${across}u + ${column}]`
        : `${array}[${row} * ${packs}u + ${column} / 4u][${column} % 4u]`;
    },
  };
}

/** Stores the block, element by element. */
function finishBlock(
  task: ProductTask,
  { down, across }: Block,
  batch: readonly Index[],
  { top, left }: { readonly top: Index; readonly left: Index },
  element: Sums['element'],
): void {
  const { writer, finish } = task;
  const { rows, columns } = extents(task);
  const within = (
    space: 'rows' | 'columns',
    first: Index,
    count: number,
    bound: Dim,
    body: (place: string, index: readonly Index[]) => void,
  ): void => {
    const at = (offset: Index, place: string): void => {
      const position = dims.add(first, offset);
      const inside = divides(count, bound) ? null : writer.below(position, bound);
      writer.when(inside, () => body(place, axes(task, space, position, bound)));
    };
    if (count === 1) at(dims.zero, '0u');
    else writer.loop('n', dims.constant(count), (n) => at(n, writer.text(n)));
  };
  within('rows', top, down, rows, (row, rowIndex) =>
    within('columns', left, across, columns, (column, columnIndex) =>
      finish(batch, rowIndex, columnIndex, element(row, column)),
    ),
  );
}

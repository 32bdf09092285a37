// Products with long sums and few elements, such as the gradients of kernels, for GPUs: a workgroup shares out the terms of the sums among
// `slices` groups of its invocations, and adds what they found as a tree, always in the same order. So it takes no atomics and
// no memory besides, and two runs give the same bits.

import { range } from '../../ir/shape-arithmetic.ts';
import { typeNames } from './expressions.ts';
import { axesOf, type KernelFrame } from './kernel-context.ts';
import { createSums, widthOf, type Block } from './product-blocks.ts';
import { createRowSums, finishRowAt } from './product-rows.ts';
import { divides, extents, type ProductTask, type Variant } from './product-task.ts';
import { axesAt, axesNear, createFinish, ownTile, plus } from './product-places.ts';

export interface Slices extends Pick<Block, 'down' | 'across'> {
  /** Invocations a row and a column of blocks in the tile of a workgroup. */
  readonly side: number;
  /** A power of two. */
  readonly slices: number;
}

export const slices = (shape: Slices): Variant => ({
  name: `slices, ${shape.slices}`,
  write: (task) => writeSlices(task, shape),
});

function writeSlices(task: ProductTask, shape: Slices): KernelFrame {
  const { writer, together } = task;
  const { down, across, side, slices: count } = shape;
  const tile = { rows: side * down, columns: side * across };
  const { total, image, top, left } = ownTile(task, tile);
  // Neighbours take neighbouring terms, which mostly lie side by side.
  const slice = writer.bind('slice', `lane % ${count}u`);
  const own = writer.bind('own', `lane / ${count}u`);
  const start = {
    batch: writer.text(image),
    rows: writer.bind('top', plus(writer.text(top), `${own} / ${side}u * ${down}u`)),
    columns: writer.bind('left', plus(writer.text(left), `${own} % ${side}u * ${across}u`)),
  };
  const batch = axesAt(task, 'batch', image);
  const places = (space: 'rows' | 'columns', n: number) =>
    Array.from({ length: n }, (_, i) =>
      axesNear(
        task,
        space,
        plus(start[space], `${i}u`),
        divides(tile[space], extents(task)[space]),
      ),
    );
  const [rows, columns] = [places('rows', down), places('columns', across)];
  const sums = createSums(task, shape);
  const isFirst = `${start.columns} == 0u`;
  const rowSums = createRowSums(task, down, isFirst);
  writer.steps('k', { from: slice, to: extents(task).sum, step: count }, (term) => {
    const k = axesOf(writer, task.sum, term, writer.text(term));
    const factors = [
      {
        a: rows.map((row) => writer.bind('a', task.lhs(batch, row, k))),
        b: sums.packed(columns.map((column) => task.rhs(batch, k, column))),
      },
    ];
    sums.add(factors);
    rowSums.add(factors);
  });
  // Of the block's elements each slice finishes one, that of its own number, or as many neighbours as belong together.
  const width = widthOf(across);
  const finished = (down * across) / together;
  if (finished > count) throw new Error('a block has more to finish than slices');
  const first = together === 1 ? slice : writer.bind('first', `${slice} * ${together}u`);
  const adder = addSlices(task, shape, width);
  const all = sums.registers.map((own) => writer.bind('sum', `${adder.name}(${own}, lane)`));
  const totals = range(together).map((n) => {
    const [some, ...others] = all.map((sum) =>
      width === 1 ? sum : `${sum}[${plus(`${first} % ${width}u`, `${n}u`)}]`,
    );
    const total = writer.variable('total', task.dtype, some);
    others.forEach((sum, i) =>
      writer.assign(total, `select(${total}, ${sum}, ${first} / ${width}u == ${i + 1}u)`),
    );
    return total;
  });
  const rowAdder = rowSums.registers.length === 0 ? null : addSlices(task, shape, 1);
  for (const register of rowSums.registers)
    writer.line(`${register} = ${rowAdder?.name}(${register}, lane);`);
  rowSums.finish(`${slice} == 0u && ${isFirst}`, (row, sum) =>
    finishRowAt(task, plus(start.rows, writer.text(row)), sum),
  );
  const finish = createFinish(task, tile);
  writer.when(finished === count ? null : `${slice} < ${finished}u`, () =>
    finish(
      {
        batch: start.batch,
        rows: plus(start.rows, `${first} / ${across}u`),
        columns: plus(start.columns, `${first} % ${across}u`),
      },
      totals,
    ),
  );
  const shared = [adder, ...(rowAdder === null ? [] : [rowAdder])].map(({ text }) => text);
  return { workgroupSize: side * side * count, groups: total, shared };
}

/** A function, and the memory it takes, that adds what the slices have and gives all of them the sum. */
function addSlices(
  { writer, dtype }: ProductTask,
  { side, slices: count }: Slices,
  width: number,
): { readonly name: string; readonly text: string } {
  const [array, name] = [writer.name('of_slices'), writer.name('add_slices')];
  const type = width === 1 ? typeNames[dtype] : `vec${width}<${typeNames[dtype]}>`;
  const text = `var<workgroup> ${array}: array<${type}, ${side * side * count}>;

fn ${name}(own: ${type}, lane: u32) -> ${type} {
  let slice = lane % ${count}u;
  ${array}[lane] = own;
  workgroupBarrier();
  for (var half = ${count / 2}u; half > 0u; half /= 2u) {
    if (slice < half) {
      ${array}[lane] += ${array}[lane + half];
    }
    workgroupBarrier();
  }
  let sum = ${array}[lane - slice];
  workgroupBarrier();
  return sum;
}`;
  return { name, text };
}

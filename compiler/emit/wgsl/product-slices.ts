// Products with long sums and few elements, such as the gradients of kernels, for GPUs: a workgroup shares out the terms of the sums among
// `slices` groups of its invocations, and adds what they found as a tree, always in the same order. So it takes no atomics and
// no memory besides, and two runs give the same bits.

import * as dims from '../../dims/arithmetic.ts';
import { typeNames } from './expressions.ts';
import { divide, modulo } from './indices.ts';
import { axesOf, workgroup, type KernelFrame } from './kernel-context.ts';
import { createSums, widthOf, type Block } from './product-blocks.ts';
import { createRowSums, finishRowAt } from './product-rows.ts';
import { divides, extents, type ProductTask, type Variant } from './product-task.ts';
import { axesAt, axesNear, createFinish, plus, tilesOf } from './product-places.ts';

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
  const { writer } = task;
  const { down, across, side, slices: count } = shape;
  const tile = { rows: side * down, columns: side * across };
  const { stacked, abreast, total } = tilesOf(task, tile);
  const at = writer.index('tile', workgroup, total);
  writer.block(`if (${writer.text(at)} >= ${writer.text(total)})`, () => writer.line('return;'));
  // Neighbours take neighbouring terms, which mostly lie side by side.
  const slice = writer.bind('slice', `lane % ${count}u`);
  const own = writer.bind('own', `lane / ${count}u`);
  const image = divide(at, dims.multiply(stacked, abreast));
  const top = dims.multiply(modulo(divide(at, abreast), stacked), dims.constant(tile.rows));
  const left = dims.multiply(modulo(at, abreast), dims.constant(tile.columns));
  const start = {
    batch: writer.text(image),
    rows: writer.bind('top', `${writer.text(top)} + ${own} / ${side}u * ${down}u`),
    columns: writer.bind('left', `${writer.text(left)} + ${own} % ${side}u * ${across}u`),
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
  const shared = [
    addSlices(task, shape, slice, sums.registers, widthOf(across)),
    addSlices(task, shape, slice, rowSums.registers, 1),
  ].filter((declaration) => declaration !== null);
  rowSums.finish(`${slice} == 0u && ${isFirst}`, (row, sum) =>
    finishRowAt(task, plus(start.rows, writer.text(row)), sum),
  );
  const finish = createFinish(task, tile);
  writer.block(`if (${slice} == 0u)`, () => {
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
  });
  return { workgroupSize: side * side * count, groups: total, shared };
}

/** Adds the slices' sums, register by register, into those of slice 0. Gives the declaration of the memory it takes, if any. */
function addSlices(
  { writer, dtype }: ProductTask,
  { side, slices: count }: Slices,
  slice: string,
  registers: readonly string[],
  width: number,
): string | null {
  if (registers.length === 0) return null;
  const array = writer.name('of_slices');
  const type = width === 1 ? typeNames[dtype] : `vec${width}<${typeNames[dtype]}>`;
  for (const register of registers) {
    writer.line(`${array}[lane] = ${register};`);
    writer.line('workgroupBarrier();');
    const half = writer.name('half');
    writer.block(`for (var ${half} = ${count / 2}u; ${half} > 0u; ${half} /= 2u)`, () => {
      writer.block(`if (${slice} < ${half})`, () =>
        writer.line(`${array}[lane] += ${array}[lane + ${half}];`),
      );
      writer.line('workgroupBarrier();');
    });
    writer.line(`${register} = ${array}[lane];`);
    writer.line('workgroupBarrier();');
  }
  return `var<workgroup> ${array}: array<${type}, ${side * side * count}>;`;
}

// A kernel of one contraction and the maps that follow it. How the sum of products is computed is a `Variant`: it gets loaders for
// the two factors, which carry transposes, windows and whatever else lies before the product, and hands each finished element to
// `finish`, which computes and stores what lies after it. Positions are flat: row of 0..rows, column of 0..columns, k of 0..depth.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { DType } from '../../ir/tensor.ts';
import { bracketed } from './expressions.ts';
import { divide, modulo, sizeOf, unflatten, type Index } from './indices.ts';
import {
  ceilDivide,
  namedIndex,
  storeAll,
  workgroup,
  type KernelContext,
  type KernelFrame,
} from './kernel-context.ts';
import type { Product } from './lowering.ts';
import { elementKey, isFolded, loweringOf } from './network.ts';
import type { Writer } from './writer.ts';

/** A contraction to be written by a variant. */
export interface ProductTask {
  readonly writer: Writer;
  readonly dtype: DType;
  readonly batch: Dim;
  readonly rows: Dim;
  readonly columns: Dim;
  readonly depth: Dim;
  /** Elements of the factors; the indices must lie inside. */
  readonly lhs: (batch: Index, row: Index, k: Index) => string;
  readonly rhs: (batch: Index, k: Index, column: Index) => string;
  /** Takes the finished sum of an element inside the result. */
  readonly finish: (batch: Index, row: Index, column: Index, sum: string) => void;
}

export interface Variant {
  readonly name: string;
  readonly write: (task: ProductTask) => KernelFrame;
}

export function writeProductKernel(context: KernelContext): KernelFrame {
  const { network, kernel, writer, read, outputs } = context;
  const value = kernel.values.find((made) => isFolded(network, made));
  const node = value === undefined ? undefined : network.producerOf(value);
  if (value === undefined || node === undefined) throw new Error('a product kernel of nothing');
  const lowering = loweringOf(node);
  if (lowering.kind !== 'contract') throw new Error(`${node.op} is no contraction`);
  const product = lowering.product(node);
  const source = {
    read: (operand: number, at: readonly Index[]) => read(node.inputs[operand], at),
    code: writer,
  };
  return oneElementEach.write({
    writer,
    dtype: value.dtype,
    batch: sizeOf(product.batch),
    rows: sizeOf(product.rows),
    columns: sizeOf(product.columns),
    depth: sizeOf(product.sum),
    lhs: (batch, row, k) =>
      product.lhs({ ...apart(product, batch, k), rows: unflatten(row, product.rows) }, source),
    rhs: (batch, k, column) =>
      product.rhs(
        { ...apart(product, batch, k), columns: unflatten(column, product.columns) },
        source,
      ),
    finish(batch, row, column, sum) {
      const index = product.output(
        unflatten(batch, product.batch),
        unflatten(row, product.rows),
        unflatten(column, product.columns),
      );
      writer.remember(elementKey(value, index), sum);
      storeAll(context, outputs, index);
    },
  });
}

const apart = (product: Product, batch: Index, k: Index) => ({
  batch: unflatten(batch, product.batch),
  sum: unflatten(k, product.sum),
});

/** An invocation an element, sixteen by sixteen a workgroup. */
const oneElementEach: Variant = {
  name: 'one element each',
  write({ writer, dtype, batch, rows, columns, depth, lhs, rhs, finish }) {
    const side = 16;
    const [across, down] = [ceilDivide(columns, side), ceilDivide(rows, side)];
    const groups = dims.multiply(batch, dims.multiply(across, down));
    const tile = namedIndex(writer.bind('tile', workgroup), groups);
    const inTile = (of: Index, n: string): string =>
      `${bracketed(writer.text(of))} * ${side}u + ${n}`;
    const column = writer.bind('column', inTile(modulo(tile, across), `lane % ${side}u`));
    const row = writer.bind('row', inTile(modulo(divide(tile, across), down), `lane / ${side}u`));
    const image = divide(tile, dims.multiply(across, down));
    const isOutside = [
      `${row} >= ${writer.text(rows)}`,
      `${column} >= ${writer.text(columns)}`,
      // Workgroups are folded into a rectangle that may be larger than their number.
      `${writer.text(image)} >= ${writer.text(batch)}`,
    ];
    writer.block(`if (${isOutside.join(' || ')})`, () => writer.line('return;'));
    const at = {
      batch: dims.equal(batch, dims.one)
        ? dims.zero
        : writer.index('batch', writer.text(image), batch),
      row: namedIndex(row, rows),
      column: namedIndex(column, columns),
    };
    const sum = writer.variable('total', dtype, `${dtype}(0)`);
    writer.loop('k', depth, (k) => {
      const [a, b] = [lhs(at.batch, at.row, k), rhs(at.batch, k, at.column)];
      writer.assign(sum, `${sum} + ${bracketed(a)} * ${bracketed(b)}`);
    });
    finish(at.batch, at.row, at.column, sum);
    return { workgroupSize: side * side, groups, shared: [] };
  },
};

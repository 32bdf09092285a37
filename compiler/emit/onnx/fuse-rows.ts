// Products of rows, `Reshape(Gemm)`: the Gemm has two axes, and a Reshape puts back those that were flattened for it. What is
// added to the rows, or taken of their columns, goes between the two.

import { isConstant } from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import { sameShape } from '../../ir/types.ts';
import type { Context, Fused } from './fuse.ts';
import type { NodeProto } from './proto.ts';

interface Rows {
  readonly reshape: NodeProto;
  readonly gemm: NodeProto;
  readonly product: string;
  readonly columns: number;
  readonly shape: readonly Dim[];
}

/** The rows that `name` is, if nothing else reads them. */
function rowsOf(name: string, context: Context): Rows | null {
  const reshape = context.onlyFor(name, 'Reshape');
  const [product] = reshape?.input ?? [];
  const gemm = product === undefined ? undefined : context.onlyFor(product, 'Gemm');
  const shape = context.shapeOf(name);
  if (reshape === undefined || gemm?.input?.length !== 2 || shape === undefined) return null;
  const columns = columnsIn(gemm, context);
  return columns === undefined ? null : { reshape, gemm, product, columns, shape };
}

const columnsIn = (gemm: NodeProto, context: Context): number | undefined =>
  context.sizeOf(gemm.input?.[1] ?? '', transposesB(gemm) ? 0 : 1);

/** What is added to rows is the third operand of their Gemm: a bias of one number a column, or as many rows. */
export function rowsPlus(name: string, added: string, context: Context): Fused {
  const rows = rowsOf(name, context);
  const shape = context.shapeOf(added);
  if (rows === null || shape === undefined) return null;
  const isBias = shape.length > 0 && isSuffix(shape, rows.shape) && product(shape) === rows.columns;
  if (!isBias && !sameShape(shape, rows.shape)) return null;
  const flat = isBias ? [rows.columns] : [-1, rows.columns];
  const third = shape.length === flat.length ? added : `${added}:for ${rows.product}`;
  const output = `${rows.product}:biased`;
  return [
    ...(third === added
      ? []
      : [
          { name: third, opType: 'Reshape', input: [added, context.int64s(flat)], output: [third] },
        ]),
    { ...rows.gemm, input: [...(rows.gemm.input ?? []), third], output: [output] },
    { ...rows.reshape, input: [output, ...(rows.reshape.input ?? []).slice(1)] },
  ];
}

const isSuffix = (part: readonly Dim[], whole: readonly Dim[]): boolean =>
  part.length <= whole.length && sameShape(part, whole.slice(whole.length - part.length));

/** The number of elements, where every size is a number; else undefined. */
function product(shape: readonly Dim[]): number | undefined {
  const sizes = shape.map(isConstant);
  return sizes.every((size) => size !== null) ? sizes.reduce((a, b) => a * b, 1) : undefined;
}

/** One entry of the axis before the last of [m, n, k], which is a Reshape of [m, n * k]: columns of that. */
export function columnsOf([name]: readonly string[], context: Context): Fused {
  const slice = context.onlyFor(name, 'Slice');
  const [data, starts, ends, axes, steps] = slice?.input ?? [];
  const view = data === undefined ? undefined : context.makerOf(data);
  if (slice === undefined || view?.opType !== 'Reshape') return null;
  const [flat] = view.input ?? [];
  const shape = context.shapeOf(data);
  const list = [starts, ends, axes].map(context.int64sOf);
  if (steps !== undefined || shape?.length !== 3 || list.some((of) => of?.length !== 1))
    return null;
  const [[start], [end], [axis]] = list as [
    readonly number[],
    readonly number[],
    readonly number[],
  ];
  const width = isConstant(shape[2]);
  const isOne = axis === 1 && end === start + 1 && width !== null;
  const gemm = context.makerOf(flat);
  if (!isOne || gemm?.opType !== 'Gemm') return null;
  if (columnsIn(gemm, context) !== product(shape.slice(1))) return null;
  const at = [start * width, end * width].map((place) => context.int64s([place]));
  return [{ ...slice, input: [flat, ...at, context.int64s([1])] }];
}

const transposesB = (gemm: NodeProto): boolean =>
  Number(gemm.attribute?.find(({ name }) => name === 'transB')?.i ?? 0) === 1;

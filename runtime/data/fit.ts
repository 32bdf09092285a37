// A file's array against its declaration: `x: [B, 1, 28, 28]`, `y: fin(10)[B]`. What fits, and what is converted on the way, is
// said in docs/data.md; everything else is refused before anything runs.

import { isConstant } from '../../compiler/dims/arithmetic.ts';
import { bindSizes, type SizeOf } from '../../compiler/ir/sizes.ts';
import type { DType, Tensor } from '../../compiler/ir/tensor.ts';
import { allocate, sizeOf as elementCount } from '../../compiler/ir/tensor.ts';
import { showPort, type DataPort } from '../../compiler/program.ts';
import { count, isProblem, problem, showSizes, type Problem } from '../problem.ts';
import type { ArrayFile } from './array.ts';

/** An array that fits its declaration: reshaped, its values checked, converted only when rows are taken. */
export interface Column {
  readonly port: DataPort;
  readonly file: string;
  readonly type: ArrayFile['type'];
  /** As declared, in numbers. */
  readonly shape: readonly number[];
  readonly data: ArrayFile['data'];
  /** Bytes for reals are pixels: 1/255, else 1. */
  readonly scale: number;
}

export interface Loaded {
  readonly port: DataPort;
  readonly file: string;
  readonly array: ArrayFile;
}

const dtypes: Readonly<Record<DataPort['base'], DType>> = {
  real: 'f32',
  int: 'i32',
  fin: 'i32',
  bool: 'bool',
};

/** Fits arrays to their declarations together, so that a size that two of them share is one. */
export function fitAll(
  loaded: readonly Loaded[],
): { readonly columns: readonly Column[]; readonly sizeOf: SizeOf } | Problem {
  const shapes = new Map<string, readonly number[]>();
  for (const item of loaded) {
    const shape = arrange(item);
    if (isProblem(shape)) return shape;
    shapes.set(item.port.name, shape);
  }
  const ports = loaded.map(({ port }, id) => ({
    name: port.name,
    role: 'data' as const,
    value: { id, dtype: dtypes[port.base], shape: port.shape },
  }));
  const sizeOf = bindSizes(ports, shapes);
  if (typeof sizeOf === 'string')
    return problem(
      'E0503',
      null,
      `the data do not fit together: ${sizeOf}`,
      loaded.map(describe).join('; '),
    );
  const columns: Column[] = [];
  for (const item of loaded) {
    const column = { ...baseOf(item), shape: shapes.get(item.port.name) ?? [] };
    const wrong = checkValues(column, sizeOf);
    if (wrong !== null) return wrong;
    columns.push(column);
  }
  return { columns, sizeOf };
}

const describe = ({ port, file, array }: Loaded): string =>
  `${file} holds ${showSizes(array.shape)} for ${port.name}: ${showPort(port)}`;

const baseOf = ({ port, file, array }: Loaded): Omit<Column, 'shape'> => ({
  port,
  file,
  type: array.type,
  data: array.data,
  scale: port.base === 'real' && array.type === 'uint8' ? 1 / 255 : 1,
});

/**
 * The array's shape as declared. Axes after the first may be merged or split, and axes of size 1 come and go, where the declared
 * ones are numbers: [N, 28, 28] fits [B, 784] and [B, 1, 28, 28]. Elements never change their order.
 */
function arrange({ port, file, array }: Loaded): readonly number[] | Problem {
  const declared = port.shape.map(isConstant);
  const found = array.shape;
  if (found.includes(0)) return problem('E0503', file, `holds no elements: ${showSizes(found)}`);
  const fits = (shape: readonly number[]): boolean =>
    shape.length === declared.length && declared.every((d, i) => d === null || d === shape[i]);
  if (fits(found)) return found;
  const [rows, ...row] = found;
  const tail = declared.slice(1);
  if (rows !== undefined && declared.length > 0 && tail.every((d) => d !== null)) {
    const first = declared[0];
    if ((first === null || first === rows) && (refines(row, tail) || refines(tail, row)))
      return [rows, ...tail];
  }
  return problem(
    'E0503',
    file,
    `holds ${showSizes(found)}, but ${port.name} is declared ${showPort(port)}`,
    suggestShape(declared, found),
  );
}

/** Whether merging neighbours of `fine` gives `coarse`, axes of size 1 aside. */
function refines(fine: readonly number[], coarse: readonly number[]): boolean {
  const parts = fine.filter((n) => n !== 1);
  let at = 0;
  for (const whole of coarse.filter((n) => n !== 1)) {
    let product = 1;
    while (product < whole && at < parts.length) product *= parts[at++];
    if (product !== whole) return false;
  }
  return at === parts.length;
}

function suggestShape(
  declared: readonly (number | null)[],
  found: readonly number[],
): string | null {
  const row = declared.slice(1);
  const last = found.at(-1);
  if (row.length === 3 && found.length === 4 && last !== undefined && row[0] === last)
    return 'the file has its channels last; transpose it: in NumPy, array.transpose(0, 3, 1, 2)';
  if (found.length === row.length)
    return 'one row alone? The first axis counts the rows: add an axis of size 1 in front';
  const constants = row.filter((d) => d !== null);
  if (constants.length < row.length || found.length < 2) return null;
  const [given, wanted] = [elementCount(found.slice(1)), elementCount(constants)];
  return given === wanted
    ? 'the axes stand in another order: transpose the file'
    : `a row has ${count(given)} elements and ${count(wanted)} are declared`;
}

/** Every value in its declared range; the first that is not, with its place. */
function checkValues(column: Column, sizeOf: SizeOf): Problem | null {
  const { port, data, shape, file } = column;
  const limit = port.size === null ? 0 : sizeOf(port.size);
  const rule = rules[port.base];
  const at = rule.firstBad(data, limit);
  if (at < 0) return null;
  return problem(
    'E0504',
    file,
    `${placeOf(at, shape)} holds ${data[at]}, but ${port.name} is declared ${showPort(port)}: ${rule.expected(limit)}`,
    port.base === 'fin' && data[at] === limit && !data.includes(0)
      ? 'do the classes start at 1? They start at 0 in DLG'
      : null,
  );
}

interface Rule {
  readonly firstBad: (data: ArrayFile['data'], limit: number) => number;
  readonly expected: (limit: number) => string;
}

const rules: Readonly<Record<DataPort['base'], Rule>> = {
  real: {
    firstBad: (data) =>
      data instanceof Float32Array || data instanceof Float64Array
        ? data.findIndex((v) => !Number.isFinite(Math.fround(v)))
        : -1,
    expected: () => 'a finite number that a 32-bit real can hold',
  },
  int: {
    firstBad: (data) => data.findIndex((v) => (v | 0) !== v),
    expected: () => 'a whole number of at most 32 bits',
  },
  fin: {
    firstBad: (data, limit) => data.findIndex((v) => !(v >= 0 && v < limit && Number.isInteger(v))),
    expected: (limit) => `a whole number from 0 to ${limit - 1}`,
  },
  bool: {
    firstBad: (data) => data.findIndex((v) => v !== 0 && v !== 1),
    expected: () => '0 or 1',
  },
};

/** `row 17` or `row 17, place [3, 5]`; rows and places count from 0, as indices do. */
function placeOf(at: number, shape: readonly number[]): string {
  if (shape.length === 0) return 'the file';
  const index = shape.map(() => 0);
  let rest = at;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
  }
  const [row, ...place] = index;
  return place.length === 0 ? `row ${count(row)}` : `row ${count(row)}, place ${showSizes(place)}`;
}

/** The whole column as a tensor. */
export function toTensor(column: Column): Tensor {
  const { shape } = column;
  const data = allocate(dtypes[column.port.base], column.data.length);
  convert(column, 0, column.data.length, data, 0);
  return { dtype: dtypes[column.port.base], shape, data };
}

/** The rows `rows[from..to)` of the first axis, in that order. */
export function takeRows(column: Column, rows: Uint32Array, from: number, to: number): Tensor {
  const [, ...row] = column.shape;
  const width = elementCount(row);
  const dtype = dtypes[column.port.base];
  const data = allocate(dtype, (to - from) * width);
  for (let i = from; i < to; i++) convert(column, rows[i] * width, width, data, (i - from) * width);
  return { dtype, shape: [to - from, ...row], data };
}

function convert(
  { data, scale }: Column,
  from: number,
  length: number,
  out: Tensor['data'],
  at: number,
): void {
  if (scale === 1) out.set(data.subarray(from, from + length), at);
  else for (let i = 0; i < length; i++) out[at + i] = data[from + i] * scale;
}

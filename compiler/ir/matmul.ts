// Matrix products for the reference evaluation of contractions and convolutions.

import type { TensorData } from './tensor.ts';

/** Elements `offset + i * row + j * column` of `data`. */
export interface Matrix {
  readonly data: TensorData;
  readonly offset: number;
  readonly row: number;
  readonly column: number;
}

/** Row-major, `columns` wide. */
export const matrix = (data: TensorData, offset: number, columns: number): Matrix => ({
  data,
  offset,
  row: columns,
  column: 1,
});

/**
 * `c += a b` for a [m, k], b [k, n], c [m, n]. The columns of b and c are 1 apart. Sums of reals are held in float64, then
 * rounded once to the type of c; integers wrap.
 */
export function addProduct(a: Matrix, b: Matrix, c: Matrix, m: number, k: number, n: number): void {
  const kernel =
    c.data instanceof Float32Array || c.data instanceof Float64Array ? addRow : addIntegerRow;
  const sums = new Float64Array(n);
  for (let i = 0; i < m; i++) {
    const from = c.offset + i * c.row;
    kernel(a, i, b, c.data, from, k, sums);
  }
}

/** Four rows of b at a time: about 1.5 GFLOP/s in Node 20, which is enough for the tests' models. */
function addRow(
  a: Matrix,
  i: number,
  b: Matrix,
  c: TensorData,
  from: number,
  k: number,
  sums: Float64Array,
): void {
  const n = sums.length;
  const [x, y] = [a.data, b.data];
  for (let j = 0; j < n; j++) sums[j] = c[from + j];
  let at = a.offset + i * a.row;
  let p = 0;
  for (; p + 4 <= k; p += 4) {
    const a0 = x[at];
    const a1 = x[at + a.column];
    const a2 = x[at + 2 * a.column];
    const a3 = x[at + 3 * a.column];
    at += 4 * a.column;
    const r0 = b.offset + p * b.row;
    const r1 = r0 + b.row;
    const r2 = r1 + b.row;
    const r3 = r2 + b.row;
    for (let j = 0; j < n; j++)
      sums[j] += a0 * y[r0 + j] + a1 * y[r1 + j] + a2 * y[r2 + j] + a3 * y[r3 + j];
  }
  for (; p < k; p++) {
    const a0 = x[at];
    at += a.column;
    const r0 = b.offset + p * b.row;
    for (let j = 0; j < n; j++) sums[j] += a0 * y[r0 + j];
  }
  for (let j = 0; j < n; j++) c[from + j] = sums[j];
}

function addIntegerRow(
  a: Matrix,
  i: number,
  b: Matrix,
  c: TensorData,
  from: number,
  k: number,
  sums: Float64Array,
): void {
  for (let p = 0; p < k; p++) {
    const factor = a.data[a.offset + i * a.row + p * a.column];
    const row = b.offset + p * b.row;
    // Storing in an integer array wraps modulo 2^32.
    for (let j = 0; j < sums.length; j++) c[from + j] += Math.imul(factor, b.data[row + j]);
  }
}

// log|det| of a matrix by Gaussian elimination with partial pivoting, in float64: the yardstick of derived log-determinants.

import type { Tensor } from '../../compiler/ir/tensor.ts';

export function logAbsoluteDeterminant(rows: readonly (readonly number[])[]): number {
  const a = rows.map((row) => [...row]);
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const below = a.map((row, r) => (r < i ? -1 : Math.abs(row[i])));
    const pivot = below.indexOf(Math.max(...below));
    [a[i], a[pivot]] = [a[pivot], a[i]];
    sum += Math.log(Math.abs(a[i][i]));
    for (let r = i + 1; r < a.length; r++) {
      const factor = a[r][i] / a[i][i];
      for (let c = i; c < a.length; c++) a[r][c] -= factor * a[i][c];
    }
  }
  return sum;
}

/** log|det| of each example's block of the Jacobian [batch, ..event of y, batch, ..event of x]. */
export function logDeterminants({ shape, data }: Tensor, batch: number): number[] {
  const n = Math.round(Math.sqrt(data.length));
  const event = n / batch;
  if (n * n !== data.length || shape[0] !== batch) throw new Error('no square Jacobian');
  const indices = Array.from({ length: event }, (_, i) => i);
  return Array.from({ length: batch }, (_, b) =>
    logAbsoluteDeterminant(
      indices.map((i) => indices.map((j) => data[(b * event + i) * n + b * event + j])),
    ),
  );
}

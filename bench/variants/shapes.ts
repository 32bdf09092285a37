// The shapes that candidates are measured on: those of the table, as products of two stored matrices.

import { constant } from '../../compiler/dims/arithmetic.ts';
import type { VariantName } from '../../compiler/emit/wgsl/adapter.ts';
import { emitWgsl, type WgslProgram } from '../../compiler/emit/wgsl/emit.ts';
import { productTable } from '../../compiler/emit/wgsl/product-table.ts';
import { createBuilder } from '../../compiler/ir/builder.ts';

/** Batch, rows, columns, terms. */
export type Shape = readonly [number, number, number, number];

export const operations = (shape: Shape): number => 2 * shape.reduce((a, b) => a * b, 1);

/** Bytes of the two factors and the result. */
export const bytes = ([batch, rows, columns, sum]: Shape): number =>
  4 * batch * (rows * sum + columns * sum + rows * columns);

/** c[b, m, n] = sum over k of x[b, m, k] w[b, n, k], the form of a dense layer, by one variant. */
export function programOf([batch, rows, columns, sum]: Shape, product: VariantName): WgslProgram {
  const builder = createBuilder();
  const input = (name: string, ...shape: readonly number[]) =>
    builder.input(name, 'data', { dtype: 'f32', shape: shape.map(constant) });
  const result = builder.dotGeneral(input('x', batch, rows, sum), input('w', batch, columns, sum), {
    lhsBatch: [0],
    rhsBatch: [0],
    lhsContracting: [2],
    rhsContracting: [2],
  });
  builder.output('c', 'result', result);
  return emitWgsl(builder.graph('product'), { adapter: 'gpu', product });
}

/** Every shape of the table. */
export function tableShapes(): readonly Shape[] {
  const { batch, sum, side } = productTable.sizes;
  return batch.flatMap((b) =>
    sum.flatMap((k) => side.flatMap((rows) => side.map((columns): Shape => [b, rows, columns, k]))),
  );
}

// Losses and reports: those of a step, their means over rows, and those of data that is not learnt from.

import { tensor, type Tensor } from '../compiler/ir/tensor.ts';
import { takeBatch, type Dataset } from './data/dataset.ts';
import { inOrder } from './data/order.ts';
import type { Program } from './program.ts';

/** Losses and reports by name, as means over rows. */
export type Measures = Readonly<Record<string, number>>;

/** Sums over rows of the losses and reports since they were last shown, and how many rows. */
export interface Sums {
  readonly rows: number;
  readonly totals: Readonly<Record<string, number>>;
}

export const noSums: Sums = { rows: 0, totals: {} };

const measured = new Set(['loss', 'report']);

export const measuresOf = (program: Program, outputs: Readonly<Record<string, Tensor>>): Measures =>
  Object.fromEntries(
    program.outputs
      .filter(({ role }) => measured.has(role))
      .map(({ name }) => [name, outputs[name].data[0]]),
  );

export const addMeasures = ({ rows, totals }: Sums, more: number, measures: Measures): Sums => ({
  rows: rows + more,
  totals: Object.fromEntries(
    Object.entries(measures).map(([name, value]) => [name, (totals[name] ?? 0) + value * more]),
  ),
});

export const meansOf = ({ rows, totals }: Sums): Measures =>
  Object.fromEntries(Object.entries(totals).map(([name, total]) => [name, total / rows]));

/**
 * The losses and reports on data that is not learnt from, as means over its rows: exact for what is itself a mean over the batch, as
 * losses and accuracies are. Rows that do not fill a batch of fixed size are left out.
 */
export async function measure(
  program: Program,
  data: Dataset,
  { batch, seed: first }: { readonly batch: number; readonly seed: number },
  tensors: ReadonlyMap<string, Tensor>,
): Promise<Measures> {
  const order = inOrder(data.rows);
  const weights = Object.fromEntries(tensors);
  let sums = noSums;
  for (let from = 0; from < data.rows; from += batch) {
    const to = Math.min(from + batch, data.rows);
    if (data.fixedBatch !== null && to - from < data.fixedBatch) break;
    // Each batch has draws of its own, the same after every epoch.
    const seed = tensor('u32', [], [(first + from) >>> 0]);
    const outputs = await program.run({ ...weights, ...takeBatch(data, order, from, to), seed });
    sums = addMeasures(sums, to - from, measuresOf(program, outputs));
  }
  return meansOf(sums);
}

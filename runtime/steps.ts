// The next steps of training: one by the step's program, or several at once by one that loops over stacked batches
// (compiler/transform/repeat-steps.ts), with the same results.

import type { Tensor } from '../compiler/ir/tensor.ts';
import { sizeOf } from '../compiler/ir/tensor.ts';
import { runStep, type Carried, type Program } from './program.ts';

type Tensors = Readonly<Record<string, Tensor>>;

/** A program that does `count` steps. */
export interface SeveralSteps {
  readonly program: Program;
  readonly count: number;
}

/** What some steps gave: the values to feed back after the last, and what each measured. */
export interface Taken {
  readonly carried: Carried;
  readonly measured: readonly Tensors[];
}

/** `batch`: the rows of all steps one after the other. */
export async function takeSteps(
  program: Program,
  count: number,
  batch: Tensors,
  before: Carried,
  seed: Tensor,
): Promise<Taken> {
  const stacked = (x: Tensor): Tensor => ({
    ...x,
    shape: [count, x.shape[0] / count, ...x.shape.slice(1)],
  });
  const data = Object.entries(batch).map(([name, x]) => [name, stacked(x)] as const);
  const feeds = { ...Object.fromEntries(data), seed };
  const { outputs, carried } = await runStep(program, feeds, before);
  return { carried, measured: rowsOf(outputs, count) };
}

export async function takeStep(
  program: Program,
  batch: Tensors,
  before: Carried,
  seed: Tensor,
): Promise<Taken> {
  const { outputs, carried } = await runStep(program, { ...batch, seed }, before);
  return { carried, measured: [outputs] };
}

/** What each step measured: its row of every output. */
const rowsOf = (outputs: Tensors, count: number): readonly Tensors[] =>
  Array.from({ length: count }, (_, k) =>
    Object.fromEntries(
      Object.entries(outputs).map(([name, { dtype, shape, data }]) => {
        const row = shape.slice(1);
        const size = sizeOf(row);
        return [name, { dtype, shape: row, data: data.slice(k * size, (k + 1) * size) }];
      }),
    ),
  );

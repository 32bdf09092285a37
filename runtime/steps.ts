// The next steps of training: one by the step's program, or several at once by one that loops over stacked batches
// (compiler/transform/repeat-steps.ts), with the same results.

import type { Tensor } from '../compiler/ir/tensor.ts';
import { sizeOf } from '../compiler/ir/tensor.ts';
import type { Program } from './program.ts';

type Tensors = Readonly<Record<string, Tensor>>;

/** A program that does `count` steps. */
export interface SeveralSteps {
  readonly program: Program;
  readonly count: number;
}

/** What some steps gave: the values to feed back after the last, and what each measured. */
export interface Taken {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly measured: readonly Tensors[];
}

/** `batch`: the rows of all steps one after the other. */
export async function takeSteps(
  program: Program,
  count: number,
  batch: Tensors,
  carried: ReadonlyMap<string, Tensor>,
  seed: Tensor,
): Promise<Taken> {
  const stacked = (x: Tensor): Tensor => ({
    ...x,
    shape: [count, x.shape[0] / count, ...x.shape.slice(1)],
  });
  const data = Object.entries(batch).map(([name, x]) => [name, stacked(x)] as const);
  const outputs = await program.run({
    ...Object.fromEntries(data),
    ...Object.fromEntries(carried),
    seed,
  });
  return { tensors: fedBack(carried, outputs), measured: rowsOf(carried, outputs, count) };
}

export async function takeStep(
  program: Program,
  batch: Tensors,
  carried: ReadonlyMap<string, Tensor>,
  seed: Tensor,
): Promise<Taken> {
  const outputs = await program.run({ ...batch, ...Object.fromEntries(carried), seed });
  return { tensors: fedBack(carried, outputs), measured: [outputs] };
}

const fedBack = (carried: ReadonlyMap<string, Tensor>, outputs: Tensors): Map<string, Tensor> =>
  new Map([...carried.keys()].map((name) => [name, outputs[`${name}.next`]]));

/** What each step measured: its row of every output that is not fed back. */
function rowsOf(
  carried: ReadonlyMap<string, Tensor>,
  outputs: Tensors,
  count: number,
): readonly Tensors[] {
  const names = new Set([...carried.keys()].map((name) => `${name}.next`));
  const own = Object.entries(outputs).filter(([name]) => !names.has(name));
  return Array.from({ length: count }, (_, k) =>
    Object.fromEntries(
      own.map(([name, { dtype, shape, data }]) => {
        const row = shape.slice(1);
        const size = sizeOf(row);
        return [name, { dtype, shape: row, data: data.slice(k * size, (k + 1) * size) }];
      }),
    ),
  );
}

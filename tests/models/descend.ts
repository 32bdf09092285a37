// A few steps of a train block, what it returns fed back to it.

import type { Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import type { Executor } from './executors.ts';

type Tensors = Readonly<Record<string, Tensor>>;

/** The losses of `steps` steps on the same data, and what is fed back after the last. */
export async function descend(
  executor: Executor,
  step: Graph,
  start: Tensors,
  data: Tensors,
  steps: number,
): Promise<{ readonly losses: readonly number[]; readonly state: Tensors }> {
  const losses: number[] = [];
  let state = start;
  for (let i = 0; i < steps; i++) {
    const outputs = await executor.run(step, { ...state, ...data });
    losses.push(outputs.loss.data[0]);
    const carried = Object.keys(state).map((name) => [name, outputs[`${name}.next`]] as const);
    state = Object.fromEntries(carried.filter(([, value]) => value !== undefined));
  }
  return { losses, state };
}

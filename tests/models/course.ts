// Many steps of a train block in ONNX Runtime, in one session: what slow tests train by.

import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import type { CompiledTrain } from '../../compiler/program.ts';
import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { onnxProgram } from '../../runtime/executors/onnx.ts';
import { interpreter } from './executors.ts';

type Tensors = Readonly<Record<string, Tensor>>;

/** What is fed back after `steps` steps from the first values of `seed`, and the outputs of the last step. */
export async function course(
  train: CompiledTrain,
  seed: number,
  steps: number,
  feeds: (i: number) => Tensors,
): Promise<{ readonly state: Tensors; readonly last: Tensors }> {
  const given = { seed: tensor('u32', [], [seed]) };
  let state: Tensors = await interpreter.run(train.init, given);
  let last: Tensors = {};
  const program = await onnxProgram(emitOnnx(train.step), { threads: 1 });
  const names = new Set(program.inputs.map(({ name }) => name));
  const extra = names.has('seed') ? given : {};
  for (let i = 0; i < steps; i++) {
    last = await program.run({ ...state, ...feeds(i), ...extra });
    state = Object.fromEntries(Object.keys(state).map((name) => [name, last[`${name}.next`]]));
  }
  await program.dispose();
  return { state, last };
}

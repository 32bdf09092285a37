// Several steps in one graph compute what as many single steps do, bit by bit, on ONNX Runtime; so that a run may use either.

import { expect, test } from 'vitest';

import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { interpret } from '../../compiler/ir/interpret.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { verify } from '../../compiler/ir/verify.ts';
import { repeatSteps } from '../../compiler/transform/repeat-steps.ts';
import { onnxProgram } from '../../runtime/executors/onnx.ts';
import { compiled, trainOf } from '../models/compile.ts';
import { artifacts, batchOf, type Artifact } from './programs.ts';

type Tensors = Readonly<Record<string, Tensor>>;

const withDraws: Artifact = {
  name: 'with draws',
  program: compiled(
    `import "std/nn"
import "std/losses"
import "std/optim"
layer net = Dense(6, 4)
train fit(x: [B, 6], y: fin(4)[B]) {
  e: [B, 6] ~ normal(0, 0.1)
  minimize mean(cross_entropy(net(x + e), y)) over net using Adam(1e-2)
}
`,
    'draws.dlg',
  ),
  row: [6],
};

const count = 4;
const rows = 5;

const stacked = (batches: readonly Tensors[], name: string): Tensor => {
  const [{ [name]: first }] = batches;
  const data = batches.flatMap((batch) => Array.from(batch[name].data));
  return tensor(first.dtype, [batches.length, ...first.shape], data);
};

async function run(graph: Graph, feeds: readonly Tensors[]): Promise<Tensors[]> {
  const program = await onnxProgram(emitOnnx(graph), { threads: 1 });
  const results: Tensors[] = [];
  let state: Tensors = {};
  for (const feed of feeds) {
    const given = Object.fromEntries(
      program.inputs.map(({ name }) => [name, state[`${name}.next`] ?? feed[name]]),
    );
    results.push((state = await program.run(given)));
  }
  await program.dispose();
  return results;
}

test.each([...artifacts, withDraws])('$name', async (artifact) => {
  const { step, init } = trainOf(artifact.program);
  const seed = tensor('u32', [], [7]);
  const first = interpret(init, { seed });
  const batches = Array.from({ length: count }, (_, i) => batchOf(artifact, rows, 50 + i));
  const single = await run(
    step,
    batches.map((batch) => ({ ...first, ...batch, seed })),
  );
  const many = repeatSteps(step, count);
  expect(verify(many)).toEqual([]);
  expect(many.nodes.filter(({ op }) => op === 'scan')).toHaveLength(1);
  const [together] = await run(many, [
    { ...first, x: stacked(batches, 'x'), y: stacked(batches, 'y'), seed },
  ]);
  for (const { name, role } of step.outputs) {
    const expected =
      role === 'loss' || role === 'report' ? stacked(single, name) : single[count - 1][name];
    expect(together[name], name).toEqual(expected);
  }
});

// Several steps in one graph compute what as many single steps do, bit by bit, on ONNX Runtime; so that a run may use either.

import { expect, test } from 'vitest';

import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { interpret } from '../../compiler/ir/interpret.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { verify } from '../../compiler/ir/verify.ts';
import { repeatSteps } from '../../compiler/transform/repeat-steps.ts';
import { encodeCheckpoint } from '../../runtime/checkpoint.ts';
import { datasetOf } from '../../runtime/data/dataset.ts';
import { onnxProgram } from '../../runtime/executors/onnx.ts';
import { compiled, trainOf } from '../models/compile.ts';
import { train, type TrainPrograms } from '../../runtime/train.ts';
import { good } from '../runtime/support.ts';
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

test('a run that does several steps at once ends with the same checkpoints, points and reports', async () => {
  const [artifact] = artifacts;
  const { step, init, evaluate } = trainOf(artifact.program);
  const { x, y } = batchOf(artifact, 53, 3);
  const array = ({ shape, data }: Tensor) =>
    ({ kind: 'array', type: 'number', shape, data: Float64Array.from(data) }) as const;
  const { data } = artifact.program.trains[0];
  const [xPort, yPort] = data;
  const dataset = good(
    datasetOf([
      { port: xPort, file: 'x', array: array(x) },
      { port: yPort, file: 'y', array: array(y) },
    ]),
  );
  const load = (graph: Graph) => onnxProgram(emitOnnx(graph), { threads: 1 });
  const single = { init: await load(init), step: await load(step), evaluate: await load(evaluate) };
  const several = { ...single, steps: { program: await load(repeatSteps(step, 3)), count: 3 } };
  let runs = 0;
  const counted = {
    ...several.steps.program,
    run: (feeds: Tensors) => {
      runs++;
      return several.steps.program.run(feeds);
    },
  };
  const history = async (programs: TrainPrograms) => {
    const seen: unknown[] = [];
    const settings = {
      block: 'fit',
      epochs: 2,
      batch: 5,
      seed: 4,
      data: '',
      saveEvery: { steps: 7 },
    };
    const result = await train(
      { programs, dataset, settings },
      {
        onStep: (event) => seen.push(event),
        onPoint: (point) => seen.push(point),
        save: (checkpoint) => {
          seen.push(encodeCheckpoint(checkpoint));
          return null;
        },
      },
    );
    good(result);
    return seen;
  };
  const expected = await history(single);
  expect(await history({ ...several, steps: { program: counted, count: 3 } })).toEqual(expected);
  // 11 steps an epoch, the last of fewer rows, and a checkpoint after every 7: 3, 3, 1, 3, 1; 3, 3, 3, 1, 1.
  expect(runs).toBe(6);
});

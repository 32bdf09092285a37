// The training loop with a program that draws: the same seed gives the same bytes, also when a run is continued.

import { expect, test } from 'vitest';

import { hostOf } from '../check/helpers.ts';
import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { compile } from '../../compiler/pipeline.ts';
import { encodeCheckpoint, type Checkpoint } from '../../runtime/checkpoint.ts';
import { datasetOf } from '../../runtime/data/dataset.ts';
import { interpreterProgram } from '../../runtime/executors/interpreter.ts';
import { onnxProgram } from '../../runtime/executors/onnx.ts';
import type { Program } from '../../runtime/program.ts';
import type { Measures } from '../../runtime/measures.ts';
import { train, type TrainSettings } from '../../runtime/train.ts';
import { declare, good } from './support.ts';

const text = `import "std/nn"
import "std/optim"
model Net() {
  layer hidden = Dense(4, 6)
  layer drop = Dropout(0.5)
  layer out = Dense(6, 4)
  fn (x: [B, 4]) -> y: [B, 4] = x |> hidden |> drop |> out
}
layer net = Net()
train fit(x: [B, 4]) {
  e: [B, 4] ~ normal(0, 0.5)
  minimize mean((net(x + e) - x)^2) over net using Adam(1e-2)
}
`;

const rows = 20;
const port = declare();
const data = Float64Array.from({ length: rows * 4 }, (_, i) => Math.sin(i));
const array = { kind: 'array', type: 'number', shape: [rows, 4], data } as const;
const dataset = good(datasetOf([{ port: port('x', ['B', 4]), file: 'x', array }]));
const settings: TrainSettings = {
  block: 'fit',
  epochs: 3,
  batch: 8,
  seed: 3,
  data: 'abc',
  saveEvery: { steps: 1 },
};

const devices: readonly {
  readonly name: string;
  readonly load: (graph: Graph) => Promise<Program>;
}[] = [
  { name: 'the interpreter', load: async (graph) => interpreterProgram(graph) },
  { name: 'ONNX Runtime', load: (graph) => onnxProgram(emitOnnx(graph), { threads: 1 }) },
];

test.each(devices)('runs and continued runs agree to the bit on $name', async ({ load }) => {
  const { program } = compile({ path: 'main.dlg', text }, hostOf());
  const block = program?.trains[0];
  if (block === undefined) throw new Error('the program does not compile');
  const programs = {
    init: await load(block.init),
    step: await load(block.step),
    evaluate: await load(block.evaluate),
  };
  const run = async (start: Checkpoint | null, seed = settings.seed) => {
    const saved: Checkpoint[] = [];
    const tests: (Measures | null)[] = [];
    const result = good(
      await train(
        { programs, dataset, test: dataset, settings: { ...settings, seed }, start },
        {
          save: (checkpoint) => {
            saved.push(checkpoint);
            return null;
          },
          onEpoch: ({ test: measures }) => tests.push(measures),
        },
      ),
    );
    return { last: encodeCheckpoint(result.last), saved, tests };
  };
  const whole = await run(null);
  const again = await run(null);
  expect(again.last).toEqual(whole.last);
  expect(again.tests).toEqual(whole.tests);
  expect((await run(null, 4)).last).not.toEqual(whole.last);
  for (const checkpoint of [whole.saved[0], whole.saved[4]]) {
    const continued = await run(checkpoint);
    expect(continued.last).toEqual(whole.last);
    expect(continued.tests.at(-1)).toEqual(whole.tests.at(-1));
  }
});

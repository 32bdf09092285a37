// The modules of `dlg build --target wgsl`, loaded in Node: they answer and learn as the interpreter does, with any batch, and their
// weights are those of the rest of DLG.

import { beforeAll, describe, expect, test } from 'vitest';

import { interpret } from '../../compiler/ir/interpret.ts';
import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { deviceForTests } from '../gpu/device.ts';
import { expectClose } from '../ir/expect-close.ts';
import { compiledWithLibrary, functionOf, trainOf } from '../models/compile.ts';
import { artifacts, batchOf } from './programs.ts';
import { removeModules, writeModule, type AnyModel, type HostTensor } from './wgsl-module.ts';

type Tensors = Readonly<Record<string, Tensor>>;
type Feeds = Readonly<Record<string, HostTensor | HostTensor['data']>>;

interface Classifier extends AnyModel {
  readonly classify: (feeds: Feeds) => Promise<{ readonly p: HostTensor }>;
  readonly fit: {
    readonly start: (seed: number) => Promise<void>;
    readonly step: (feeds: Feeds) => Promise<Record<string, number>>;
    readonly evaluate: (feeds: Feeds) => Promise<Record<string, number>>;
  };
}

const device = deviceForTests();
removeModules();

const flat = (batch: Tensors): Feeds =>
  Object.fromEntries(
    Object.entries(batch).map(([name, { data }]) => [name, data as HostTensor['data']]),
  );

describe.each(artifacts)('$name', (artifact) => {
  const { program } = artifact;
  const { step, init, evaluate } = trainOf(program);
  const { graph } = functionOf(program, 'classify');
  let model: Classifier;
  beforeAll(async () => {
    model = await (await writeModule(program)).load<Classifier>({ device: device() });
  });

  test('learns as the interpreter does, with batches of any size, and uses what it has learnt', async () => {
    let state = interpret(init, { seed: tensor('u32', [], [7]) });
    await model.fit.start(7);
    for (const [i, rows] of [8, 1, 7].entries()) {
      const batch = batchOf(artifact, rows, 100 + i);
      const expected = interpret(step, { ...state, ...batch }, { precision: 'f64' });
      const measures = await model.fit.step(flat(batch));
      expect(measures).toEqual({ loss: expect.any(Number), accuracy: expect.any(Number) });
      expect(Math.abs(measures.loss / expected.loss.data[0] - 1)).toBeLessThan(1e-5);
      expect(measures.accuracy).toBeCloseTo(expected.accuracy.data[0], 6);
      state = Object.fromEntries(Object.keys(state).map((n) => [n, expected[`${n}.next`]]));
    }
    const held = await model.weights.read();
    for (const [name, { data, shape }] of Object.entries(held))
      expectClose({ dtype: state[name].dtype, data, shape }, state[name], 2e-5, name);
    for (const rows of [1, 7, 64]) {
      const batch = batchOf(artifact, rows, 200 + rows);
      const { p } = interpret(graph, { ...state, x: batch.x }, { precision: 'f64' });
      const answer = await model.classify({ x: batch.x.data as Float32Array });
      expect(answer.p.shape).toEqual([rows, 4]);
      expectClose({ dtype: 'f32', ...answer.p }, p, 2e-5, `${rows} rows`);
      const measured = interpret(evaluate, { ...state, ...batch }, { precision: 'f64' });
      const { loss } = await model.fit.evaluate(flat(batch));
      expect(Math.abs(loss / measured.loss.data[0] - 1)).toBeLessThan(1e-5);
    }
  });
});

const blocks = compiledWithLibrary(`
export fn powers(x: [n], k: dim) -> y: [n] {
  for i < k with y = x { y <- y * x }
}

train turn() {
  state a: [2] = 1
  state b: [2] = 2
  state c: [2] = 4
  before = a
  a <- b
  b <- c
  c <- before
  report first = sum(a)
  report second = sum(b)
}

train count() {
  state a: real = 1
  state b: real = 5
  was = a
  a <- b
  b <- 2 * was
  report before = was
  report after = a
}
`);

test("states of blocks are their own, and may take one another's values", async () => {
  type Steps = Readonly<Record<string, Classifier['fit']>>;
  const model = await (await writeModule(blocks)).load<AnyModel>({ device: device() });
  const steps = model as unknown as Steps;
  const seed = { seed: tensor('u32', [], [0]) };
  const states = blocks.trains.map(({ init }) => interpret(init, seed));
  for (const { name } of blocks.trains) await steps[name].start(0);
  for (let i = 0; i < 4; i++)
    for (const [j, { name, step }] of blocks.trains.entries()) {
      const expected = interpret(step, states[j]);
      const reports = step.outputs.filter(({ role }) => role === 'report');
      expect(await steps[name].step({})).toEqual(
        Object.fromEntries(reports.map((port) => [port.name, expected[port.name].data[0]])),
      );
      states[j] = Object.fromEntries(
        Object.keys(states[j]).map((path) => [path, expected[`${path}.next`]]),
      );
    }
  model.dispose();
});

test('loops run as often as a size says', async () => {
  interface Powers extends AnyModel {
    readonly powers: (feeds: object) => Promise<{ readonly y: HostTensor }>;
  }
  const model = await (await writeModule(blocks)).load<Powers>({ device: device() });
  const x = Float32Array.of(1, 2, 3);
  for (const k of [1, 3]) {
    const { y } = await model.powers({ x, k });
    expect([...y.data]).toEqual([...x].map((v) => v ** (k + 1)));
  }
  model.dispose();
});

// The state of a train block leaves its module and comes back: training goes on as if it had never stopped, here or from `dlg train`.

import { describe, expect, test } from 'vitest';

import { interpret } from '../../compiler/ir/interpret.ts';
import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { weightPorts } from '../../cli/weights.ts';
import { encodeCheckpoint } from '../../runtime/checkpoint.ts';
import { loadWeights } from '../../runtime/weights.ts';
import { deviceForTests } from '../gpu/device.ts';
import { compiledWithLibrary } from '../models/compile.ts';
import { good, temporaryFile } from '../runtime/support.ts';
import { removeModules, writeModule, type AnyModel } from './wgsl-module.ts';

const program = compiledWithLibrary(`
layer net = MLP(2, 3, 1)

export fn predict(x: [B, 2]) -> y: [B, 1] = net(x)

## The noise depends on the seed and on the step.
train fit(x: [B, 2], y: [B, 1]) {
  e: [B, 2] ~ normal(0, 0.1)
  minimize mean((net(x + e) - y)^2) over net using Adam(1e-2)
}

train shrink() {
  minimize sum[i, j] net.l1.W[i, j]^2 over net using SGD(0.1)
}
`);

interface Block {
  readonly start: (seed: number) => Promise<void>;
  readonly step: (feeds?: object) => Promise<{ loss: number }>;
  readonly save: () => Promise<Uint8Array>;
  readonly resume: (source: unknown) => Promise<void>;
}
interface Model extends AnyModel {
  readonly fit: Block;
  readonly shrink: Block;
}

const device = deviceForTests();
removeModules();

const written = await writeModule(program);
const open = (): Promise<Model> => written.load<Model>({ device: device() });

const x = Float32Array.from({ length: 10 }, (_, i) => Math.sin(i));
const feeds = { x, y: Float32Array.from({ length: 5 }, (_, i) => x[2 * i] * x[2 * i + 1]) };

async function lossesOf({ step }: Block, steps: number): Promise<number[]> {
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) losses.push((await step(feeds)).loss);
  return losses;
}

describe('what a train block saves', () => {
  test('is all that it needs to go on, in a model anew', async () => {
    const model = await open();
    await model.fit.start(5);
    await lossesOf(model.fit, 3);
    const saved = await model.fit.save();
    const expected = await lossesOf(model.fit, 4);
    model.dispose();
    const again = await open();
    await again.fit.resume(saved);
    expect(await lossesOf(again.fit, 4)).toEqual(expected);
    // And once more, over values that are there.
    await again.fit.resume(saved);
    expect(await lossesOf(again.fit, 4)).toEqual(expected);
    again.dispose();
  });

  test('has the weights for the rest of DLG', async () => {
    const model = await open();
    await model.fit.start(5);
    await lossesOf(model.fit, 2);
    const path = temporaryFile('state.safetensors', await model.fit.save());
    const read = good(loadWeights(path, weightPorts(program.functions[0].graph)));
    for (const [name, { data }] of Object.entries(await model.weights.read()))
      expect(read.get(name)?.data).toEqual(data);
    expect(read.size).toBe(4);
    model.dispose();
  });
});

test('a checkpoint of `dlg train` goes on in the page', async () => {
  const [{ init, step }] = program.trains;
  const seed = tensor('u32', [], [11]);
  const batch = { x: tensor('f32', [5, 2], x), y: tensor('f32', [5, 1], feeds.y), seed };
  let state: Readonly<Record<string, Tensor>> = interpret(init, { seed });
  const next = (): number => {
    const results = interpret(step, { ...state, ...batch }, { precision: 'f64' });
    state = Object.fromEntries(Object.keys(state).map((name) => [name, results[`${name}.next`]]));
    return results.loss.data[0];
  };
  next();
  next();
  const position = {
    ...{ block: 'fit', seed: 11, batch: 5, rows: 5, data: '', step: 2, epoch: 2, row: 0 },
    ...{ epochSums: { rows: 0, totals: {} }, windowSums: { rows: 0, totals: {} }, best: null },
  };
  const single = ({ dtype, shape, data }: Tensor): Tensor => tensor(dtype, shape, Array.from(data));
  const tensors = new Map(Object.entries(state).map(([name, value]) => [name, single(value)]));
  const model = await open();
  await model.fit.resume(encodeCheckpoint({ kind: 'checkpoint', tensors, position }));
  for (const loss of await lossesOf(model.fit, 3))
    expect(Math.abs(loss / next() - 1)).toBeLessThan(1e-5);
  model.dispose();
});

test('what is no state of the block is refused, and nothing is lost', async () => {
  const model = await open();
  await expect(model.fit.save()).rejects.toThrow('fit.start(seed) comes before fit.save');
  await model.shrink.start(1);
  const other = await model.shrink.save();
  await expect(model.fit.resume(other)).rejects.toThrow('this is a state of shrink, not of fit');
  const weights = await model.weights.save();
  await expect(model.fit.resume(weights)).rejects.toThrow(
    'this is no state of fit, but weights at most',
  );
  await model.fit.start(2);
  const saved = await model.fit.save();
  const before = await model.weights.read();
  await expect(model.fit.resume(saved.slice(0, -8))).rejects.toThrow(/^the weights end in /);
  expect(await model.weights.read()).toEqual(before);
  model.dispose();
});

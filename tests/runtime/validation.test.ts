// Early stopping: the best epoch is kept, and training ends when none is better for a while; also in runs that are continued.

import { describe, expect, test } from 'vitest';

import { encodeCheckpoint, type Checkpoint } from '../../runtime/checkpoint.ts';
import { datasetOf } from '../../runtime/data/dataset.ts';
import { train, type EpochEvent, type TrainSettings } from '../../runtime/train.ts';
import { bestOf, isExhausted, type Best, type Validation } from '../../runtime/validation.ts';
import { declare, good } from './support.ts';
import { toyPrograms } from './toy.ts';

const port = declare();
const lineOf = (slope: number, rows: number) => {
  const array = (data: Float64Array) =>
    ({ kind: 'array', type: 'number', shape: [rows], data }) as const;
  const x = Float64Array.from({ length: rows }, (_, i) => i / rows);
  return good(
    datasetOf([
      { port: port('x', ['B']), file: 'x', array: array(x) },
      { port: port('y', ['B']), file: 'y', array: array(x.map((v) => slope * v)) },
    ]),
  );
};

const settings: TrainSettings = {
  block: 'fit',
  epochs: 40,
  batch: 5,
  seed: 0,
  data: 'abc',
  saveEvery: { steps: 1 },
};
/** Begins at w = -3 and goes to 2, so on its way it passes what the validation data want. */
const programs = toyPrograms(0.003);
const dataset = lineOf(2, 20);
const validation: Validation = {
  dataset: lineOf(-0.5, 20),
  data: 'v',
  watch: { name: 'loss', sense: 'minimize' },
  patience: 3,
};

async function run(changed: Partial<Validation> = {}, start: Checkpoint | null = null) {
  const saved: Checkpoint[] = [];
  const epochs: EpochEvent[] = [];
  const kept: Best[] = [];
  const inputs = { programs, dataset, settings, start, validation: { ...validation, ...changed } };
  const result = await train(inputs, {
    save: (checkpoint) => {
      saved.push(checkpoint);
      return null;
    },
    onEpoch: (event) => epochs.push(event),
    onBest: (_, best) => kept.push(best),
  });
  return { saved, epochs, kept, last: good(result).last };
}

test('training ends after `patience` epochs without a better one', async () => {
  const { epochs, kept, last } = await run();
  const losses = epochs.map((event) => event.validation?.loss ?? Number.NaN);
  const least = losses.indexOf(Math.min(...losses));
  expect(least).toBeGreaterThan(0);
  expect(epochs).toHaveLength(least + 1 + 3);
  expect(last.position.best).toMatchObject({ epoch: least + 1, value: losses[least] });
  expect(kept.at(-1)).toEqual(last.position.best);
  expect(epochs.map(({ isBest }) => isBest)).toEqual(losses.map((_, i) => i <= least));
});

test('without patience all epochs are run, and the best is the same', async () => {
  const [short, long] = [await run(), await run({ patience: null })];
  expect(long.epochs).toHaveLength(40);
  expect(long.last.position.best).toEqual(short.last.position.best);
});

test('from every checkpoint the run ends alike', async () => {
  const whole = await run();
  for (const checkpoint of whole.saved) {
    const again = await run({}, checkpoint);
    expect(encodeCheckpoint(again.last)).toEqual(encodeCheckpoint(whole.last));
  }
});

describe('what is better', () => {
  const before: Best = { watch: validation.watch, data: 'v', epoch: 1, value: 0.5 };
  const after = (value: number, sense: 'minimize' | 'maximize') =>
    bestOf({ ...validation, watch: { name: 'loss', sense } }, before, 2, { loss: value })?.epoch;

  test.each([
    [0.4, 'minimize', 2],
    [0.5, 'minimize', 1],
    [0.6, 'minimize', 1],
    [0.6, 'maximize', 2],
    [0.4, 'maximize', 1],
    [Number.NaN, 'minimize', 1],
  ] as const)('%d, to %s', (value, sense, epoch) => {
    expect(after(value, sense)).toBe(epoch);
  });

  test('a measure that is never a number ends the run too', () => {
    expect(bestOf(validation, null, 1, { loss: Number.NaN })).toBeNull();
    expect(isExhausted(validation, { epoch: 3, best: null })).toBe(true);
    expect(isExhausted(validation, { epoch: 2, best: null })).toBe(false);
  });
});

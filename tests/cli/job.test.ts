// What `dlg train` refuses before it runs or writes anything.

import { join } from 'node:path';

import { expect, test } from 'vitest';

import { frozenBy } from '../../cli/training/frozen.ts';
import { prepare } from '../../cli/training/job.ts';
import type { TrainOptions } from '../../cli/training/options.ts';
import { host } from '../../cli/sources.ts';
import { compile } from '../../compiler/pipeline.ts';
import { isProblem } from '../../runtime/problem.ts';
import { temporaryFile } from '../runtime/support.ts';
import { points } from './support.ts';

const text = `import "std/nn"
import "std/losses"
import "std/metrics"
import "std/optim"

layer enc = Dense(2, 8)
layer head = Dense(8, 3)

train pretrain(x: [B, 2]) {
  minimize mean(enc(x)^2) over enc using SGD(0.1)
}

train classify(x: [B, 2], y: fin(3)[B]) {
  l = head(tanh(enc(x)))
  minimize mean(cross_entropy(l, y)) over enc, head using Adam(3e-2)
  report accuracy = accuracy(l, y)
}

train walk() {
  state at: int = 0
  at <- at + 1
  report place = at
}
`;
const weights = join(import.meta.dirname, '../runtime/data/foreign.safetensors');

/** The code, the message, the notes and the help of the refusal; null where there is none. */
function refusal(options: Partial<TrainOptions>): string | null {
  const csv = temporaryFile('points.csv', points['points.csv']);
  const asked: TrainOptions = {
    device: 'cpu',
    threads: 1,
    epochs: 1,
    target: ['onnx'],
    adapter: 'gpu',
    block: 'classify',
    data: new Map([
      ['x', `${csv}:a-b`],
      ['y', `${csv}:class`],
    ]),
    ...options,
  };
  const { program } = compile({ path: 'two.dlg', text }, host, { isFrozen: frozenBy(asked) });
  if (program === null) throw new Error('the program does not compile');
  const job = prepare(program, asked);
  if (!isProblem(job)) return null;
  return [job.code, job.message, ...(job.notes ?? []), job.help ?? ''].join('\n');
}

const validate = () => {
  const csv = temporaryFile('points.csv', points['points.csv']);
  return new Map([
    ['x', `${csv}:a-b`],
    ['y', `${csv}:class`],
  ]);
};

test('a good run is not refused', () => {
  expect(refusal({ validate: validate(), watch: 'max:accuracy', freeze: ['enc'] })).toBeNull();
  expect(refusal({ block: 'walk', data: undefined, epochSteps: 3 })).toBeNull();
});

test.each<readonly [string, Partial<TrainOptions>, string, string]>([
  [
    'several blocks',
    { block: undefined },
    'E0510',
    'classify takes x: [B, 2], y: fin(3)[B]\nwalk takes no data\nchoose one: `--block pretrain`',
  ],
  ['another block', { block: 'tune' }, 'E0510', 'no train block called tune'],
  ['weights of another program', { weights }, 'E0509', 'has nothing that the program has'],
  [
    'weights of another shape',
    { weights, map: ['model.layers.0.weight=enc.W'] },
    'E0509',
    'holds float32 [4, 3] for enc.W (there called model.layers.0.weight), but the program declares float32 [8, 2]',
  ],
  ['a map that says nothing', { weights, map: ['a=b=c'] }, 'E0502', 'is no renaming'],
  ['a map file that is not there', { weights, map: ['no.json'] }, 'E0501', 'cannot be read'],
  ['a map without weights', { map: ['a=b'] }, 'E0505', '--map renames'],
  [
    'a layer that is not there',
    { freeze: ['encoder'] },
    'E0517',
    'there are enc.W, enc.b, head.W, head.b',
  ],
  [
    'a layer of another block',
    { block: 'pretrain', only: ['head'] },
    'E0517',
    'no parameter lies under head',
  ],
  ['all layers frozen', { freeze: ['enc', 'head'] }, 'E0517', 'nothing is left to learn'],
  ['patience without data', { patience: 2 }, 'E0505', '--patience looks at validation data'],
  ['a watch without data', { watch: 'loss' }, 'E0505', '--watch looks at validation data'],
  [
    'batches of no data',
    { block: 'walk', data: undefined, batch: 4 },
    'E0506',
    '--batch is for blocks that take data',
  ],
  [
    'steps beside data',
    { epochSteps: 3 },
    'E0506',
    '--epoch-steps is for blocks that take no data',
  ],
  ['data for none', { block: 'walk' }, 'E0506', 'there is no data input called x'],
])('%s', (_, options, code, message) => {
  const told = refusal(options);
  expect(told?.slice(0, 5)).toBe(code);
  expect(told).toContain(message);
});

test.each([
  ['a watch that is not shown', 'max:recall', 'it shows loss, accuracy'],
  ['a report without a direction', 'accuracy', '--watch max:accuracy'],
] as const)('%s', (_, watch, message) => {
  const told = refusal({ validate: validate(), watch });
  expect(told?.slice(0, 5)).toBe('E0517');
  expect(told).toContain(message);
});

test('half of the validation data', () => {
  const half = new Map([...validate()].slice(0, 1));
  expect(refusal({ validate: half })).toContain('no data given for y');
});

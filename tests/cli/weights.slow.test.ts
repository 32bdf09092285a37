// `dlg train` from weights: what another block or another program learnt, in part or renamed, with layers frozen; and what is said where
// that cannot be.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { readSafetensors } from '../../runtime/data/safetensors.ts';
import { good } from '../runtime/support.ts';
import { bundled, dlg, points, pointsData, workspace } from './support.ts';

bundled();

/** An encoder learns to reconstruct, then a head learns to classify what it gives. */
const program = `import "std/nn"
import "std/losses"
import "std/metrics"
import "std/optim"

layer enc = Dense(2, 8)
layer dec = Dense(8, 2)
layer head = Dense(8, 3)

train pretrain(x: [B, 2]) {
  minimize mse(dec(tanh(enc(x))), x) over enc, dec using Adam(1e-2)
}

train classify(x: [B, 2], y: fin(3)[B]) {
  l = head(tanh(enc(x)))
  minimize mean(cross_entropy(l, y)) over enc, head using Adam(3e-2)
  report accuracy = accuracy(l, y)
}

train head_only(x: [B, 2], y: fin(3)[B]) {
  minimize mean(cross_entropy(head(tanh(enc(x))), y)) over head using Adam(3e-2)
}
`;
const files = { 'two.dlg': program, 'points.csv': points['points.csv'] };
const validated = ['--validate', 'x=points.csv:a-b', '--validate', 'y=points.csv:class'];
const classify = ['train', 'two.dlg', '--block', 'classify', ...pointsData];
const reconstruct = ['train', 'two.dlg', '--block', 'pretrain', '--data', 'x=points.csv:a-b'];

const tensorsOf = (folder: string, path: string) =>
  good(readSafetensors(path, readFileSync(join(folder, path)))).tensors;

describe('pre-training, then fine-tuning', () => {
  test('the encoder goes on from what it learnt, the head begins afresh', () => {
    const folder = workspace(files);
    expect(dlg(folder, ...reconstruct, '--epochs', '30').code).toBe(0);
    const learnt = 'out/two/two.pretrain.safetensors';

    const alone = dlg(folder, ...classify, '--epochs', '1', '--out', 'alone');
    expect(alone.code).toBe(0);
    const told = dlg(folder, ...classify, '--epochs', '1', '--out', 'out/two');
    expect(told.err).toContain(`${learnt} holds what \`pretrain\` learnt; \`--weights ${learnt}\``);

    const args = [...classify, '--weights', learnt, '--out', 'tuned'];
    const { code, err } = dlg(folder, ...args, '--epochs', '30', '--freeze', 'enc', ...validated);
    expect(code).toBe(0);
    expect(err).toContain('learning: head.W, head.b\n');
    expect(err).toContain(`${learnt}: 2 of 4 tensors taken\n  begin afresh: head.W, head.b\n`);
    expect(err).toContain('  not used: dec.W, dec.b\n');
    const [before, after] = [
      tensorsOf(folder, learnt),
      tensorsOf(folder, 'tuned/two.classify.safetensors'),
    ];
    for (const path of ['enc.W', 'enc.b'])
      expect(after.get(path)?.data).toEqual(before.get(path)?.data);
    expect([...after.keys()].filter((path) => path.startsWith('enc.'))).toEqual(['enc.W', 'enc.b']);
    const drawn = tensorsOf(folder, 'alone/two.classify.safetensors');
    expect(after.get('head.W')?.data).not.toEqual(drawn.get('head.W')?.data);
    expect(err).toMatch(/best after epoch \d+: validation loss \d/);
    const rows = readFileSync(join(folder, 'tuned/classify.metrics.csv'), 'utf8').split('\n');
    const accuracies = rows.filter((r) => r.includes(',validation,')).map((r) => r.split(',')[4]);
    expect(accuracies).toHaveLength(30);
    expect(Number(accuracies.at(-1))).toBeGreaterThan(0.95);
  }, 60_000);

  test('freezing in the language and on the command line are the same', () => {
    const folder = workspace(files);
    const [a, b] = [
      dlg(folder, ...classify, '--only', 'head', '--epochs', '2', '--out', 'a'),
      dlg(
        folder,
        'train',
        'two.dlg',
        '--block',
        'head_only',
        ...pointsData,
        '--epochs',
        '2',
        '--out',
        'b',
      ),
    ];
    expect([a.code, b.code]).toEqual([0, 0]);
    const [left, right] = [
      tensorsOf(folder, 'a/two.classify.safetensors'),
      tensorsOf(folder, 'b/two.head_only.safetensors'),
    ];
    expect([...left.keys()]).toEqual([...right.keys()]);
    for (const [path, { data }] of left) expect(right.get(path)?.data, path).toEqual(data);
  }, 60_000);

  test('the best weights are those of the models that are written', () => {
    const folder = workspace(files);
    const tested = ['--test', 'x=points.csv:a-b', '--test', 'y=points.csv:class'];
    const args = [
      ...classify,
      ...validated,
      ...tested,
      '--epochs',
      '40',
      '--watch',
      'max:accuracy',
    ];
    const { code, err } = dlg(folder, ...args, '--patience', '2');
    expect(code).toBe(0);
    const [, epoch] =
      /best after epoch (\d+): validation accuracy \S+; stopped after/.exec(err) ?? [];
    const rows = readFileSync(join(folder, 'out/two/classify.metrics.csv'), 'utf8').split('\n');
    const measured = rows.find((row) => row.includes(`,${epoch},test,`))?.split(',')[3];
    expect(err).toContain(`test: loss ${Number(measured).toPrecision(4)}`);
    const best = tensorsOf(folder, 'out/two/two.classify.best.safetensors');
    expect([...best.keys()]).toEqual(['enc.W', 'enc.b', 'head.W', 'head.b']);
    expect(dlg(folder, ...classify, '--epochs', epoch ?? '', '--out', 'again').code).toBe(0);
    const again = tensorsOf(folder, 'again/two.classify.safetensors');
    for (const [path, { data }] of best) expect(again.get(path)?.data, path).toEqual(data);
  }, 60_000);
});

describe('refused, and nothing written', () => {
  test('weights of another program', () => {
    const folder = workspace({
      ...files,
      'foreign.safetensors': readFileSync(
        join(import.meta.dirname, '../runtime/data/foreign.safetensors'),
      ),
    });
    const { code, err } = dlg(folder, ...classify, '--weights', 'foreign.safetensors');
    expect(err).toContain('error[E0509]: the weights do not fit the program');
    expect(err).toContain('= note: the program also has enc.W, enc.b, head.W, head.b');
    expect(code).toBe(1);
    expect(existsSync(join(folder, 'out'))).toBe(false);
  });

  test('going on without the validation data', () => {
    const folder = workspace(files);
    expect(dlg(folder, ...classify, ...validated, '--epochs', '1').code).toBe(0);
    const names = readdirSync(join(folder, 'out/two'));
    const { code, err } = dlg(folder, ...classify, '--epochs', '2', '--resume');
    expect(err).toMatch(/E0511[^]*written by a run with --validate/);
    expect(code).toBe(1);
    expect(readdirSync(join(folder, 'out/two'))).toEqual(names);
  });
});

test('weights of PyTorch run under the names of the program', () => {
  const data = join(import.meta.dirname, '../runtime/data');
  const { x, y } = JSON.parse(readFileSync(join(data, 'foreign.json'), 'utf8'));
  const map = {
    'model.layers.0.weight': 'net.l1.W',
    'model.layers.0.bias': 'net.l1.b',
    'model.layers.2.weight': 'net.l2.W',
    'model.layers.2.bias': 'net.l2.b',
  };
  const folder = workspace({
    'net.dlg':
      'import "std/nn"\nlayer net = MLP(3, 4, 2)\nexport fn f(x: [B, 3]) -> y: [B, 2] = net(x)\n',
    'map.json': JSON.stringify(map),
  });
  const weights = ['--weights', join(data, 'foreign.safetensors'), '--map', 'map.json'];
  const { out } = dlg(
    folder,
    'run',
    'net.dlg',
    'f',
    '--input',
    `x=${JSON.stringify(x)}`,
    ...weights,
  );
  expect(JSON.parse(out).y).toEqual(y);
  expect(dlg(folder, 'build', 'net.dlg', ...weights).code).toBe(0);
});

test('a block that takes no data runs as many steps as it is asked to', () => {
  const folder = workspace({
    'walk.dlg': `train walk() {
  state at: real = 0
  e: [1] ~ normal(0, 1)
  at <- at + e[0]
  report place = at
}
`,
  });
  const { code, err } = dlg(folder, 'train', 'walk.dlg', '--epoch-steps', '7', '--epochs', '2');
  expect(err).toContain('no data: an epoch is 7 steps\n');
  expect(code).toBe(0);
  expect(tensorsOf(folder, 'out/walk/walk.safetensors').get('step')?.data[0]).toBe(14);
});

// `dlg train` from the outside: what a run leaves behind, and what is refused before anything is touched.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { describe, expect, test } from 'vitest';

import { bundled, dlg, points, pointsData, workspace } from './support.ts';

bundled();

const fit = (folder: string, ...args: readonly string[]) =>
  dlg(folder, 'train', 'points.dlg', ...pointsData, ...args);
const bytes = (folder: string, name: string): Buffer => readFileSync(join(folder, name));
const csvWith = (line: string): string => `${points['points.csv']}${line}\n`;

describe('a run', () => {
  test('learns, writes its files, and its weights run', () => {
    const folder = workspace(points);
    const test_ = ['--test', 'x=points.csv:1-2', '--test', 'y=points.csv:3'];
    const { code, out, err } = fit(folder, ...test_, '--epochs', '20', '--batch', '16');
    expect(code).toBe(0);
    expect(out).toBe('');
    expect(err).toContain('x: 90 rows of [2] (points.csv:a-b)\ny: 90 rows (points.csv:class)\n');
    expect(err).toMatch(/epoch 20\/20 {2}loss \d/);
    expect(readdirSync(join(folder, 'out', 'points')).toSorted()).toEqual([
      'loss.svg',
      'metrics.csv',
      'points.init.onnx',
      'points.onnx',
      'points.safetensors',
      'points.train.onnx',
    ]);
    const rows = bytes(folder, 'out/points/metrics.csv').toString().trim().split('\n');
    expect(rows[0]).toBe('step,epoch,split,loss');
    const losses = rows.filter((r) => r.includes(',test,')).map((r) => Number(r.split(',')[3]));
    expect(losses.length).toBe(20);
    expect(losses[19]).toBeLessThan(0.3);
    expect(losses[19]).toBeLessThan(losses[0]);
    const weights = ['--weights', 'out/points/points.safetensors'];
    const asked = dlg(folder, 'run', 'points.dlg', 'scores', '--input', 'x=[[1, 0]]', ...weights);
    const [p] = JSON.parse(asked.out).p;
    expect(p[0]).toBeGreaterThan(0.7);
    expect(p[0] + p[1] + p[2]).toBeCloseTo(1, 5);
  });

  test('the same seed gives the same bytes, another seed others', () => {
    const folder = workspace(points);
    const run = (out: string, seed: string): Buffer => {
      expect(fit(folder, '--epochs', '2', '--seed', seed, '--out', out).code).toBe(0);
      return bytes(folder, `${out}/points.safetensors`);
    };
    const first = run('a', '5');
    expect(run('b', '5').equals(first)).toBe(true);
    expect(run('c', '6').equals(first)).toBe(false);
  });

  test('the interpreter learns the same, but for rounding', () => {
    const folder = workspace(points);
    const losses = ['cpu', 'interpreter'].map((device) => {
      expect(fit(folder, '--epochs', '2', '--device', device, '--out', device).code).toBe(0);
      const rows = bytes(folder, `${device}/metrics.csv`).toString().trim().split('\n').slice(1);
      return rows.map((row) => Number(row.split(',')[3]));
    });
    expect(losses[0].length).toBeGreaterThan(1);
    for (const [i, loss] of losses[0].entries()) expect(loss).toBeCloseTo(losses[1][i], 5);
  });

  test('goes on to more epochs as if it had never stopped', () => {
    const folder = workspace(points);
    expect(fit(folder, '--epochs', '5', '--out', 'whole').code).toBe(0);
    expect(fit(folder, '--epochs', '2', '--out', 'parts').code).toBe(0);
    expect(fit(folder, '--epochs', '5', '--out', 'parts', '--resume').code).toBe(0);
    for (const name of readdirSync(join(folder, 'whole')))
      expect(bytes(folder, `parts/${name}`).equals(bytes(folder, `whole/${name}`)), name).toBe(
        true,
      );
  });
});

describe('refused', () => {
  const refused = (folder: string, args: readonly string[]) => {
    const { code, out, err } = dlg(folder, 'train', 'points.dlg', ...args);
    expect(code).toBe(1);
    expect(out).toBe('');
    expect(existsSync(join(folder, 'out'))).toBe(false);
    return err;
  };

  test.each([
    ['no data', [], 'E0505', 'no data given for x and y'],
    ['a wrong name', [...pointsData, '--data', 'z=points.csv'], 'E0506', 'no data input called z'],
    [
      'a missing file',
      ['--data', 'x=no.csv', '--data', 'y=points.csv:3'],
      'E0501',
      'no.csv cannot',
    ],
    [
      'too many columns',
      ['--data', 'x=points.csv', '--data', 'y=points.csv:3'],
      'E0503',
      '[90, 3]',
    ],
    [
      'a label out of range',
      ['--data', 'x=bad.csv:1-2', '--data', 'y=bad.csv:3'],
      'E0504',
      'row 90 holds 3',
    ],
    [
      'other rows',
      ['--data', 'x=bad.csv:1-2', '--data', 'y=points.csv:3'],
      'E0507',
      '91 rows for x',
    ],
    [
      'bad test data',
      [...pointsData, '--test', 'x=bad.csv:1-2', '--test', 'y=bad.csv:3'],
      'E0504',
      'row 90',
    ],
    [
      'half a gzip',
      ['--data', 'x=half.csv.gz:1-2', '--data', 'y=points.csv:3'],
      'E0502',
      'not a whole gzip',
    ],
    ['a wrong block', [...pointsData, '--block', 'other'], 'E0510', 'no train block called other'],
  ] as const)('%s', (_, args, code, message) => {
    const packed = gzipSync(points['points.csv']);
    const folder = workspace({
      ...points,
      'bad.csv': csvWith('0,0,3'),
      'half.csv.gz': packed.subarray(0, packed.length / 2),
    });
    const err = refused(folder, args);
    expect(err).toContain(`error[${code}]: `);
    expect(err).toContain(message);
  });

  test('the same as JSON', () => {
    const { code, out } = dlg(workspace(points), 'train', 'points.dlg', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(out).diagnostics).toMatchObject([{ code: 'E0505', span: null }]);
  });

  test('an output folder that is a file', () => {
    const folder = workspace({ ...points, taken: '' });
    const { code, err } = fit(folder, '--epochs', '1', '--out', 'taken');
    expect(code).toBe(1);
    expect(err).toContain('error[E0514]: cannot write the file');
  });

  test('bad data leaves the files of the last run as they are', () => {
    const folder = workspace({ ...points, 'bad.csv': csvWith('0,0,3') });
    expect(fit(folder, '--epochs', '1').code).toBe(0);
    const names = readdirSync(join(folder, 'out', 'points'));
    const before = names.map((name) => bytes(folder, `out/points/${name}`));
    const data = ['--data', 'x=bad.csv:1-2', '--data', 'y=bad.csv:3'];
    expect(dlg(folder, 'train', 'points.dlg', ...data).code).toBe(1);
    expect(names.map((name) => bytes(folder, `out/points/${name}`))).toEqual(before);
  });

  test('a run that diverges keeps its last checkpoint', () => {
    const wild = points['points.dlg']
      .replace('minimize -(mean[b] logp[b, y[b]])', 'minimize -(mean[b] logp[b, y[b]]^3)')
      .replace('Momentum(0.1)', 'Momentum(1e6)');
    const folder = workspace({ ...points, 'points.dlg': wild });
    const { code, err } = fit(folder, '--epochs', '3', '--batch', '32');
    expect(code).toBe(1);
    expect(err).toMatch(
      /error\[E0513\]: training diverged\n.*loss became (NaN|Infinity|-Infinity) at step/,
    );
  });
});

describe('--resume', () => {
  test('wants the same run', () => {
    const folder = workspace({ ...points, 'more.csv': csvWith('0,0,1') });
    expect(fit(folder, '--epochs', '1', '--seed', '1', '--batch', '8').code).toBe(0);
    const again = (...args: readonly string[]) => {
      const { code, err } = fit(folder, '--epochs', '2', '--resume', ...args);
      expect(code).toBe(1);
      return err;
    };
    expect(again('--seed', '2')).toMatch(/E0511[^]*with --seed 1, and this one has 2/);
    expect(again('--batch', '9')).toMatch(/E0511[^]*with --batch 8, and this one has 9/);
    const moved = points['points.csv']
      .replace('class\n', 'class\n9,9,0\n')
      .replace(/\n[^\n]*\n$/, '\n');
    writeFileSync(join(folder, 'points.csv'), moved);
    expect(again()).toMatch(/E0511[^]*with other data/);
    writeFileSync(join(folder, 'points.csv'), csvWith('0,0,1'));
    expect(again()).toMatch(/E0511[^]*with rows of data: 90, and this one has 91/);
  });

  test('wants the same program', () => {
    const folder = workspace(points);
    expect(fit(folder, '--epochs', '1').code).toBe(0);
    const other = points['points.dlg']
      .replace('param b: [m] = 0', 'param b: [1] = 0')
      .replace('b[o]', 'b[0]');
    writeFileSync(join(folder, 'points.dlg'), other);
    const { code, err } = fit(folder, '--epochs', '2', '--resume');
    expect(err).toMatch(
      /E0509[^]*holds float32 \[3\] for net\.b, but the program declares float32 \[1\]/,
    );
    expect(code).toBe(1);
  });

  test('refuses a checkpoint cut short', () => {
    const folder = workspace(points);
    expect(fit(folder, '--epochs', '1').code).toBe(0);
    const path = 'out/points/points.safetensors';
    const whole = bytes(folder, path);
    writeFileSync(join(folder, path), whole.subarray(0, whole.length - 5));
    const { code, err } = fit(folder, '--epochs', '2', '--resume');
    expect(err).toMatch(/E0508[^]*not a whole safetensors file/);
    expect(code).toBe(1);
  });

  test('starts from the beginning where there is nothing yet', () => {
    const { code, err } = fit(workspace(points), '--epochs', '1', '--resume');
    expect(err).toContain('starting from the beginning');
    expect(code).toBe(0);
  });
});

// A run killed at any moment, again and again, and continued each time, ends with the bytes of a run that was never stopped.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { bundled, dlg, forms, points, pointsData, startDlg, workspace } from './support.ts';

bundled();

const run = ['train', 'points.dlg', ...pointsData, '--batch', '4'];

const validated = [
  '--epochs',
  '12',
  '--validate',
  'x=points.csv:a-b',
  '--validate',
  'y=points.csv:class',
];

test.each([
  ['a plain program', points['points.dlg'], ['--epochs', '60']],
  ['every form of `train`, and the best weights', forms, validated],
])(
  'SIGKILL and --resume: %s',
  async (_, program, more) => {
    const folder = workspace({ ...points, 'points.dlg': program });
    const args = [...run, ...more, '--save-every', '3'];
    expect(dlg(folder, ...args, '--out', 'whole').code).toBe(0);

    const checkpoint = join(folder, 'parts', 'points.safetensors');
    let kills = 0;
    let finished = false;
    for (let attempt = 0; attempt < 6 && !finished; attempt++) {
      const child = startDlg(folder, ...args, '--out', 'parts', '--resume');
      const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
      const before = existsSync(checkpoint) ? readFileSync(checkpoint) : null;
      // Until it has got further than the last one did, and then a little, so that the kill falls anywhere in a step or a write.
      for (let i = 0; i < 500 && child.exitCode === null; i++) {
        if (existsSync(checkpoint) && !before?.equals(readFileSync(checkpoint))) break;
        await wait(5);
      }
      await wait((attempt * 7) % 40);
      child.kill('SIGKILL');
      finished = (await ended) === 0;
      if (!finished) kills++;
    }
    expect(kills).toBeGreaterThan(2);
    expect(dlg(folder, ...args, '--out', 'parts', '--resume').code).toBe(0);

    const names = readdirSync(join(folder, 'whole')).toSorted();
    expect(readdirSync(join(folder, 'parts')).toSorted()).toEqual(names);
    for (const name of names)
      expect(
        readFileSync(join(folder, 'parts', name)).equals(readFileSync(join(folder, 'whole', name))),
        name,
      ).toBe(true);
  },
  120_000,
);

test('Ctrl-C saves and says so', async () => {
  const folder = workspace(points);
  const child = startDlg(folder, ...run, '--epochs', '100000', '--out', 'cut');
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const checkpoint = join(folder, 'cut', 'points.safetensors');
  for (let i = 0; i < 1000 && !existsSync(checkpoint); i++) await wait(10);
  child.kill('SIGINT');
  expect(await ended).toBe(130);
  expect(existsSync(checkpoint)).toBe(true);
}, 60_000);

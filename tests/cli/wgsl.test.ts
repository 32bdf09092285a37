// `--target wgsl` of `dlg build` and `dlg train`: which files there are, and that the bundled command has the runtime inside.

import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { expect, test } from 'vitest';

import { bundled, dlg, points, pointsData, workspace } from './support.ts';

bundled();

test('what is trained is a module that reads its checkpoint, and what is built from it has the weights alone', async () => {
  const folder = workspace(points);
  const args = ['train', 'points.dlg', ...pointsData, '--epochs', '1', '--out', 'learnt'];
  const { code, err } = dlg(folder, ...args, '--target', 'onnx,wgsl');
  expect(err).toMatch(/wrote .*learnt\/points\.d\.ts, .*learnt\/points\.js, .*points\.onnx/);
  expect(code).toBe(0);
  const module = readFileSync(join(folder, 'learnt', 'points.js'), 'utf8');
  expect(module).toContain("new URL('./points.safetensors', import.meta.url)");

  const build = (out: string): ReturnType<typeof dlg> =>
    dlg(
      folder,
      ...['build', 'points.dlg', '--target', 'wgsl', '--out', out],
      ...['--weights', 'learnt/points.safetensors'],
    );
  expect(build('web').code).toBe(0);
  const names = readdirSync(join(folder, 'web'));
  expect(names.filter((name) => !name.endsWith('.wgsl')).sort()).toEqual([
    'points.d.ts',
    'points.js',
    'points.safetensors',
  ]);
  expect(names.some((name) => name.endsWith('.wgsl'))).toBe(true);
  const size = (of: string): number => statSync(join(folder, of, 'points.safetensors')).size;
  expect(size('web')).toBeLessThan(size('learnt') / 2);

  // Beside the checkpoint itself nothing is written over it.
  const before = readFileSync(join(folder, 'learnt', 'points.safetensors'));
  expect(build('learnt').code).toBe(0);
  expect(readFileSync(join(folder, 'learnt', 'points.safetensors'))).toEqual(before);

  const { load } = await import(
    /* @vite-ignore */ pathToFileURL(join(folder, 'web', 'points.js')).href
  );
  await expect(load({ gpu: { requestAdapter: async () => null } })).rejects.toThrow(
    'WebGPU finds no GPU',
  );
});

test('a checkpoint is not replaced by other weights', () => {
  const folder = workspace(points);
  const train = ['train', 'points.dlg', ...pointsData, '--epochs', '1', '--out'];
  for (const out of ['a', 'b']) expect(dlg(folder, ...train, out).code).toBe(0);
  const { code, err } = dlg(
    folder,
    ...['build', 'points.dlg', '--target', 'wgsl', '--out', 'b'],
    ...['--weights', 'a/points.safetensors'],
  );
  expect(err).toMatch(/E0514.*b\/points\.safetensors|checkpoint of `dlg train`/);
  expect(code).toBe(1);
});

test.each(['--explain', '--features subgroups', '--precision f16'])(
  '%s without WGSL is refused',
  (option) => {
    const { code, err } = dlg(workspace(points), 'build', 'points.dlg', ...option.split(' '));
    expect(code).toBe(2);
    expect(err).toMatch(/^error: `--\w+` is about WGSL: it needs `--target wgsl`/);
  },
);

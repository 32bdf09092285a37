// `--device webgpu`: the command computes on a GPU what it computes on the CPU, and says what is missing where there is none.

import { dirname } from 'node:path';

import { beforeAll, describe, expect, test } from 'vitest';

import { canUnpack, swiftShader } from '../gpu/unpack.ts';
import { bundled, dlg, dlgWith, points, pointsData, workspace } from './support.ts';

bundled();

describe.runIf(canUnpack)('with SwiftShader', () => {
  const env: Record<string, string> = {};
  beforeAll(async () => {
    const { icd, loader } = await swiftShader();
    Object.assign(env, { VK_ICD_FILENAMES: icd, VK_DRIVER_FILES: icd });
    env.LD_LIBRARY_PATH = dirname(loader);
  });

  test('run gives the results of the CPU', () => {
    const folder = workspace({
      'f.dlg':
        'export fn f(x: [B, 2], k: fin(3)[B]) -> (s: [B], big: bool[B]) {\n  s[b] = sum[i] x[b, i]\n  big = k > 1\n}\n',
    });
    const args = ['run', 'f.dlg', 'f', '--input', 'x=[[1, 2], [3, 4]]', '--input', 'k=[2, 0]'];
    const { code, out, err } = dlgWith(env, folder, ...args, '--device', 'webgpu');
    expect(err).toMatch(/^computing on SwiftShader.*, a GPU in software: slow\n$/);
    expect(out).toBe(dlg(folder, ...args).out);
    expect(code).toBe(0);
  });

  test('a size may be an input', () => {
    const folder = workspace({
      's.dlg': 'export fn f(B: dim) -> x: [B, 2] {\n  x ~ normal(0, 1)\n}\n',
    });
    const args = (size: number): string[] => [
      'run',
      's.dlg',
      'f',
      '--input',
      `B=${size}`,
      '--seed',
      '3',
    ];
    const { out, code } = dlgWith(env, folder, ...args(3), '--device', 'webgpu');
    expect(out).toBe(dlg(folder, ...args(3)).out);
    expect(code).toBe(0);
  });

  test('training goes as on the CPU, and on from a checkpoint', () => {
    const folder = workspace(points);
    const train = (device: string, epochs: number, ...more: string[]): number => {
      const options = ['--epochs', String(epochs), '--batch', '16', '--device', device];
      const args = ['train', 'points.dlg', ...pointsData, ...options, '--out', device, ...more];
      const { code, err } = dlgWith(env, folder, ...args);
      expect(err).toContain('wrote ');
      expect(code).toBe(0);
      return Number(/loss[^\n]* (\d\.\d+)\nwrote/.exec(err)?.[1]);
    };
    const loss = train('cpu', 4);
    train('webgpu', 2);
    expect(train('webgpu', 4, '--resume')).toBeCloseTo(loss, 4);
  });
});

test.runIf(canUnpack)('without a driver the message says what to do', () => {
  const folder = workspace({ 'f.dlg': 'export fn f(x: [n]) -> y: [n] = 2 * x\n' });
  const nowhere = { VK_ICD_FILENAMES: '/nowhere.json', VK_DRIVER_FILES: '/nowhere.json' };
  const args = ['run', 'f.dlg', 'f', '--input', 'x=[1]', '--device', 'webgpu'];
  const { code, err } = dlgWith({ ...nowhere, LD_LIBRARY_PATH: '' }, folder, ...args);
  expect(err).toMatch(/E0516.*no GPU can be used[^]*help: install a Vulkan driver/);
  expect(code).toBe(1);
});

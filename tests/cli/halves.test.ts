// `dlg build` in half precision: the weights that a module reads lie beside it as F16, and never in the place of more exact ones.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { beforeEach, expect, test, vi } from 'vitest';

import { build } from '../../cli/commands/build.ts';
import { exit, type ExitCode } from '../../cli/output.ts';
import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { half, halfBits } from '../../runtime/data/array.ts';
import { readSafetensors, writeSafetensors } from '../../runtime/data/safetensors.ts';
import { isProblem } from '../../runtime/problem.ts';
import { workspace } from './support.ts';

const text = `import "std/nn"
layer net = Dense(2, 3)
export fn f(x: [B, 2]) -> y: [B, 3] = net(x)
`;
const W = [0.1, -2.3, 3e-5, 1000.7, 5, 6];
const learnt = (first: number): Uint8Array =>
  writeSafetensors(
    new Map<string, Tensor>([
      ['net.W', tensor('f32', [3, 2], W.with(0, first))],
      ['net.b', tensor('f32', [3], [0.1, 0.2, 0.3])],
    ]),
  );

let said = '';
beforeEach(() => {
  said = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((line) => {
    said += String(line);
    return true;
  });
  return () => vi.restoreAllMocks();
});

const built = (folder: string, from: string, out: string): Promise<ExitCode> =>
  build(join(folder, 'net.dlg'), {
    target: ['wgsl'],
    adapter: 'gpu',
    precision: 'f16',
    weights: join(folder, from),
    out: join(folder, out),
  });

const typesIn = (path: string): unknown => {
  const file = readSafetensors(path, readFileSync(path));
  if (isProblem(file)) throw new Error(file.message);
  return Object.fromEntries(
    [...file.tensors].map(([name, { type, data }]) => [name, [type, ...data]]),
  );
};

test('weights beside a module are F16; they may be built from again, and then stay as they are', async () => {
  const folder = workspace({ 'net.dlg': text, 'learnt.safetensors': learnt(0.1) });
  expect(await built(folder, 'learnt.safetensors', 'web')).toBe(exit.done);
  const path = join(folder, 'web', 'net.safetensors');
  const expected = {
    'net.W': ['float16', ...W.map((x) => half(halfBits(x)))],
    'net.b': ['float32', ...[0.1, 0.2, 0.3].map(Math.fround)],
  };
  expect(typesIn(path)).toEqual(expected);
  expect(readFileSync(join(folder, 'web', 'net.js'), 'utf8')).toContain("dtype: 'f16'");
  const before = readFileSync(path);
  expect(await built(folder, 'web/net.safetensors', 'web')).toBe(exit.done);
  expect(readFileSync(path)).toEqual(before);
});

test('more exact weights are not written over', async () => {
  const folder = workspace({ 'net.dlg': text, 'net.safetensors': learnt(0.1) });
  expect(await built(folder, 'net.safetensors', '.')).toBe(exit.userError);
  expect(said).toContain('has the weights as they were learnt');
  expect(readFileSync(join(folder, 'net.safetensors'))).toEqual(Buffer.from(learnt(0.1)));
});

test('a weight that would be infinite is refused', async () => {
  const folder = workspace({ 'net.dlg': text });
  writeFileSync(join(folder, 'learnt.safetensors'), learnt(65520));
  expect(await built(folder, 'learnt.safetensors', 'web')).toBe(exit.userError);
  expect(said).toContain('has a number in net.W that half precision does not reach');
  writeFileSync(join(folder, 'learnt.safetensors'), learnt(65519));
  expect(await built(folder, 'learnt.safetensors', 'web')).toBe(exit.done);
});

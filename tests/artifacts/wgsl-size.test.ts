// What a page downloads: the module of a small network is small, whatever else the runtime can do.

import { gzipSync } from 'node:zlib';

import { expect, test } from 'vitest';

import { bundleRuntime } from '../../cli/wgsl-runtime/bundle.mjs';
import { exportWgsl } from '../../compiler/pipeline.ts';
import { compiledWithLibrary } from '../models/compile.ts';

test('a perceptron 784-256-10 is a module of at most 4 KB, compressed', async () => {
  const program = compiledWithLibrary(`
layer net = MLP(784, 256, 10)
export fn predict(x: [B, 784]) -> y: [B, 10] = net(x)
`);
  const runtime = await bundleRuntime();
  const texts = exportWgsl(program, { target: { adapter: 'gpu' }, runtime, weights: null });
  const module = texts.get('test.js') ?? '';
  expect(module).toContain('export{');
  expect(gzipSync(module, { level: 9 }).length).toBeLessThanOrEqual(4096);
});

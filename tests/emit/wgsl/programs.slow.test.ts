// Every shader of every example program, at the sizes the examples are written with, for GPUs: Dawn compiles it with WebGPU's default
// limits, and in half precision where that changes it. Those for software adapters are compiled and run at smaller sizes, on a device with these limits, in tests/models.

import { expect, it } from 'vitest';

import { emitWgsl } from '../../../compiler/emit/wgsl/emit.ts';
import { validateWgsl } from '../../gpu/validate.ts';
import { compiledExample, examples, graphsOf } from '../../models/examples.ts';

it.each(examples)('%s', { timeout: 120_000 }, async (path) => {
  const wrong: string[] = [];
  for (const { name, graph } of graphsOf(compiledExample(path, 'full'))) {
    const { kernels } = emitWgsl(graph);
    const names = kernels.map((kernel) => kernel.name);
    expect(new Set(names).size, `names of the kernels of ${name}`).toBe(names.length);
    const halved = emitWgsl(graph, { adapter: 'gpu', precision: 'f16' }).kernels;
    const others = halved.filter(({ features }) => features.includes('shader-f16'));
    for (const { name: kernel, code, buffers, readsSizes, features } of [...kernels, ...others]) {
      const found = await validateWgsl(code, {}, features);
      wrong.push(...found.map((why) => `${name} ${kernel}: ${why}`));
      expect(code.match(/@binding/g)).toHaveLength(buffers.length + (readsSizes ? 1 : 0));
    }
  }
  expect(wrong).toEqual([]);
});

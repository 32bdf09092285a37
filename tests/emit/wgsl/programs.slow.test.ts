// Every shader of every example program, at the sizes the examples are written with, for GPUs and for software adapters: Dawn compiles it
// with WebGPU's default limits. What computes them is tested at smaller sizes, in tests/models.

import { describe, expect, it } from 'vitest';

import type { Target } from '../../../compiler/emit/wgsl/adapter.ts';
import { emitWgsl } from '../../../compiler/emit/wgsl/emit.ts';
import { validateWgsl } from '../../gpu/validate.ts';
import { compiledExample, examples, graphsOf } from '../../models/examples.ts';

const adapters: readonly Target['adapter'][] = ['gpu', 'software'];

describe.each(examples)('%s', (path) => {
  it.each(adapters)('on adapter %s', { timeout: 120_000 }, async (adapter) => {
    const wrong: string[] = [];
    for (const { name, graph } of graphsOf(compiledExample(path, 'full'))) {
      const { kernels } = emitWgsl(graph, { adapter });
      const names = kernels.map((kernel) => kernel.name);
      expect(new Set(names).size, `names of the kernels of ${name}`).toBe(names.length);
      for (const { name: kernel, code, buffers, readsSizes } of kernels) {
        wrong.push(...(await validateWgsl(code)).map((why) => `${name} ${kernel}: ${why}`));
        expect(code.match(/@binding/g)).toHaveLength(buffers.length + (readsSizes ? 1 : 0));
      }
    }
    expect(wrong).toEqual([]);
  });
});

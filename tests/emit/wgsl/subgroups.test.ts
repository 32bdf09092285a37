// Rows folded by the instructions of subgroups, on a device that has them: SwiftShader does, four lanes each.

import { describe, expect, it } from 'vitest';

import type { Target } from '../../../compiler/emit/wgsl/adapter.ts';
import { emitWgsl } from '../../../compiler/emit/wgsl/emit.ts';
import { interpret } from '../../../compiler/ir/interpret.ts';
import { sizeOf, tensor, type Tensor } from '../../../compiler/ir/tensor.ts';
import { webgpuProgram } from '../../../runtime/executors/webgpu.ts';
import { guarded } from '../../gpu/canaries.ts';
import { deviceForTests } from '../../gpu/device.ts';
import { compiled, functionOf } from '../../models/compile.ts';

const device = deviceForTests({ features: ['subgroups'] });

const target: Target = { adapter: 'gpu', features: ['subgroups'] };

const cases: Readonly<
  Record<string, { readonly text: string; readonly x: readonly number[]; readonly tree?: true }>
> = {
  softmax: {
    text: `(x: [B, 300]) -> y: [B, 300] { y[i, j] = softmax[j] x[i, j] }`,
    x: [5, 300],
  },
  'layer norm, rows shorter than a workgroup': {
    text: `(x: [B, 50]) -> y: [B, 50] {
  mu[i] = mean[j] x[i, j]
  var[i] = mean[j] (x[i, j] - mu[i])^2
  y[i, j] = (x[i, j] - mu[i]) / sqrt(var[i] + 1e-5)
}`,
    x: [70, 50],
  },
  'one row of any length': {
    text: `(x: [N]) -> (y: real, z: real, w: real) {
  y = sum(x)
  z = min[i] x[i]
  w = prod[i] (1 + x[i] / 1000)
}`,
    x: [777],
  },
  'the place of the largest, by the tree': {
    text: `(x: [9, 333]) -> y: fin(333)[9] { y[i] = argmax[j] x[i, j] }`,
    x: [9, 333],
    tree: true,
  },
};

const drawn = (shape: readonly number[]): Tensor =>
  tensor(
    'f32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 7919) % 997) / 997 - 0.5),
  );

describe('in subgroups', () => {
  it.each(Object.entries(cases))('%s', async (_, { text, x: shape, tree }) => {
    const { graph } = functionOf(compiled(`export fn f${text}`), 'f');
    const enabled = emitWgsl(graph, target).kernels.map(({ code }) =>
      code.includes('enable subgroups;'),
    );
    expect(enabled).toContain(tree !== true);
    if (!device().features.has('subgroups')) return;
    const x = drawn(shape);
    const { device: watched, overwritten } = guarded(device());
    const program = await webgpuProgram(graph, watched, target);
    const [first, second] = [await program.run({ x }), await program.run({ x })];
    expect(await overwritten()).toEqual([]);
    await program.dispose();
    const expected = interpret(graph, { x }, { precision: 'f64' });
    for (const [name, { data }] of Object.entries(first)) {
      expect(second[name].data).toEqual(data);
      const apart = Array.from(data, (value, i) =>
        Math.abs(Number(value) - Number(expected[name].data[i])),
      );
      expect(Math.max(...apart), name).toBeLessThan(5e-6);
    }
  });

  it('NaN stays: the largest and the least of a row that has one', async () => {
    const { graph } = functionOf(
      compiled(`export fn f(x: [2, 300]) -> (y: [2], z: [2]) {
  y[i] = max[j] x[i, j]
  z[i] = min[j] x[i, j]
}`),
      'f',
    );
    if (!device().features.has('subgroups')) return;
    const program = await webgpuProgram(graph, device(), target);
    const data = Float32Array.from({ length: 600 }, (_, i) => (i === 217 ? NaN : i % 300));
    const { y, z } = await program.run({ x: tensor('f32', [2, 300], data) });
    await program.dispose();
    expect([...y.data]).toEqual([NaN, 299]);
    expect([...z.data]).toEqual([NaN, 0]);
  });

  it('only where the target says so', () => {
    const { graph } = functionOf(compiled(`export fn f${cases.softmax.text}`), 'f');
    for (const { code } of emitWgsl(graph).kernels) expect(code).not.toContain('subgroup');
  });
});

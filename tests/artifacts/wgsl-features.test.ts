// Modules whose kernels take features of the GPU: they ask for exactly those, and say which the GPU lacks.

import { create } from 'webgpu';
import { describe, expect, test } from 'vitest';

import { interpret } from '../../compiler/ir/interpret.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { deviceForTests } from '../gpu/device.ts';
import { compiledWithLibrary, functionOf } from '../models/compile.ts';
import { removeModules, writeModule, type AnyModel, type HostTensor } from './wgsl-module.ts';

const program = compiledWithLibrary(`
export fn attend(x: [B, 300]) -> p: [B, 300] { p[b, i] = softmax[i] x[b, i] }
export fn twice(x: [B, 300]) -> y: [B, 300] = 2 * x
`);

interface Model extends AnyModel {
  readonly attend: (feeds: object) => Promise<{ p: HostTensor }>;
}

/** Without features. */
const plain = deviceForTests();
removeModules();

const written = await writeModule(program, { adapter: 'gpu', features: ['subgroups'] });

/** The machine's GPU, with only those of its features that are named; what it is asked for is noted. */
function gpuWith(names: readonly string[]): { readonly gpu: GPU; readonly asked: unknown[] } {
  const [real, asked] = [create([]), [] as unknown[]];
  const requestAdapter = async (): Promise<object | null> => {
    const adapter = await real.requestAdapter();
    return (
      adapter && {
        limits: adapter.limits,
        features: new Set([...adapter.features].filter((name) => names.includes(name))),
        requestDevice(descriptor: GPUDeviceDescriptor) {
          asked.push(descriptor.requiredFeatures);
          return adapter.requestDevice(descriptor);
        },
      }
    );
  };
  return { gpu: { requestAdapter } as unknown as GPU, asked };
}

describe('a module with kernels of subgroups', () => {
  test('asks for them, and answers as the interpreter does', async () => {
    const { features } = (await create([]).requestAdapter()) ?? { features: new Set<string>() };
    const { gpu, asked } = gpuWith(['subgroups', 'timestamp-query']);
    if (!features.has('subgroups')) return;
    const model = await written.load<Model>({ gpu });
    expect(asked).toEqual([['subgroups']]);
    const x = Float32Array.from({ length: 900 }, (_, i) => ((i * 7919) % 997) / 99);
    const { p } = await model.attend({ x });
    const feeds = { x: tensor('f32', [3, 300], x) };
    const expected = interpret(functionOf(program, 'attend').graph, feeds, { precision: 'f64' });
    const apart = Array.from(p.data, (value, i) => Math.abs(value - expected.p.data[i]));
    expect(Math.max(...apart)).toBeLessThan(1e-6);
    model.dispose();
  });

  test('says what the GPU lacks, or the device', async () => {
    const { gpu } = gpuWith(['timestamp-query']);
    const message = 'the GPU has no subgroups, which this module was built with: build one without';
    await expect(written.load({ gpu })).rejects.toThrow(message);
    await expect(written.load({ device: plain() })).rejects.toThrow(message);
  });
});

test('a module asks for nothing that its kernels do not take', async () => {
  const twice = { ...program, functions: program.functions.filter(({ name }) => name === 'twice') };
  const module = await writeModule(twice, { adapter: 'gpu', features: ['subgroups'] });
  const { gpu, asked } = gpuWith([]);
  const model = await module.load<Model>({ gpu });
  expect(asked).toEqual([undefined]);
  model.dispose();
});

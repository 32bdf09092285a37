// The executors offer one interface and mean the same by it: names, roles, sizes, and messages where feeds do not fit.

import { describe, expect, it } from 'vitest';

import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { optimise } from '../../compiler/transform/passes.ts';
import { interpreterProgram } from '../../runtime/executors/interpreter.ts';
import { onnxProgram } from '../../runtime/executors/onnx.ts';
import type { Program } from '../../runtime/program.ts';
import { farthest } from '../transform/compare.ts';
import { generator, perceptronStep, randomTensor } from '../transform/models.ts';

const { graph, parameters } = perceptronStep([5, 7, 4]);
const step = optimise(graph);
const next = generator(9);
const feeds: Readonly<Record<string, Tensor>> = {
  x: randomTensor([3, 5], next, 'f32', 'f32'),
  t: randomTensor([3, 4], next, 'f32', 'f32'),
  ...Object.fromEntries(parameters.map(({ name, shape }) => [name, randomTensor(shape, next)])),
};

const executors: readonly (readonly [string, () => Promise<Program>])[] = [
  ['interpreter', async () => interpreterProgram(step)],
  ['onnx', () => onnxProgram(emitOnnx(step), { threads: 1 })],
  ['onnx on two threads', () => onnxProgram(emitOnnx(step))],
];

describe.each(executors)('%s', (_name, open) => {
  it('computes what the interpreter computes in float64', async () => {
    const program = await open();
    const expected = await interpreterProgram(step, { precision: 'f64' }).run(feeds);
    const results = await program.run(feeds);
    expect(farthest(expected, results).distance).toBeLessThan(1e-6);
    expect(results['loss']).toMatchObject({ dtype: 'f32', shape: [] });
    expect(results['net.l1.W.next'].data).toBeInstanceOf(Float32Array);
    await program.dispose();
  });

  it('describes its ports', async () => {
    const { inputs, outputs, dispose } = await open();
    expect(inputs[0]).toEqual({ name: 'x', role: 'data', dtype: 'f32', dims: ['B', 5] });
    expect(outputs.map(({ name, role }) => `${name}: ${role}`).slice(0, 2)).toEqual([
      'loss: loss',
      'net.l1.W.next: parameter',
    ]);
    await dispose();
  });

  it.each([
    ['a missing feed', { t: undefined }, 't is missing'],
    ['a wrong size', { x: tensor('f32', [3, 6], Array(18).fill(0)) }, 'x'],
    ['a wrong rank', { x: tensor('f32', [15], Array(15).fill(0)) }, 'x'],
    ['a wrong type', { x: tensor('i32', [3, 5], Array(15).fill(0)) }, 'x is i32'],
  ])('names the port of %s', async (_case, change, message) => {
    const program = await open();
    const wrong = Object.fromEntries(
      Object.entries({ ...feeds, ...change }).filter(([, value]) => value !== undefined),
    ) as Record<string, Tensor>;
    await expect(program.run(wrong)).rejects.toThrow(`input ${message}`);
    await program.dispose();
  });

  it('rejects free sizes that disagree', async () => {
    const program = await open();
    const wrong = { ...feeds, t: tensor('f32', [2, 4], Array(8).fill(0)) };
    await expect(program.run(wrong)).rejects.toThrow(/input t: axis 0 has size 2, but B is 3/);
    await program.dispose();
  });
});

it('says so when a model is not an ONNX file', async () => {
  await expect(onnxProgram(new Uint8Array([1, 2, 3]))).rejects.toThrow(/not an ONNX model/);
});

it('a step does not change its feeds', async () => {
  const program = await onnxProgram(emitOnnx(step), { threads: 1 });
  const before = Object.fromEntries(
    Object.entries(feeds).map(([name, value]) => [name, [...value.data]]),
  );
  await program.run(feeds);
  for (const [name, value] of Object.entries(feeds)) expect([...value.data]).toEqual(before[name]);
  await program.dispose();
});

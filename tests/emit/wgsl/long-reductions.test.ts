// Sums of very many numbers, in stages: lengths around those of the parts, reductions of every kind, sizes that are free.

import { describe, expect, it } from 'vitest';

import { emitWgsl } from '../../../compiler/emit/wgsl/emit.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import { interpret } from '../../../compiler/ir/interpret.ts';
import { sizeOf, tensor, type Tensor } from '../../../compiler/ir/tensor.ts';
import { webgpuProgram } from '../../../runtime/executors/webgpu.ts';
import { guarded } from '../../gpu/canaries.ts';
import { deviceForTests } from '../../gpu/device.ts';
import { compiled, functionOf } from '../../models/compile.ts';

const device = deviceForTests();

const graphOf = (text: string): Graph => functionOf(compiled(text), 'f').graph;

const drawn = (shape: readonly number[]): Tensor =>
  tensor(
    'f32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 7919) % 9973) / 9973 - 0.4),
  );

/** Runs twice by the kernels for each kind of adapter: both times the same, and as in float64; nothing is written behind an end. */
async function check(graph: Graph, x: Tensor): Promise<void> {
  const expected = interpret(graph, { x }, { precision: 'f64' });
  for (const adapter of ['software', 'gpu'] as const) {
    const { device: watched, overwritten } = guarded(device());
    const program = await webgpuProgram(graph, watched, { adapter });
    const [first, second] = [await program.run({ x }), await program.run({ x })];
    expect(await overwritten(), adapter).toEqual([]);
    await program.dispose();
    for (const [name, { data }] of Object.entries(first)) {
      expect(second[name].data).toEqual(data);
      const right = expected[name].data;
      const apart = Array.from(data, (value, i) => {
        const exact = Number(right[i]);
        return Math.abs(Number(value) - exact) / Math.max(1, Math.abs(exact));
      });
      expect(Math.max(...apart), name).toBeLessThan(2e-6);
    }
  }
}

const kernels = (graph: Graph): number => emitWgsl(graph).kernels.length;

const everything = (n: number | string): Graph =>
  graphOf(`export fn f(x: [${n}]) -> (a: real, b: real, c: real, d: real) {
  a = sum(x)
  b = mean[i] x[i]^2
  c = max[i] x[i]
  d = min[i] x[i]
}`);

describe('everything', () => {
  it.each([1, 1023, 1024, 1025, 100_003])('of %i numbers', async (n) => {
    const graph = everything(n);
    expect(kernels(graph)).toBe(n < 1024 ? 1 : 2);
    await check(graph, drawn([n]));
  });

  it.each([1, 63, 1025])('of as many as there are: %i', (n) => check(everything('N'), drawn([n])));
});

describe('with free sizes', () => {
  const cases: Readonly<Record<string, string>> = {
    'all but the last axis': `(x: [B, 70, 5]) -> y: [5] { y[i] = sum[n, j] x[n, j, i] }`,
    'axes that lie apart': `(x: [B, 5, 70]) -> y: [5] { y[j] = sum[n, i] x[n, j, i] }`,
    'all axes': `(x: [B, 70, 5]) -> y: real { y = sum(x) }`,
    'the first axis of two, whose parts leave a rest': `(x: [70 * B + 3, 5]) -> y: [5] { y[i] = sum[n] x[n, i] }`,
    'and what follows': `(x: [B, 70, 5]) -> y: [B, 70, 5] {
  mu[i] = mean[n, j] x[n, j, i]
  y[n, j, i] = x[n, j, i] - mu[i]
}`,
  };
  const shapes: Readonly<Record<string, (B: number) => readonly number[]>> = {
    'axes that lie apart': (B) => [B, 5, 70],
    'the first axis of two, whose parts leave a rest': (B) => [70 * B + 3, 5],
  };
  it.each(Object.entries(cases))('%s', async (name, text) => {
    const graph = graphOf(`export fn f${text}`);
    expect(kernels(graph)).toBeGreaterThan(1);
    for (const B of [1, 15, 17])
      await check(graph, drawn((shapes[name] ?? ((n) => [n, 70, 5]))(B)));
  });
});

it('sums over rows that a kernel needs again stay in one', () => {
  const softmax = (n: number): number =>
    kernels(
      graphOf(`export fn f(x: [256, ${n}]) -> y: [256, ${n}] { y[i, j] = softmax[j] x[i, j] }`),
    );
  expect(softmax(1024)).toBe(1);
  expect(softmax(100_003)).toBeGreaterThan(1);
});

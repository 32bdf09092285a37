// Small loops in one kernel: carries that change places, stacked rows, an end by a test, free numbers of steps; what is not small stays
// apart.

import { describe, expect, it } from 'vitest';

import { emitWgsl } from '../../../compiler/emit/wgsl/emit.ts';
import { interpret } from '../../../compiler/ir/interpret.ts';
import { sizeOf, tensor, type Tensor } from '../../../compiler/ir/tensor.ts';
import { webgpuProgram } from '../../../runtime/executors/webgpu.ts';
import { guarded } from '../../gpu/canaries.ts';
import { deviceForTests } from '../../gpu/device.ts';
import { validateWgsl } from '../../gpu/validate.ts';
import { compiled, functionOf } from '../../models/compile.ts';

const device = deviceForTests();
const adapters = ['gpu', 'software'] as const;

const wavy = (...shape: number[]): Tensor =>
  tensor(
    'f32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(1 + 7 * i)),
  );

const recurrence = (n: number, T: number | string): string =>
  `export fn f(x: [${T}, ${n}], W: [${n}, ${n}]) -> (y: [${n}], all: [${T}, ${n}]) {
  for t < ${T} with s = zeros(${n}) {
    a[i] = sum[j] W[i, j] * s[j] / 4 + x[t, i]
    all[t] = a
    s <- tanh(a)
  }
  y = s
}`;

const elementwise = (n: number): string => `export fn f(x: [${n}]) -> y: [${n}] {
  for t < 5 with s = x { s <- tanh(s) }
  y = s
}`;

const small: Readonly<Record<string, { text: string; feeds: Record<string, Tensor> }>> = {
  'a network with a state': {
    text: recurrence(6, 7),
    feeds: { x: wavy(7, 6), W: wavy(6, 6) },
  },
  'as many steps as the input has': {
    text: recurrence(6, 'T'),
    feeds: { x: wavy(5, 6), W: wavy(6, 6) },
  },
  'more elements than the workgroup has lanes': {
    text: elementwise(600),
    feeds: { x: wavy(600) },
  },
  'carries that change places': {
    text: `export fn f(x: [T]) -> (y: [T], last: real) {
  for t < T down with a = 0.0, b = 1.0, c = 2.0 {
    y[t] = a + x[t]
    a, b, c <- b, c, a + b
  }
  last = a
}`,
    feeds: { x: wavy(9) },
  },
  'an end by a test': {
    text: `export fn f(x: [T]) -> (sum: real, seen: [T]) {
  for t < T until s > 2 with s = 0.0 {
    seen[t] = s
    s <- s + x[t]^2
  }
  sum = s
}`,
    feeds: { x: wavy(40) },
  },
};

describe.each(adapters)('one kernel, for adapter %s', (adapter) => {
  it.each(Object.entries(small))('%s', async (_, { text, feeds }) => {
    const { graph } = functionOf(compiled(text), 'f');
    const { kernels, steps } = emitWgsl(graph, { adapter });
    expect(steps.every((step) => 'kernel' in step)).toBe(true);
    const loops = kernels.filter(({ turns }) => turns !== undefined);
    expect(loops).toHaveLength(1);
    expect(loops[0].code).toContain('storageBarrier();');
    expect(await validateWgsl(loops[0].code)).toEqual([]);
    const { device: watched, overwritten } = guarded(device());
    const program = await webgpuProgram(graph, watched, { adapter });
    const [first, second] = [await program.run(feeds), await program.run(feeds)];
    expect(await overwritten()).toEqual([]);
    await program.dispose();
    const expected = interpret(graph, feeds, { precision: 'f64' });
    for (const [name, { data }] of Object.entries(first)) {
      expect(second[name].data).toEqual(data);
      Array.from(data).forEach((value, i) =>
        expect(Number(value)).toBeCloseTo(Number(expected[name].data[i]), 4),
      );
    }
  });
});

describe('kernels of their own, where', () => {
  const isApart = (text: string): boolean =>
    emitWgsl(functionOf(compiled(text), 'f').graph).steps.some((step) => !('kernel' in step));

  it('an element more than a few rounds of a workgroup', () => {
    expect(isApart(elementwise(1024))).toBe(false);
    expect(isApart(elementwise(1025))).toBe(true);
  });

  it('the size of a carry is free', () => {
    expect(isApart(elementwise(1024).replaceAll('1024', 'B'))).toBe(true);
  });

  it('a row takes a workgroup that waits for its lanes', () => {
    expect(
      isApart(`export fn f(x: [900]) -> y: [900] {
  for t < 5 with s = x { s <- s / sum(s) }
  y = s
}`),
    ).toBe(true);
  });
});

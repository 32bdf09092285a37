// Every way of computing a product, on sizes that no tile divides, with batches, transposes, windows, and what follows the product in
// the same kernel, on buffers with canaries behind them. SwiftShader takes a second or two to compile a tiled kernel, so each runs a few
// programs only.

import { describe, expect, it } from 'vitest';

import type { Target, VariantName } from '../../../compiler/emit/wgsl/adapter.ts';
import { emitWgsl } from '../../../compiler/emit/wgsl/emit.ts';
import { interpret } from '../../../compiler/ir/interpret.ts';
import { sizeOf, tensor, type Tensor } from '../../../compiler/ir/tensor.ts';
import { webgpuProgram } from '../../../runtime/executors/webgpu.ts';
import { guarded } from '../../gpu/canaries.ts';
import { deviceForTests } from '../../gpu/device.ts';
import { validateWgsl } from '../../gpu/validate.ts';
import { compiled, functionOf } from '../../models/compile.ts';

const device = deviceForTests();

const names: Readonly<Record<VariantName, null>> = {
  single: null,
  blocks: null,
  small: null,
  medium: null,
  large: null,
  slices: null,
};
const targets: Readonly<Record<string, Target>> = {
  ...Object.fromEntries(
    Object.keys(names).map((product) => [
      product,
      { adapter: 'gpu', product: product as VariantName } as const,
    ]),
  ),
  software: { adapter: 'software' },
};

interface Case {
  readonly text: string;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly kernels?: number;
  readonly kernelsOnSoftware?: number;
}

const cases: Readonly<Record<string, Case>> = {
  'a batch of products, one factor transposed, with a map after it': {
    text: `export fn f(a: [2, 37, 19], b: [2, 21, 19], c: [21]) -> y: [2, 37, 21] {
  s[n, i, j] = sum[k] a[n, i, k] * b[n, j, k]
  y[n, i, j] = tanh(s[n, i, j] + c[j])
}`,
    shapes: { a: [2, 37, 19], b: [2, 21, 19], c: [21] },
  },
  'free sizes': {
    text: `export fn f(a: [A, B], b: [B, C]) -> y: [A, C] { y[i, j] = sum[k] a[i, k] * b[k, j] }`,
    shapes: { a: [9, 67], b: [67, 13] },
  },
  'a convolution': {
    text: `export fn f(x: [2, 3, 7, 6], K: [5, 3, 3, 3]) -> y: [2, 5, 7, 6] {
  z = pad(x, [1, 1], [1, 1])
  y[n, o, i, j] = sum[c, u, v] K[o, c, u, v] * z[n, c, i + u, j + v]
}`,
    shapes: { x: [2, 3, 7, 6], K: [5, 3, 3, 3] },
  },
  'a convolution, a pool, which leaves a rest, and what follows it': {
    text: `export fn f(x: [2, 3, 7, 6], K: [5, 3, 3, 3]) -> y: [2, 5, 3, 3] {
  z = pad(x, [1, 1], [1, 1])
  a[n, o, i < 7, j < 6] = sum[c, u, v] K[o, c, u, v] * z[n, c, i + u, j + v]
  y[n, o, i, j] = tanh(max[u < 2, v < 2] a[n, o, i*2 + u, j*2 + v])
}`,
    shapes: { x: [2, 3, 7, 6], K: [5, 3, 3, 3] },
    kernels: 1,
    kernelsOnSoftware: 2,
  },
  'the sums of a factor, as of the gradient of a bias, and what follows them': {
    text: `export fn f(g: [3, N, 37], x: [3, N, 21], W: [37, 21], b: [37]) -> (y: [37, 21], z: [37]) {
  y[i, j] = W[i, j] - 0.1 * sum[m, n] g[m, n, i] * x[m, n, j]
  z[i] = b[i] - 0.1 * sum[m, n] g[m, n, i]
}`,
    shapes: { g: [3, 11, 37], x: [3, 11, 21], W: [37, 21], b: [37] },
    kernels: 1,
  },
};

const drawn = (shape: readonly number[], from: number): Tensor =>
  tensor(
    'f32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => (((i + from) * 7919) % 997) / 997 - 0.5),
  );

describe.each(Object.entries(targets))('%s', (_, target) => {
  it.each(Object.entries(cases))('%s', { timeout: 60_000 }, async (_, of) => {
    const { text, shapes } = of;
    const kernels =
      (target.adapter === 'software' ? of.kernelsOnSoftware : undefined) ?? of.kernels;
    const { graph } = functionOf(compiled(text), 'f');
    const feeds = Object.fromEntries(
      Object.entries(shapes).map(([name, shape], i) => [name, drawn(shape, i)]),
    );
    const expected = interpret(graph, feeds, { precision: 'f64' });
    if (kernels !== undefined) expect(emitWgsl(graph, target).kernels).toHaveLength(kernels);
    const { device: watched, overwritten } = guarded(device());
    const program = await webgpuProgram(graph, watched, target);
    const [results, again] = [await program.run(feeds), await program.run(feeds)];
    expect(await overwritten()).toEqual([]);
    for (const [name, { data }] of Object.entries(results)) {
      expect(again[name].data).toEqual(data);
      const right = expected[name].data;
      const apart = Array.from(data, (value, i) => Math.abs(Number(value) - Number(right[i])));
      expect(Math.max(...apart), name).toBeLessThan(1e-6);
    }
    await program.dispose();
  });
});

describe('every kernel keeps to the default limits', () => {
  it.each(Object.entries(targets))('%s', async (_, target) => {
    for (const { text } of Object.values(cases))
      for (const { code } of emitWgsl(functionOf(compiled(text), 'f').graph, target).kernels)
        expect(await validateWgsl(code), code).toEqual([]);
  });
});

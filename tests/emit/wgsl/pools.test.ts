// Pools after products: for a GPU the kernel of the product finishes whole windows, and stores nothing else. The interpreter in float64
// says what is right.

import { describe, expect, it } from 'vitest';

import { emitWgsl } from '../../../compiler/emit/wgsl/emit.ts';
import { interpret } from '../../../compiler/ir/interpret.ts';
import { sizeOf, tensor, type Tensor } from '../../../compiler/ir/tensor.ts';
import { webgpuProgram } from '../../../runtime/executors/webgpu.ts';
import { deviceForTests } from '../../gpu/device.ts';
import { compiled, functionOf } from '../../models/compile.ts';

const device = deviceForTests();

interface Case {
  readonly text: string;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  /** For a GPU, and for software. */
  readonly kernels: readonly [number, number];
}

const library = `fn pool(a: [B, m, H, W]) -> y: [B, m, H // 2, W // 2] {
  y[n, o, i, j] = max[u < 2, v < 2] a[n, o, i*2 + u, j*2 + v]
}
fn conv(x: [B, c, H, W], K: [m, c, 3, 3], b: [m]) -> y: [B, m, H, W] {
  z = pad(x, [1, 1], [1, 1])
  y[n, o, i, j] = sum[e, u, v] K[o, e, u, v] * z[n, e, i + u, j + v] + b[o]
}`;
const operands = 'x: [B, 3, 7, 6], K: [5, 3, 3, 3], b: [5]';
const shapes = { x: [2, 3, 7, 6], K: [5, 3, 3, 3], b: [5] };

const cases: Readonly<Record<string, Case>> = {
  'the largest, where windows leave a rest': {
    text: `export fn f(${operands}) -> y: [B, 5, 3, 3] {
  p = pool(conv(x, K, b))
  y[n, o, i, j] = if p[n, o, i, j] > 0 then p[n, o, i, j] else 0
}`,
    shapes,
    kernels: [1, 2],
  },
  'the mean of two, along one axis': {
    text: `export fn f(${operands}) -> y: [B, 5, 7, 3] {
  a = conv(x, K, b)
  y[n, o, i, j] = tanh(mean[v < 2] a[n, o, i, j*2 + v])
}`,
    shapes,
    kernels: [1, 2],
  },
  'windows over the columns of a matrix product': {
    text: `export fn f(a: [9, 7], b: [7, 21]) -> y: [9, 5] {
  c[i, j] = sum[k] a[i, k] * b[k, j]
  y[i, j] = max[v < 4] c[i, j*4 + v]
}`,
    shapes: { a: [9, 7], b: [7, 21] },
    kernels: [1, 2],
  },
  'the gradient': {
    text: `export fn f(${operands}) -> (dK: [5, 3, 3, 3], db: [5], dx: [B, 3, 7, 6]) {
  y = pool(conv(x, K, b))
  l = sum(y * y)
  dK = grad(l, K)
  db = grad(l, b)
  dx = grad(l, x)
}`,
    shapes,
    kernels: [3, 5],
  },
  'not where the product is a result too': {
    text: `export fn f(${operands}) -> (a: [B, 5, 7, 6], y: [B, 5, 3, 3]) {
  a = conv(x, K, b)
  y = pool(a)
}`,
    shapes,
    kernels: [2, 2],
  },
  'not over rows': {
    text: `export fn f(a: [10, 7], b: [7, 6]) -> y: [5, 6] {
  c[i, j] = sum[k] a[i, k] * b[k, j]
  y[i, j] = max[u < 2] c[i*2 + u, j]
}`,
    shapes: { a: [10, 7], b: [7, 6] },
    kernels: [2, 2],
  },
  'not windows of nine': {
    text: `export fn f(${operands}) -> y: [B, 5, 2, 2] {
  a = conv(x, K, b)
  y[n, o, i, j] = max[u < 3, v < 3] a[n, o, i*3 + u, j*3 + v]
}`,
    shapes,
    kernels: [2, 2],
  },
  'not windows that overlap': {
    text: `export fn f(${operands}) -> y: [B, 5, 6, 5] {
  a = conv(x, K, b)
  y[n, o, i, j] = max[u < 2, v < 2] a[n, o, i + u, j + v]
}`,
    shapes,
    kernels: [2, 2],
  },
};

const drawn = (shape: readonly number[], from: number): Tensor =>
  tensor(
    'f32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => (((i + from) * 7919) % 997) / 997 - 0.5),
  );

describe.each(Object.entries(cases))('%s', (_, { text, shapes: sizes, kernels }) => {
  it.each(['gpu', 'software'] as const)('%s', { timeout: 60_000 }, async (adapter) => {
    const { graph } = functionOf(compiled(`${library}\n${text}`), 'f');
    expect(emitWgsl(graph, { adapter }).kernels).toHaveLength(kernels[adapter === 'gpu' ? 0 : 1]);
    const feeds = Object.fromEntries(
      Object.entries(sizes).map(([name, shape], i) => [name, drawn(shape, i)]),
    );
    const expected = interpret(graph, feeds, { precision: 'f64' });
    const program = await webgpuProgram(graph, device(), { adapter });
    const results = await program.run(feeds);
    await program.dispose();
    for (const [name, { data }] of Object.entries(results)) {
      const right = expected[name].data;
      const apart = Array.from(data, (value, i) => Math.abs(Number(value) - Number(right[i])));
      expect(Math.max(...apart), name).toBeLessThan(5e-6);
    }
  });
});

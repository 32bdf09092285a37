// Attention on the GPU stores no score: values and derivatives against the interpreter in float64, with masks, layouts and sizes of every
// kind, on both kinds of adapter, on buffers with canaries behind them.

import { describe, expect, it } from 'vitest';

import { isConstant } from '../../../compiler/dims/arithmetic.ts';
import type { Target } from '../../../compiler/emit/wgsl/adapter.ts';
import { emitWgsl, type ProgramKernel } from '../../../compiler/emit/wgsl/emit.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import { interpret } from '../../../compiler/ir/interpret.ts';
import { sizeOf, tensor, type Tensor } from '../../../compiler/ir/tensor.ts';
import { webgpuProgram } from '../../../runtime/executors/webgpu.ts';
import { planOf } from '../../../runtime/webgpu/plan.ts';
import { guarded } from '../../gpu/canaries.ts';
import { deviceForTests } from '../../gpu/device.ts';
import { validateWgsl } from '../../gpu/validate.ts';
import { expectClose } from '../../ir/expect-close.ts';
import { compiled, functionOf } from '../../models/compile.ts';

const device = deviceForTests();
const gpu: Target = { adapter: 'gpu', streams: 'everywhere' };
const software: Target = { adapter: 'software', streams: 'everywhere' };
const targets = { gpu, software };

interface Case {
  readonly text: string;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
}

/** `f(q, k, v, ...)` of these shapes, which gives y by these lines. */
const attention = (ports: readonly string[], y: string, lines: string): string =>
  `export fn f(${ports.join(', ')}) -> y: ${y} {\n${lines}\n}`;

/** The same with its derivatives along u. */
const withGradients = (ports: readonly string[], y: string, lines: string): string => {
  const [q, k, v] = ports.map((port) => port.replace(/^\w+: /, ''));
  return `export fn f(${ports.join(', ')}, u: ${y}) -> (y: ${y}, dq: ${q}, dk: ${k}, dv: ${v}) {
${lines}
  dq = vjp(y, q, u)
  dk = vjp(y, k, u)
  dv = vjp(y, v, u)
}`;
};

const free = ['q: [B, H, T, 8]', 'k: [B, H, S, 8]', 'v: [B, H, S, 12]'];
const scores = 'sum[j] q[b, h, t, j] * k[b, h, s, j]';
const average = 'y[b, h, t, i] = sum[s] a[b, h, t, s] * v[b, h, s, i]';
const plain = `  a[b, h, t, s] = softmax[s] ((${scores}) / sqrt(8))\n  ${average}`;
const sized = (T: number, S: number) => ({ q: [2, 3, T, 8], k: [2, 3, S, 8], v: [2, 3, S, 12] });

const values: Readonly<Record<string, Case>> = {
  'free sizes that no tile divides': {
    text: attention(free, '[B, H, T, 12]', plain),
    shapes: sized(37, 21),
  },
  'one query': { text: attention(free, '[B, H, T, 12]', plain), shapes: sized(1, 70) },
  'one key': { text: attention(free, '[B, H, T, 12]', plain), shapes: sized(5, 1) },
  'known sizes that tiles divide': {
    text: attention(
      ['q: [2, 64, 4]', 'k: [2, 64, 4]', 'v: [2, 64, 4]'],
      '[2, 64, 4]',
      `  a[b, t, s] = softmax[s] (sum[j] q[b, t, j] * k[b, s, j])
  y[b, t, i] = sum[s] a[b, t, s] * v[b, s, i]`,
    ),
    shapes: { q: [2, 64, 4], k: [2, 64, 4], v: [2, 64, 4] },
  },
  'a bias, a mask by position, and rows in which all is masked': {
    text: attention(
      ['q: [B, T, 6]', 'k: [B, S, 6]', 'v: [B, S, 3]', 'bias: [T, S]', 'seen: [B, S]'],
      '[B, T, 3]',
      `  x[b, t, s] = 0.3 * sum[j] q[b, t, j] * k[b, s, j] + bias[t, s]
  z[b, t, s] = x[b, t, s] + log(if seen[b, s] > -1 and s + 4 <= t then 1 else 0)
  a[b, t, s] = softmax[s] z[b, t, s]
  y[b, t, i] = sum[s] a[b, t, s] * v[b, s, i]`,
    ),
    shapes: { q: [3, 19, 6], k: [3, 23, 6], v: [3, 23, 3], bias: [19, 23], seen: [3, 23] },
  },
  'axes in other orders, keys shared by heads, with maps after it': {
    text: attention(
      ['q: [T, B, H * 8]', 'k: [8, S, B]', 'v: [B, H, 5, S]', 'w: [B, T, H, 5]'],
      '[B, T, H, 5]',
      `  a[b, h < H, t, s] = softmax[s] (sum[j < 8] q[t, b, (h, j)] * k[j, s, b])
  z[b, t, h, i] = sum[s] a[b, h, t, s] * v[b, h, i, s]
  y[b, t, h, i] = tanh(z[b, t, h, i]) + w[b, t, h, i]`,
    ),
    shapes: { q: [17, 2, 24], k: [8, 25, 2], v: [2, 3, 5, 25], w: [2, 17, 3, 5] },
  },
};

const gradients: Readonly<Record<string, Case>> = {
  'free sizes': {
    text: withGradients(free, '[B, H, T, 12]', plain),
    shapes: { ...sized(13, 21), u: [2, 3, 13, 12] },
  },
  'causal, keys and queries in other orders': {
    text: withGradients(
      ['q: [T, 2, 4]', 'k: [4, 2, T]', 'v: [2, T, 4]'],
      '[2, T, 4]',
      `  a[b, t, s] = softmax[s <= t] (sum[j] q[t, b, j] * k[j, b, s])
  y[b, t, i] = sum[s] a[b, t, s] * v[b, s, i]`,
    ),
    shapes: { q: [18, 2, 4], k: [4, 2, 18], v: [2, 18, 4], u: [2, 18, 4] },
  },
};

const drawn = (shape: readonly number[], from: number): Tensor =>
  tensor(
    'f32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => (((i + from) * 7919) % 997) / 250 - 2),
  );

const feedsOf = ({ shapes }: Case): Readonly<Record<string, Tensor>> =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape], i) => [name, drawn(shape, i)]));

/** The kernels that compute scores and fold them at once. */
const folding = (graph: Graph, target: Target): ProgramKernel[] =>
  emitWgsl(graph, target).kernels.filter(({ kernel }) => kernel.kind === 'stream');

async function check(graph: Graph, feeds: Feeds, target: Target): Promise<void> {
  const expected = interpret(graph, feeds, { precision: 'f64' });
  const { device: watched, overwritten } = guarded(device());
  const program = await webgpuProgram(graph, watched, target);
  const [actual, again] = [await program.run(feeds), await program.run(feeds)];
  expect(await overwritten()).toEqual([]);
  await program.dispose();
  for (const name of Object.keys(expected)) {
    expectClose(actual[name], expected[name], 1e-5, name);
    expect(again[name].data).toEqual(actual[name].data);
  }
}

type Feeds = Readonly<Record<string, Tensor>>;

describe.each(Object.entries(targets))('attention for %s', (_, target) => {
  it.each(Object.entries(values))('%s', { timeout: 60_000 }, async (_, of) => {
    const { graph } = functionOf(compiled(of.text), 'f');
    expect(folding(graph, target)).toHaveLength(1);
    const feeds = feedsOf(of);
    // Rows in which nothing is seen have no weights.
    const hasNone = interpret(graph, feeds, { precision: 'f64' }).y.data.some(Number.isNaN);
    expect(hasNone).toBe('seen' in feeds);
    await check(graph, feeds, target);
  });
});

describe.each(Object.entries(targets))('its gradients for %s', (_, target) => {
  it.each(Object.entries(gradients))('%s', { timeout: 60_000 }, async (_, of) => {
    const { graph } = functionOf(compiled(of.text), 'f');
    expect(folding(graph, target).length).toBeGreaterThan(3);
    await check(graph, feedsOf(of), target);
  });
});

describe.each(Object.entries(targets))(
  'every kernel keeps to the default limits: %s',
  (_, target) => {
    const wide = attention(
      ['q: [T, 128]', 'k: [S, 128]', 'v: [S, 128]'],
      '[T, 128]',
      `  a[t, s] = softmax[s] ((sum[j] q[t, j] * k[s, j]) / 20)
  y[t, i] = sum[s] a[t, s] * v[s, i]`,
    );
    const texts = [...Object.values(values), ...Object.values(gradients)].map(({ text }) => text);
    it('are valid', async () => {
      for (const text of [...texts, wide])
        for (const { code } of emitWgsl(functionOf(compiled(text), 'f').graph, target).kernels)
          expect(await validateWgsl(code), code).toEqual([]);
    });
  },
);

/** The elements of the largest buffer. */
const largest = (graph: Graph, target: Target, sizes: Readonly<Record<string, number>>): number => {
  const program = emitWgsl(graph, target);
  return Math.max(...planOf(program).slots(program.sizes.map(({ name }) => sizes[name])));
};

describe('memory', () => {
  const T = 1024;
  const shape = `[${T}, 4]`;
  const { graph } = functionOf(
    compiled(
      withGradients(
        [`q: ${shape}`, `k: ${shape}`, `v: ${shape}`],
        shape,
        `  a[t, s] = softmax[s] (sum[j] q[t, j] * k[s, j])
  y[t, i] = sum[s] a[t, s] * v[s, i]`,
      ),
    ),
    'f',
  );

  it('of a thousand tokens grows with their number, not with its square', async () => {
    expect(largest(graph, { adapter: 'gpu' }, {})).toBe(4 * T);
    const feeds = ['q', 'k', 'v', 'u'].map((name, i) => [name, drawn([T, 4], i)]);
    await check(graph, Object.fromEntries(feeds) as Feeds, { adapter: 'gpu' });
  });

  it('where scores are stored, they take the square', () => {
    expect(largest(graph, { adapter: 'gpu', streams: 'nowhere' }, {})).toBe(T * T);
  });
});

describe('the standard library', () => {
  const block = (model: string, type: string): string => `import "std/transformer"
import "std/losses"
import "std/optim"
layer net = ${model}
export fn f(x: ${type}) -> y: ${type} = net(x)
train step(x: ${type}, y: ${type}) { minimize mse(net(x), y) over net using SGD(0.1) }
`;
  const models = {
    SelfAttention: block('SelfAttention(8, 2)', '[B, T, 8]'),
    TransformerBlock: block('TransformerBlock(8, 2, 16)', '[B, T, 8]'),
  };

  it.each(Object.entries(models))('%s stores no scores, nor does its training', (_, text) => {
    const program = compiled(text);
    const sizes = { B: 1, T: 4096 };
    const { graph } = functionOf(program, 'f');
    for (const adapter of ['gpu', 'software'] as const) {
      expect(folding(graph, { adapter })).toHaveLength(1);
      expect(largest(graph, { adapter }, sizes)).toBeLessThan(4096 * 64);
    }
    expect(largest(program.trains[0].step, { adapter: 'gpu' }, sizes)).toBeLessThan(4096 * 64);
  });

  it.each(Object.entries(targets))('attention agrees for %s', async (_, target) => {
    const { graph } = functionOf(compiled(models.SelfAttention), 'f');
    const feeds = graph.inputs.map(({ name, value }, i) => [
      name,
      drawn(name === 'x' ? [2, 19, 8] : value.shape.map((size) => isConstant(size) ?? 0), i),
    ]);
    await check(graph, Object.fromEntries(feeds) as Feeds, target);
  });
});

describe('scores that something else reads are stored', () => {
  const lines = `  a[t, s] = softmax[s] (sum[j] q[t, j] * k[s, j])
  y[t, i] = sum[s] a[t, s] * v[s, i]`;
  const ports = 'q: [T, 2], k: [S, 2], v: [S, 2]';

  it('the weights as a result', async () => {
    const text = `export fn f(${ports}) -> (y: [T, 2], a: [T, S]) {\n${lines}\n}`;
    const { graph } = functionOf(compiled(text), 'f');
    expect(folding(graph, gpu)).toEqual([]);
    const feeds = { q: drawn([9, 2], 0), k: drawn([7, 2], 1), v: drawn([7, 2], 2) };
    await check(graph, feeds, gpu);
  });

  it('a product without a softmax', () => {
    const text = `export fn f(${ports}) -> y: [T, 2] {
  a[t, s] = tanh(sum[j] q[t, j] * k[s, j])
  y[t, i] = sum[s] a[t, s] * v[s, i]
}`;
    expect(folding(functionOf(compiled(text), 'f').graph, gpu)).toEqual([]);
  });
});

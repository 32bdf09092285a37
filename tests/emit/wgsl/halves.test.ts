// Half precision: what lies between kernels is rounded to the nearest half and takes two bytes an element, all else stays as it is. The kernels
// run on SwiftShader, which lacks f16, with their halves in words of two (tests/gpu/halves.ts); Dawn's null backend compiles them as they are.

import { describe, expect, it } from 'vitest';

import type { Target } from '../../../compiler/emit/wgsl/adapter.ts';
import { emitWgsl, type WgslProgram } from '../../../compiler/emit/wgsl/emit.ts';
import { explain } from '../../../compiler/emit/wgsl/explain.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import { isConstant } from '../../../compiler/dims/arithmetic.ts';
import { interpret } from '../../../compiler/ir/interpret.ts';
import { sizeOf, tensor, type Tensor } from '../../../compiler/ir/tensor.ts';
import { half, halfBits } from '../../../runtime/data/array.ts';
import { createProgram } from '../../../runtime/webgpu/embedded/program.ts';
import type { HostTensor } from '../../../runtime/webgpu/embedded/types.ts';
import { planOf } from '../../../runtime/webgpu/plan.ts';
import { guarded } from '../../gpu/canaries.ts';
import { deviceForTests } from '../../gpu/device.ts';
import { withoutHalves } from '../../gpu/halves.ts';
import { validateWgsl } from '../../gpu/validate.ts';
import { expectClose } from '../../ir/expect-close.ts';
import { compiled, compiledWithLibrary, functionOf, trainOf } from '../../models/compile.ts';

const device = deviceForTests();

const targets: readonly Target[] = [
  { adapter: 'gpu', precision: 'f16', streams: 'everywhere' },
  { adapter: 'software', precision: 'f16', streams: 'everywhere' },
];

type Feeds = Readonly<Record<string, Tensor>>;

/** The results, and whether anything was written behind the end of a buffer. */
async function run(program: WgslProgram, feeds: Feeds): Promise<Record<string, HostTensor>> {
  const kernels = program.kernels.map((kernel) => ({
    ...kernel,
    code: withoutHalves(kernel.code),
  }));
  const { device: watched, overwritten } = guarded(device());
  const created = await createProgram(watched, planOf({ ...program, kernels }), new Map());
  const given = Object.entries(feeds).map(([name, { data, shape }]) => [
    name,
    { data: data as Float32Array, shape },
  ]);
  const results = (await created.run(Object.fromEntries(given))) as Record<string, HostTensor>;
  expect(await overwritten()).toEqual([]);
  created.dispose();
  return results;
}

const drawn = (shape: readonly number[], from: number): Tensor =>
  tensor(
    'f32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => (((i + from) * 7919) % 997) / 499 - 1),
  );

/** Numbers for every input, parameters as small as their number asks for. */
const feedsOf = ({ inputs }: Graph, size: number): Feeds =>
  Object.fromEntries(
    inputs.map(({ name, role, value }, i) => {
      const shape = value.shape.map((dim) => isConstant(dim) ?? size);
      const { data } = drawn(shape, 31 * i);
      const scale = role === 'parameter' && shape.length > 1 ? sizeOf(shape.slice(1)) ** -0.5 : 1;
      return [
        name,
        tensor(
          'f32',
          shape,
          data.map((x) => scale * x),
        ),
      ];
    }),
  );

const step = 2 ** -11;

interface Case {
  readonly text: string;
  /** What every free size is, in turn. */
  readonly sizes: readonly number[];
}

const cases: Readonly<Record<string, Case>> = {
  'a perceptron': {
    text: `layer net = MLP(7, 5, 3)
export fn f(x: [B, 7]) -> y: [B, 3] = net(x)`,
    sizes: [1, 3, 17],
  },
  'a convolutional network': {
    text: `layer a = Conv2d(1, 3, 3)
layer b = Conv2d(3, 5, 3)
layer c = Dense(20, 7)
export fn f(x: [B, 1, 14, 14]) -> y: [B, 7] {
  h = max_pool(relu(a(x)), 2)
  z = avg_pool(relu(b(h)), 2)
  y = c(reshape(z, [B, 20]))
}`,
    sizes: [3],
  },
  'a transformer block': {
    text: `layer net = TransformerBlock(8, 2, 12)
export fn f(x: [B, 7, 8]) -> y: [B, 7, 8] = net(x)`,
    sizes: [3],
  },
  'products with layer norm and softmax between': {
    text: `layer norm = LayerNorm(9)
export fn f(x: [B, 5], W: [9, 5], V: [9, 9]) -> y: [B, 9] {
  a[b, i] = sum[j] W[i, j] * x[b, j]
  h = norm(a)
  z[b, i] = sum[j] V[i, j] * tanh(h[b, j])
  p[b, i] = softmax[i] z[b, i]
  y[b, i] = sum[j] V[i, j] * p[b, j]
}`,
    sizes: [1, 33],
  },
  'attention, causal, of an odd number of rows': {
    text: `export fn f(x: [T, 6], Q: [5, 6], K: [5, 6], V: [3, 6], O: [4, 3]) -> y: [T, 4] {
  q[t, i] = sum[j] Q[i, j] * x[t, j]
  k[t, i] = sum[j] K[i, j] * x[t, j]
  v[t, i] = sum[j] V[i, j] * x[t, j]
  a[t, s] = softmax[s <= t] (sum[i] q[t, i] * k[s, i])
  z[t, i] = sum[s] a[t, s] * v[s, i]
  y[t, o] = sum[i] O[o, i] * z[t, i]
}`,
    sizes: [19],
  },
  'a loop over what lies in halves': {
    text: `export fn f(x: [T, 3, 5], W: [7, 5], U: [7, 7]) -> (y: [3, 7], all: [T, 3, 7]) {
  a[t, b, i] = sum[j] W[i, j] * x[t, b, j]
  V[i, j] = sum[k] U[i, k] * U[k, j]
  for t < T with s = zeros(3, 7) {
    h[b, i] = tanh(a[t, b, i] + (sum[j] V[i, j] * s[b, j]) / 7)
    all[t] = h
    s <- h
  }
  y = s
}`,
    sizes: [5],
  },
  'a loop of more than one workgroup over what lies in halves': {
    text: `export fn f(x: [T, 5], W: [1101, 5]) -> y: [1101] {
  a[t, i] = sum[j] W[i, j] * x[t, j]
  for t < T with s = zeros(1101) { s[i] <- tanh(a[t, i] + s[i] / 2) }
  y = s
}`,
    sizes: [3],
  },
};

const graphOf = ({ text }: Case): Graph => functionOf(compiledWithLibrary(text), 'f').graph;

/** The values that kernels write in half precision. */
const storedHalves = ({ kernels, halves }: WgslProgram) =>
  kernels.flatMap(({ written }) => written.filter((value) => halves.has(value)));

describe.each(targets)('for adapter $adapter', (target) => {
  it.each(Object.entries(cases))('%s', { timeout: 60_000 }, async (_, of) => {
    const graph = graphOf(of);
    const program = emitWgsl(graph, target);
    const stored = storedHalves(program).length;
    expect(stored).toBeGreaterThan(0);
    for (const size of of.sizes) {
      const feeds = feedsOf(graph, size);
      const results = await run(program, feeds);
      // Each that is stored is off by 2^-11 of itself at most; no layer here makes that larger.
      for (const [name, expected] of Object.entries(interpret(graph, feeds, { precision: 'f64' })))
        expectClose({ dtype: expected.dtype, ...results[name] }, expected, stored * step, name);
      const whole = await run(emitWgsl(graph, { ...target, precision: 'f32' }), feeds);
      expect(furthest(results, whole), 'nothing was rounded').toBeGreaterThan(step / 64);
    }
  });

  it('a chain gives what is stored between, rounded to the nearest, and nothing else is', async () => {
    const { graph } = functionOf(
      compiled(`export fn f(x: [B, 3], E: [3, 3]) -> (y: [B, 3], r: [B, 3]) {
  h[b, i] = sum[j] E[i, j] * x[b, j]
  r[b, i] = 2 * (sum[j] E[i, j] * x[b, j])
  y[b, i] = sum[j] E[i, j] * h[b, j]
}`),
      'f',
    );
    const program = emitWgsl(graph, target);
    expect(storedHalves(program)).toHaveLength(1);
    // Halves, their midpoints, and what lies just beside these; the least and the largest ones; numbers of every size.
    const bits = [0, 1, 2, 3, 1023, 1024, 1025, 0x3bff, 0x3c00, 0x3c01, 0x7bfe];
    const near = bits.flatMap((b) => {
      const middle = (half(b) + half(b + 1)) / 2;
      return [half(b), middle, middle * (1 + 2 ** -20), middle * (1 - 2 ** -20)];
    });
    const many = Array.from({ length: 301 }, (_, i) => Math.sin(i) * 2 ** ((i % 40) - 25));
    const numbers = [...near, ...near.map((x) => -x), ...many].map(Math.fround);
    const size = Math.floor(numbers.length / 3);
    const x = tensor('f32', [size, 3], numbers.slice(0, 3 * size));
    const E = tensor('f32', [3, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1]);
    const { y, r } = await run(program, { x, E });
    expect(Array.from(y.data, (of) => of + 0)).toEqual(
      Array.from(x.data, (of) => half(halfBits(of)) + 0),
    );
    expect(Array.from(r.data, (of) => of + 0)).toEqual(Array.from(x.data, (of) => 2 * of + 0));
  });

  it('what is too large for a half is infinite', async () => {
    const { graph } = functionOf(
      compiled(`export fn f(x: [B, 1], E: [1, 1]) -> y: [B, 1] {
  h[b, i] = exp(sum[j] E[i, j] * x[b, j])
  y[b, i] = sum[j] E[i, j] * h[b, j]
}`),
      'f',
    );
    const x = tensor('f32', [3, 1], [11, 12, 100]);
    const { y } = await run(emitWgsl(graph, target), { x, E: tensor('f32', [1, 1], [1]) });
    expect([...y.data]).toEqual([half(halfBits(Math.exp(11))), Infinity, Infinity]);
  });
});

/** How far results are from others, at most. */
const furthest = (
  a: Readonly<Record<string, HostTensor>>,
  b: Readonly<Record<string, HostTensor>>,
): number =>
  Math.max(
    ...Object.entries(a).flatMap(([name, { data }]) =>
      Array.from(data, (value, i) => Math.abs(value - b[name].data[i])),
    ),
  );

describe('which values are halved', () => {
  const f16: Target = { adapter: 'gpu', precision: 'f16' };
  const halved = (graph: Graph): string[] => {
    const program = emitWgsl(graph, f16);
    return program.kernels.flatMap(({ name, written, halves }) =>
      written.map((value) => `${name}: ${halves.has(value) ? 'f16' : value.dtype}`),
    );
  };
  const ofText = (text: string): string[] =>
    halved(functionOf(compiledWithLibrary(text), 'f').graph);

  it('none of a graph that learns, but those of its evaluation', () => {
    const {
      step: learning,
      init,
      evaluate,
    } = trainOf(
      compiledWithLibrary(`layer net = MLP(6, 8, 4)
train step(x: [B, 6], y: [B, 4]) { minimize mse(net(x), y) over net using Adam(1e-3) }`),
    );
    expect(halved(learning).join()).not.toContain('f16');
    expect(halved(init).join()).not.toContain('f16');
    expect(halved(evaluate).join()).toContain('f16');
  });

  it('no sums of rows, and no results', () => {
    expect(
      ofText(`export fn f(x: [B, 5000], W: [20000, 5000]) -> (y: [B, 20000], m: [B]) {
  z[b, i] = sum[j] W[i, j] * x[b, j]
  m[b] = mean[i] z[b, i]
  y[b, i] = z[b, i] / (sum[k] abs(z[b, k]))
}`),
    ).toMatchInlineSnapshot(`
      [
        "dot_general_3: f16",
        "reduce_4: f32",
        "reduce_4: f32",
        "reduce_5: f32",
        "reduce_5: f32",
        "divide: f32",
      ]
    `);
  });

  it('no positions, and no draws', () => {
    expect(
      ofText(`export fn f(x: [B, 20], W: [20, 20]) -> y: [B, 20] {
  u: [B, 20] ~ uniform(0, 1)
  s[b, i] = sum[j] W[i, j] * u[b, j]
  t[b, i] = sum[j] W[i, j] * (x[b, j] + sin(j) * u[b, i])
  y[b, i] = s[b, i] * t[b, i]
}`),
    ).toMatchInlineSnapshot(`
      [
        "threefry2x32_multiply: f32",
        "dot_general_3: f16",
        "dot_general_multiply: f32",
      ]
    `);
  });

  it('of a loop, what it reads but not what it carries', () => {
    const { text } = cases['a loop over what lies in halves'];
    expect(ofText(text)).toMatchInlineSnapshot(`
      [
        "dot_general_3: f16",
        "dot_general_4: f16",
        "convert_3: i32",
        "convert_4: f32",
        "loop_: f32",
        "loop_: f32",
        "loop_: f32",
        "loop_: i32",
      ]
    `);
  });

  it('nothing where the target does not say so', () => {
    const { kernels, halves } = emitWgsl(graphOf(cases['a perceptron']));
    expect(halves.size).toBe(0);
    for (const { code } of kernels) expect(code).not.toContain('f16');
  });
});

it('the kernels of GPUs with the feature compile', async () => {
  for (const target of targets)
    for (const of of Object.values(cases)) {
      const { kernels } = emitWgsl(graphOf(of), target);
      expect(kernels.flatMap(({ features }) => features)).toContain('shader-f16');
      for (const { code, features } of kernels) {
        expect(features.includes('shader-f16')).toBe(code.includes('enable f16;'));
        expect(await validateWgsl(code, {}, features), code).toEqual([]);
      }
    }
});

describe('--explain', () => {
  const costs = (of: Case, precision: 'f16' | 'f32') =>
    explain(emitWgsl(graphOf(of), { adapter: 'gpu', precision }), new Map([['B', 33]]));

  it('counts two bytes for each that is halved', () => {
    const [first, second] = costs(cases['a perceptron'], 'f16').kernels;
    expect(first.written).toBe(2 * 33 * 5);
    expect(second).toMatchObject({ read: 2 * 33 * 5 + 4 * (15 + 3), written: 4 * 33 * 3 });
  });

  it.each(Object.entries(cases))('less is moved, and not less than the least: %s', (_, of) => {
    const [halves, whole] = [costs(of, 'f16'), costs(of, 'f32')];
    const moved = ({ total }: typeof halves): number => total.read + total.written;
    expect(moved(halves)).toBeLessThan(moved(whole));
    expect(halves.least).toBeLessThan(whole.least);
    if (whole.ratio >= 1) expect(halves.ratio).toBeGreaterThanOrEqual(1);
  });
});

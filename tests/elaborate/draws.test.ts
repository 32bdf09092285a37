// Draws in functions and train blocks: their distributions, their bits on each executor, what their keys depend on.

import { describe, expect, test } from 'vitest';

import { hashOfName } from '../../compiler/builtins/random.ts';
import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { interpret } from '../../compiler/ir/interpret.ts';
import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { threefryBlock } from '../../compiler/ir/threefry.ts';
import { onnxProgram } from '../../runtime/executors/onnx.ts';
import { program, seeded, wavy } from './compile-text.ts';
import { correlation, followsCdf, followsCounts, hasMoments, normalCdf } from './statistics.ts';

type Tensors = Readonly<Record<string, Tensor>>;

const n = 20_000;

/** The draws of `export fn f() -> x: TYPE { x ~ DISTRIBUTION }`. */
const draw = (type: string, distribution: string, seed = 1): ArrayLike<number> =>
  resultsOf(`export fn f() -> x: ${type} {\n  x ~ ${distribution}\n}\n`, seed).x.data;

const resultsOf = (text: string, seed = 1): Record<string, Tensor> =>
  interpret(program(text).functions[0].graph, seeded(seed));

async function onOnnxRuntime(graph: Graph, feeds: Tensors): Promise<Record<string, Tensor>> {
  const onnx = await onnxProgram(emitOnnx(graph), { threads: 1 });
  const outputs = await onnx.run(feeds);
  await onnx.dispose();
  return outputs;
}

describe('each distribution', () => {
  test('normal', () => {
    const x = draw(`[${n}]`, 'normal(2, 3)');
    expect(followsCdf(x, (v) => normalCdf((v - 2) / 3))).toBe(true);
    expect(hasMoments(x, 2, 9, 243)).toBe(true);
  });

  test('uniform', () => {
    const x = draw(`[${n}]`, 'uniform(-1, 3)');
    expect(followsCdf(x, (v) => (v + 1) / 4)).toBe(true);
    expect(hasMoments(x, 1, 4 / 3, 3.2)).toBe(true);
  });

  test('exponential', () => {
    const x = draw(`[${n}]`, 'exponential(2)');
    expect(Math.min(...Array.from(x))).toBeGreaterThan(0);
    expect(followsCdf(x, (v) => 1 - Math.exp(-2 * v))).toBe(true);
    expect(hasMoments(x, 1 / 2, 1 / 4, 9 / 16)).toBe(true);
  });

  test('gumbel', () => {
    const x = draw(`[${n}]`, 'gumbel(1, 2)');
    expect(followsCdf(x, (v) => Math.exp(-Math.exp(-(v - 1) / 2)))).toBe(true);
    // Mean mu + gamma b, variance pi^2 b^2 / 6, kurtosis 5.4.
    const variance = (Math.PI ** 2 * 4) / 6;
    expect(hasMoments(x, 1 + 2 * 0.5772156649, variance, 5.4 * variance ** 2)).toBe(true);
  });

  test('bernoulli, as truth values, integers and reals', () => {
    const truths = draw(`bool[${n}]`, 'bernoulli(0.3)');
    expect(followsCounts(truths, [0.7, 0.3])).toBe(true);
    for (const type of [`int[${n}]`, `[${n}]`])
      expect(Array.from(draw(type, 'bernoulli(0.3)'))).toEqual(Array.from(truths));
    expect(new Set(Array.from(draw('[100]', 'bernoulli(0)')))).toEqual(new Set([0]));
    expect(new Set(Array.from(draw('[100]', 'bernoulli(1)')))).toEqual(new Set([1]));
  });

  test('categorical, by weights that need not sum to 1', () => {
    const k = draw(`fin(5)[${n}]`, 'categorical([1, 2, 0, 4, 3])');
    expect(followsCounts(k, [0.1, 0.2, 0, 0.4, 0.3])).toBe(true);
  });

  test('uniform outcomes', () => {
    expect(followsCounts(draw(`fin(10)[${n}]`, 'uniform'), Array(10).fill(0.1))).toBe(true);
  });

  test('permutations: each of the 24 orders of 4 as likely, and each row one of its own', () => {
    const p = Array.from(draw(`fin(4)[${n}, 4]`, 'permutation'));
    const names = Array.from({ length: n }, (_, row) => {
      const order = p.slice(4 * row, 4 * row + 4);
      expect(order.toSorted()).toEqual([0, 1, 2, 3]);
      return order.join('');
    });
    const orders = [...new Set(names)];
    expect(orders.length).toBe(24);
    const outcomes = names.map((name) => orders.indexOf(name));
    expect(followsCounts(outcomes, Array(24).fill(1 / 24))).toBe(true);
    // Of independent rows, neighbours are equal once in 24.
    const equal = names.filter((name, row) => row > 0 && name === names[row - 1]).length;
    const mean = (n - 1) / 24;
    expect(Math.abs(equal - mean)).toBeLessThan(3.89 * Math.sqrt((mean * 23) / 24));
  });

  test('a test of these rejects what is not so', () => {
    const x = draw(`[${n}]`, 'normal(2, 3)');
    expect(followsCdf(x, (v) => normalCdf((v - 2.1) / 3))).toBe(false);
    expect(hasMoments(x, 2, 9.5, 270)).toBe(false);
    expect(followsCounts(draw(`fin(2)[${n}]`, 'uniform'), [0.52, 0.48])).toBe(false);
  });

  test.each([3, 65_536, 65_537, 2_000_000_011])(
    'uniform outcomes of fin(%i) are the high word of the product',
    (size) => {
      const x = draw(`fin(${size})[500]`, 'uniform', 9);
      const out = new Uint32Array(2);
      for (let i = 0; i < 500; i++) {
        threefryBlock(9, hashOfName('f/x'), i, 0, out);
        expect(x[i]).toBe(Number((BigInt(out[0]) * BigInt(size)) >> 32n));
      }
    },
  );
});

test('ONNX Runtime draws the same bits, from every distribution', async () => {
  const text = `export fn f(x: [B, 3]) -> (a: [501], b: [501], c: [501], d: [501], e: bool[501], g: fin(7)[501], h: fin(3)[B], u: fin(B)[501], p: fin(B)[2, B]) {
  a ~ normal(0.5, 2)
  b ~ uniform(-3, 5)
  c ~ exponential(3)
  d ~ gumbel(1, 0.25)
  e ~ bernoulli(0.7)
  g ~ uniform
  h ~ categorical(x)
  u ~ uniform
  p ~ permutation
}
`;
  const [{ graph }] = program(text).functions;
  const feeds = {
    ...seeded(4_000_000_001),
    x: tensor(
      'f32',
      [90, 3],
      Array.from({ length: 270 }, (_, i) => (i % 7) / 7),
    ),
  };
  const theirs = await onOnnxRuntime(graph, feeds);
  for (const [name, ours] of Object.entries(interpret(graph, feeds)))
    expect(Array.from(theirs[name].data), name).toEqual(Array.from(ours.data));
});

describe('parameters', () => {
  test('are numbers, the last axes or whole tensors', () => {
    const text = `export fn f() -> (x: [4, 3], y: [4, 3], z: [4, 3], e: [4, 3]) {
  m = [1, 2, 3]
  s: [4, 3] = zeros(4, 3) + m
  x ~ normal(m, 0)
  y ~ uniform(a = s, b = s)
  z ~ normal(s = 0)
  e ~ exponential(rate = s)
}
`;
    const { x, y, z, e } = resultsOf(text);
    expect(Array.from(x.data)).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
    expect(Array.from(y.data)).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
    expect(Array.from(z.data, Math.abs)).toEqual(Array(12).fill(0));
    const unit = resultsOf('export fn f() -> e: [4, 3] {\n  e ~ exponential\n}\n').e.data;
    e.data.forEach((v, i) => expect(v * ((i % 3) + 1)).toBeCloseTo(unit[i], 5));
  });

  test('a row of weights for each draw', () => {
    const text = 'export fn f(p: [B, 3]) -> k: fin(3)[B] {\n  k ~ categorical(p)\n}\n';
    const feeds = { ...seeded(2), p: tensor('f32', [3, 3], [0, 1, 0, 0, 0, 2, 5, 0, 0]) };
    const { k } = interpret(program(text).functions[0].graph, feeds);
    expect(Array.from(k.data)).toEqual([1, 2, 0]);
  });
});

describe('the key of a draw', () => {
  const noise = 'fn noise() -> e: [1000] {\n  e ~ normal(0, 1)\n}\n';

  test('is the seed and the path of the calls', () => {
    const text = `${noise}export fn f() -> (a: [1000], b: [1000]) {\n  a = noise()\n  b = noise()\n}\n`;
    const { a, b } = resultsOf(text);
    // Independent draws: |r| sqrt(n) < 3.89 but once in 10,000 seeds.
    expect(Math.abs(correlation(a.data, b.data)) * Math.sqrt(1000)).toBeLessThan(3.89);
    const other = resultsOf(text, 2);
    expect(Math.abs(correlation(a.data, other.a.data)) * Math.sqrt(1000)).toBeLessThan(3.89);
    expect(Array.from(resultsOf(text).a.data)).toEqual(Array.from(a.data));
  });

  test('does not depend on other draws, their order, or other calls', () => {
    const short = `${noise}export fn f() -> a: [1000] = noise()\n`;
    const long = `${noise}fn more() -> e: [7] {
  e ~ uniform
}
export fn f() -> (q: [7], a: [1000]) {
  w: [9] ~ gumbel
  q = more() + sum(w)
  a = noise()
}
`;
    expect(Array.from(resultsOf(long).a.data)).toEqual(Array.from(resultsOf(short).a.data));
  });

  test('differs for each layer', () => {
    const text = `model Noise() {
  fn () -> e: [1000] {
    e ~ normal(0, 1)
  }
}
layer a = Noise()
layer b = Noise()
export fn f() -> (x: [1000], y: [1000]) {
  x = a()
  y = b()
}
`;
    const { x, y } = resultsOf(text);
    expect(Math.abs(correlation(x.data, y.data)) * Math.sqrt(1000)).toBeLessThan(3.89);
  });

  test('has the step in training, and no step in evaluation', () => {
    const text = `import "std/optim"
model M() {
  param w: [1] = 0
  fn (x: [B]) -> y: [B] = x * w[0]
}
layer net = M()
train t(x: [B]) {
  e: [B] ~ normal(0, 1)
  minimize mean((net(x) - e)^2) over net using SGD(0.1)
  report r = sum[b < B] e[b] * x[b]
}
`;
    const { step, evaluate } = program(text).trains[0];
    const at = (count: number): number =>
      interpret(step, {
        ...seeded(3),
        x: wavy([5]),
        'net.w': tensor('f32', [1], [0.5]),
        step: tensor('i32', [], [count]),
      }).r.data[0];
    const still = interpret(evaluate, {
      ...seeded(3),
      x: wavy([5]),
      'net.w': tensor('f32', [1], [0.5]),
    }).r.data[0];
    expect(at(0)).toBe(at(0));
    expect(new Set([at(0), at(1), at(2), still]).size).toBe(4);
  });
});

test('a tensor that index notation reads is drawn once', () => {
  const text = `fn noise() -> e: [5] {
  e ~ normal(0, 1)
}
export fn f() -> (a: [5], b: [5, 5]) {
  b[i, j] = noise()[i]
  a[i] = b[i, 0]
}
`;
  const { a, b } = resultsOf(text);
  for (let i = 0; i < 25; i++) expect(b.data[i]).toBe(a.data[Math.floor(i / 5)]);
  expect(new Set(Array.from(a.data)).size).toBe(5);
});

test('gradients take the noise as constant', () => {
  const text = `import "std/optim"
model M() {
  param mu: [4] = 0
  param s: [4] = 1
  fn () -> x: [4] {
    x ~ normal(mu, s)
  }
}
layer net = M()
train t(y: [4]) {
  minimize sum(net() * y) over net using SGD(1)
}
`;
  const { step } = program(text).trains[0];
  const feeds = {
    ...seeded(8),
    y: wavy([4]),
    'net.mu': tensor('f32', [4], [0, 0, 0, 0]),
    'net.s': tensor('f32', [4], [1, 1, 1, 1]),
    step: tensor('i32', [], [6]),
  };
  const outputs = interpret(step, feeds, { precision: 'f64' });
  const y = Array.from(feeds.y.data);
  // x = mu + s e: d(sum x y)/d mu = y and d(sum x y)/d s = e y, whose sum is the loss at mu = 0, s = 1.
  outputs['net.mu.next'].data.forEach((v, i) => expect(v).toBeCloseTo(-y[i], 12));
  const gradients = Array.from(outputs['net.s.next'].data, (v) => 1 - v);
  expect(gradients.reduce((a, b) => a + b, 0)).toBeCloseTo(outputs.loss.data[0], 12);
  expect(Math.abs(outputs.loss.data[0])).toBeGreaterThan(1e-3);
});

test('a parameter may be computed from draws', () => {
  const text = `fn noise() -> e: [3] {
  e ~ normal(0, 1)
}
model M() {
  param a: [3] = noise()
  param b: [3] = noise()
  fn (x: [3]) -> [3] = a * x + b
}
layer net = M()
export fn f(x: [3]) -> y: [3] = net(x)
`;
  const first = interpret(program(text).init, seeded(1));
  expect(first['net.a'].data).not.toEqual(first['net.b'].data);
});

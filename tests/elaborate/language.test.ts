// The language at work: programs whose values are computed a second way, by plain loops.

import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { opsOf, program, run, seeded, wavy, whole } from './compile-text.ts';

const at = ({ shape, data }: Tensor, ...position: number[]): number =>
  data[position.reduce((offset, i, axis) => offset * shape[axis] + i, 0)];

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

const sum = (n: number, f: (i: number) => number): number =>
  range(n).reduce((total, i) => total + f(i), 0);

/** The results of the first export fn, with parameters drawn from a seed where it has any. */
function call(text: string, data: Record<string, Tensor>): Record<string, Tensor> {
  const { functions, init } = program(text);
  return run(functions[0].graph, { ...run(init, seeded(3)), ...data });
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

describe('functions and models', () => {
  it('an LSTM cell: gates by index, tuples apart and together', () => {
    const text = `
      model LSTM(n: dim, h: dim) {
        param W: [4, h, n] ~ normal(0, 1)
        param U: [4, h, h] ~ normal(0, 1)
        param d: [4, h] = 0.1
        fn cell(x: [B, n], s: [B, h], c: [B, h]) -> (s': [B, h], c': [B, h]) {
          g[k, b, j] = sum[i] W[k, j, i] * x[b, i] + sum[l] U[k, j, l] * s[b, l] + d[k, j]
          f, i, o, u = unstack(g)
          c' = sigmoid(f) * c + sigmoid(i) * tanh(u)
          s' = sigmoid(o) * tanh(c')
        }
      }
      layer net = LSTM(3, 2)
      export fn step(x: [B, 3], s: [B, 2], c: [B, 2]) -> (next: [B, 2], memory: [B, 2]) {
        r, q = net.cell(x, s, c)
        return (r, q)
      }
    `;
    const [x, s, c] = [wavy([4, 3]), wavy([4, 2], 1), wavy([4, 2], 2)];
    const { functions, init } = program(text);
    const weights = run(init, seeded(3));
    const { next, memory } = run(functions[0].graph, { ...weights, x, s, c });
    const [W, U] = [weights['net.W'], weights['net.U']];
    for (const b of range(4))
      for (const j of range(2)) {
        const gate = (k: number): number =>
          sum(3, (i) => at(W, k, j, i) * at(x, b, i)) +
          sum(2, (l) => at(U, k, j, l) * at(s, b, l)) +
          0.1;
        const memoryOf = sigmoid(gate(0)) * at(c, b, j) + sigmoid(gate(1)) * Math.tanh(gate(3));
        expect(at(memory, b, j)).toBeCloseTo(memoryOf, 6);
        expect(at(next, b, j)).toBeCloseTo(sigmoid(gate(2)) * Math.tanh(memoryOf), 6);
      }
  });

  it('layer arrays have a path an element', () => {
    const text = `
      model Scale(n: dim, s: real) {
        param w: [n] = s
        fn (x: [n]) -> [n] = w * x
      }
      model Two(n: dim) {
        layer parts[2] = Scale(n, 3)
        fn (x: [n]) -> [n] = parts[1](parts[0](x))
      }
      layer net = Two(2)
      export fn f(x: [2]) -> y: [2] = net(x)
    `;
    const { functions } = program(text);
    expect(functions[0].graph.inputs.map(({ name }) => name)).toEqual([
      'x',
      'net.parts.0.w',
      'net.parts.1.w',
    ]);
    expect(Array.from(call(text, { x: wavy([2]) }).y.data)).toEqual(
      Array.from(wavy([2]).data, (v) => 9 * v),
    );
  });

  it('functions and layers are passed as values; a layer passed twice is tied', () => {
    const text = `
      import "std/nn"
      fn square(x: [..S]) -> [..S] = x * x
      model Twice(n: dim, f: ([..S]) -> [..S]) {
        layer inner = Dense(n, n)
        fn (x: [..B, n]) -> [..B, n] = f(inner(f(x)))
      }
      layer net = Twice(3, square)
      layer other = Twice(3, tanh)
      export fn f(x: [B, 3]) -> y: [B, 3] = net(x) + other(x)
    `;
    const { functions, init } = program(text);
    const weights = run(init, seeded(3));
    const x = wavy([2, 3]);
    const { y } = run(functions[0].graph, { ...weights, x });
    const through = (path: string, f: (v: number) => number, b: number, o: number): number =>
      f(
        sum(3, (i) => at(weights[`${path}.inner.W`], o, i) * f(at(x, b, i))) +
          at(weights[`${path}.inner.b`], o),
      );
    for (const b of range(2))
      for (const o of range(3)) {
        const expected = through('net', (v) => v * v, b, o) + through('other', Math.tanh, b, o);
        expect(at(y, b, o)).toBeCloseTo(expected, 6);
      }
  });

  it('a model called inside index notation runs for every index at once', () => {
    const text = `
      import "std/nn"
      layer net = MLP(3, 4, 2)
      export fn f(x: [T, B, 3]) -> y: [T, B, 2] {
        y[t, b, k] = net(x[t, :, :])[b, k]
      }
      export fn g(x: [T, B, 3]) -> y: [T, B, 2] = net(x)
    `;
    const { functions, init } = program(text);
    const feeds = { ...run(init, seeded(3)), x: wavy([2, 5, 3]) };
    const [inside, whole] = functions.map(({ graph }) => run(graph, feeds).y);
    expect(inside.shape).toEqual([2, 5, 2]);
    inside.data.forEach((v, i) => expect(v).toBeCloseTo(whole.data[i], 12));
    expect(opsOf(functions[0].graph).filter((op) => op === 'dot_general')).toHaveLength(2);
    expect(opsOf(functions[0].graph)).not.toContain('transpose');
  });
});

describe('sizes', () => {
  it('a free size that is even by `where` can be halved and put together again', () => {
    const text = `
      export fn f(x: [B, n]) -> y: [B, n] where n % 2 == 0 {
        a, b = halves(x)
        y = concat(b, a)
      }
    `;
    const x = wavy([3, 6]);
    const { y } = call(text, { x });
    expect(y.shape).toEqual([3, 6]);
    for (const b of range(3))
      for (const i of range(6)) expect(at(y, b, i)).toBe(at(x, b, (i + 3) % 6));
  });

  it('free sizes are numbers in expressions', () => {
    const text = 'export fn f(x: [B, n]) -> y: [B, n] = x / sqrt(n) + B - max(B - 1, 1)\n';
    const x = wavy([3, 5]);
    const { y } = call(text, { x });
    y.data.forEach((v, i) => expect(v).toBeCloseTo(x.data[i] / Math.sqrt(5) + 1, 6));
  });

  it('patches and back', () => {
    const text = `
      fn patches(x: [B, H, W], p: dim) -> y: [B, (H / p) * (W / p), p * p]
        where H % p == 0, W % p == 0
      {
        y[b, (i < H / p, j < W / p), (u < p, v < p)] = x[b, i * p + u, j * p + v]
      }
      export fn f(x: [B, 4, 6]) -> y: [B, 6, 4] = patches(x, 2)
    `;
    const x = wavy([2, 4, 6]);
    const { y } = call(text, { x });
    for (const b of range(2))
      for (const k of range(6))
        for (const q of range(4)) {
          const [i, j, u, v] = [Math.floor(k / 3), k % 3, Math.floor(q / 2), q % 2];
          expect(at(y, b, k, q)).toBe(at(x, b, 2 * i + u, 2 * j + v));
        }
  });
});

describe('index notation from text', () => {
  it('causal attention looks back only', () => {
    const text = `
      export fn f(q: [T, d], k: [T, d], v: [T, d]) -> y: [T, d] {
        a[t, s] = softmax[s <= t] (sum[c] q[t, c] * k[s, c] / sqrt(d))
        y[t, c] = sum[s] a[t, s] * v[s, c]
      }
    `;
    const [q, k, v] = [wavy([4, 3]), wavy([4, 3], 1), wavy([4, 3], 2)];
    const { y } = call(text, { q, k, v });
    for (const t of range(4)) {
      const score = (s: number): number =>
        Math.exp(sum(3, (c) => at(q, t, c) * at(k, s, c)) / Math.sqrt(3));
      const total = sum(t + 1, score);
      for (const c of range(3))
        expect(at(y, t, c)).toBeCloseTo(
          sum(t + 1, (s) => (score(s) / total) * at(v, s, c)),
          6,
        );
    }
  });

  it('gathers rows of a table and clamps into range', () => {
    const text = `
      export fn f(E: [5, 3], tok: fin(5)[B, T]) -> y: [B, T, 3] {
        next[b, t] = clamp(tok[b, t] + 1, 0, 4)
        y[b, t, c] = E[tok[b, t], c] - E[next[b, t], c]
      }
    `;
    const E = wavy([5, 3]);
    const tok = whole([2, 2], [0, 4, 3, 1]);
    const { y } = call(text, { E, tok });
    for (const [n, token] of Array.from(tok.data).entries())
      for (const c of range(3))
        expect(y.data[3 * n + c]).toBe(at(E, token, c) - at(E, Math.min(token + 1, 4), c));
  });

  it('a prefix product', () => {
    const text = `
      export fn f(alpha: [T]) -> y: [T] {
        y[i] = prod[j < i] (1 - alpha[j])
      }
    `;
    const alpha = wavy([5]);
    const { y } = call(text, { alpha });
    for (const i of range(5))
      expect(at(y, i)).toBeCloseTo(
        range(i).reduce((p, j) => p * (1 - at(alpha, j)), 1),
        6,
      );
  });
});

// Loops in programs: what they compute, against the same recurrences written in TypeScript, on the interpreter and ONNX Runtime.

import { describe, expect, it } from 'vitest';

import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { interpret } from '../../compiler/ir/interpret.ts';
import { onnxRuntime } from '../models/executors.ts';
import { opsOf, program, run, seeded, wavy } from './compile-text.ts';
import { close, results, vector } from './numbers.ts';

describe('a loop over a range', () => {
  it('carries and stacks', () => {
    const { s, y } = results(
      `export fn f(x: [T]) -> (s: real, y: [T]) {
        for t < T with a = 0 {
          a <- a + x[t] * t
          y[t] = a
        }
        s = a
      }`,
      { x: vector(5, 1, 2, 3) },
    );
    close(y, [0, 1, 5, 14]);
    close(s, [14]);
  });

  it('runs down, and stacks at the same places', () => {
    const { y } = results(
      `export fn f(x: [T]) -> y: [T] {
        for t < T down with a = 1.0 {
          a <- a * x[t]
          y[t] = a
        }
      }`,
      { x: vector(2, 3, 5) },
    );
    close(y, [30, 15, 5]);
  });

  it('gives carries their next values at once', () => {
    const { y } = results(
      `export fn f(x: [T]) -> y: [T] {
        for t < T with a = 0, b = 1 {
          y[t] = a
          a, b <- b, a + b
        }
      }`,
      { x: vector(0, 0, 0, 0, 0, 0, 0) },
    );
    close(y, [0, 1, 1, 2, 3, 5, 8]);
  });

  it('stacks along any axis, by slices and by indices', () => {
    const x = wavy([2, 3, 4]);
    const { a, b, c } = results(
      `export fn f(x: [B, T, n]) -> (a: [B, T, n], b: [n, B, T], c: [T, B]) {
        for t < T {
          a[:, t] = 2 * x[:, t]
          b[j, i, t] = x[i, t, j]
          c[t] = sum[j] x[:, t][.., j]
        }
      }`.replace('sum[j] x[:, t][.., j]', 'total(x[:, t])') +
        '\nfn total(x: [..S, n]) -> y: [..S] { y[..] = sum[j] x[.., j] }',
      { x },
    );
    const at = (i: number, t: number, j: number): number => x.data[(i * 3 + t) * 4 + j];
    close(
      a,
      Array.from(x.data, (v) => 2 * v),
    );
    const rolled = [0, 1, 2, 3].flatMap((j) =>
      [0, 1].flatMap((i) => [0, 1, 2].map((t) => at(i, t, j))),
    );
    close(b, rolled);
    const sums = [0, 1, 2].flatMap((t) =>
      [0, 1].map((i) => [0, 1, 2, 3].reduce((s, j) => s + at(i, t, j), 0)),
    );
    close(c, sums);
  });

  it('ends early, and leaves 0 in the rows it did not reach', () => {
    const { s, k } = results(
      `export fn f(x: [T]) -> (s: real, k: [T]) {
        for t < T until s > 5 with s = 0.0 {
          s <- s + x[t]
          k[t] = s
        }
      }`,
      { x: vector(1, 2, 3, 4, 5) },
    );
    close(s, [6]);
    close(k, [1, 3, 6, 0, 0]);
  });

  it('in a loop, updates what that one carries', () => {
    const { y } = results(
      `export fn f(x: [n, m]) -> y: real {
        for i < n with y = 0.0 {
          for j < m { y <- y * 0.5 + x[i, j] }
        }
      }`,
      { x: tensor('f32', [2, 2], [1, 2, 3, 4], 'f64') },
    );
    close(y, [((1 * 0.5 + 2) * 0.5 + 3) * 0.5 + 4]);
  });

  it('carries tuples', () => {
    const { y } = results(
      `type Pair = (a: real, b: real)
      fn swap(p: Pair) -> Pair = (p.b, p.a)
      export fn f(x: [T]) -> y: [T] {
        for t < T with p = (1.0, 2.0) {
          p <- swap(p)
          y[t] = p[0] * x[t]
        }
      }`,
      { x: vector(1, 1, 1) },
    );
    close(y, [2, 1, 2]);
  });

  it('is one operation, however often it runs', () => {
    const text = (n: number): string => `export fn f(x: [${n}]) -> s: real {
      for t < ${n} with s = 0.0 { s <- sin(s + x[t]) }
    }`;
    const count = (n: number): number => opsOf(program(text(n)).functions[0].graph).length;
    expect(count(1000)).toBe(count(3));
  });

  it('in a function that index notation calls, runs for each element', () => {
    const { y } = results(
      `fn power(x: real) -> y: real {
        for t < 3 with y = 1.0 { y <- y * x }
      }
      export fn f(x: [n]) -> y: [n] { y[i] = power(x[i]) + power(2) }`,
      { x: vector(1, 2, 3) },
    );
    close(y, [9, 16, 35]);
  });

  it('updates the state of a layer it calls', () => {
    const text = `model Counter(n: dim) {
      state calls: real = 0
      fn (x: [n]) -> y: [n] {
        calls <- calls + 1
        y = calls * x
      }
    }
    layer c = Counter(2)
    train t(x: [2]) {
      for i < 3 with y = x { y <- c(y) }
      report last = sum(y)
    }`;
    const { step } = program(text).trains[0];
    const out = run(step, {
      x: vector(1, 1),
      'c.calls': tensor('f32', [], [1], 'f64'),
      step: tensor('i32', [], [0]),
    });
    close(out['last'], [2 * 2 * 3 * 4]);
    close(out['c.calls.next'], [4]);
  });
});

describe('a loop over layers', () => {
  const text = (down: string): string => `model Scale(n: dim) {
    param a: real = 2
    param b: real ~ normal(0, 1)
    fn (x: [n]) -> [n] = a * x + b
  }
  model Net(n: dim) {
    layer steps[3] = Scale(n)
    fn (x: [n]) -> y: [n] {
      for f in steps ${down} with y = x { y <- f(y) }
    }
  }
  layer net = Net(2)
  export fn f(x: [2]) -> y: [2] = net(x)`;
  const parameters = (b: readonly number[]): Record<string, Tensor> =>
    Object.fromEntries(
      b.flatMap((value, i) => [
        [`net.steps.${i}.a`, tensor('f32', [], [2], 'f64')],
        [`net.steps.${i}.b`, tensor('f32', [], [value], 'f64')],
      ]),
    );

  it('runs through them in order', () => {
    const { y } = results(text(''), { x: vector(1, 10), ...parameters([1, 0, 0]) });
    close(y, [12, 84]);
  });

  it('or backwards', () => {
    const { y } = results(text('down'), { x: vector(1, 10), ...parameters([1, 0, 0]) });
    close(y, [9, 81]);
  });
});

describe('equations', () => {
  it('fix: the number whose cosine it is', () => {
    const { y } = results(
      'export fn f(x: [n]) -> y: [n] { fix y = x tol 1e-12 within 200 { y <- cos(y) } }',
      { x: vector(0, 1) },
    );
    close(y, [0.7390851332151607, 0.7390851332151607]);
  });

  it('root: cubes, each element by itself', () => {
    const { d } = results(
      'export fn f(a: [n]) -> d: [n] { root d in (0, 10) tol 1e-10 within 80 { d^3 - a } }',
      { a: vector(8, 27, 0.001) },
    );
    close(d, [2, 3, 0.1], 8);
  });

  it('root: the end of the interval where there is none', () => {
    const { d } = results(
      'export fn f(a: [n]) -> d: [n] { root d in (0, 10) tol 1e-10 within 80 { d^2 + a } }',
      { a: vector(1, -4) },
    );
    close(d, [10, 2], 8);
  });
});

describe('draws in loops', () => {
  const text = `export fn f(x: [T]) -> (y: [T], z: [T]) {
    for t < T { e: real ~ normal(0, 1)
      y[t] = e }
    for t < T { e: real ~ normal(0, 1)
      z[t] = e + 0 * x[t] }
  }`;

  it('are others in every round and every loop, and the same for a longer loop', () => {
    const short = results(text, { ...seeded(3), x: vector(0, 0, 0) });
    const long = results(text, { ...seeded(3), x: vector(0, 0, 0, 0, 0) });
    const all = [...short['y'].data, ...short['z'].data];
    expect(new Set(all).size).toBe(6);
    close(short['y'], long['y'].data.slice(0, 3), 15);
    expect(results(text, { ...seeded(4), x: vector(0) })['y'].data[0]).not.toBe(all[0]);
  });

  it('have the same bits on ONNX Runtime', async () => {
    const { graph } = program(text).functions[0];
    const feeds = { ...seeded(11), x: tensor('f32', [4], [0, 0, 0, 0]) };
    const out = await onnxRuntime.run(graph, feeds);
    expect(out).toEqual(interpret(graph, feeds));
  });
});

describe('what a run says of its equations', () => {
  const text =
    'export fn f(a: real) -> y: real { fix y = 0.0 tol 1e-6 within 9 { y <- cos(a * y) } }';

  it.each([
    [1, 0],
    [0.01, 1],
  ])('for a = %s: solved is %s', async (a, solved) => {
    const { graph } = program(text).functions[0];
    const feeds = { a: tensor('f32', [], [a]) };
    expect(interpret(graph, feeds)['solved.fix.y'].data[0]).toBe(solved);
    expect((await onnxRuntime.run(graph, feeds))['solved.fix.y'].data[0]).toBe(solved);
  });

  it('in a loop: all rounds', () => {
    const { graph } = program(`export fn f(a: [T]) -> y: [T] {
      for t < T {
        fix x = 0.0 tol 1e-6 within 9 { x <- cos(a[t] * x) }
        y[t] = x
      }
    }`).functions[0];
    const solved = (...a: number[]): number =>
      run(graph, { a: vector(...a) })['solved.fix.x'].data[0];
    expect(solved(0.01, 0.02)).toBe(1);
    expect(solved(0.01, 1)).toBe(0);
  });
});

describe('a size that no input has', () => {
  const text = `export fn sample(B: dim, n: dim) -> x: [B, 2 * n] {
    x: [B, 2 * n] ~ normal(0, 1)
  }`;

  it('is an input, on both executors', async () => {
    const { graph, data } = program(text).functions[0];
    expect(data.map(({ name }) => name)).toEqual(['B', 'n']);
    const feeds = {
      ...seeded(1),
      B: tensor('i32', [], [3]),
      n: tensor('i32', [], [2]),
    };
    const out = interpret(graph, feeds);
    expect(out['x'].shape).toEqual([3, 4]);
    expect(await onnxRuntime.run(graph, feeds)).toEqual(out);
    expect(() => interpret(graph, { ...feeds, B: tensor('i32', [], [0]) })).toThrow('input B is 0');
  });
});

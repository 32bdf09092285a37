// Index notation, windows and binders: every form against a loop over the definition, and the operations it becomes.

import { describe, expect, it } from 'vitest';
import { constant } from '../../compiler/dims/arithmetic.ts';
import {
  apply,
  at,
  bind,
  close,
  element as e,
  forAll,
  get,
  group,
  index,
  input,
  int,
  num,
  plus,
  read,
  run,
  scalar,
  shaped,
  sumOver,
  tabulate,
  times,
  whole,
} from './trees.ts';

describe('windows under binders', () => {
  const x = input('x', [2, 4, 7, 6]);
  const [n, i, j] = [index('n', 2), index('i', 3), index('j', 2)];
  const window = (p: typeof i, s: number, u: typeof i, d: number) =>
    plus(times(at(p), whole(s)), times(at(u), whole(d)));

  it('a kernel over windows is a convolution, groups and dilation included', () => {
    const K = input('K', [6, 2, 2, 3]);
    const [g, o, c] = [index('g', 2), index('o', 3), index('c', 2)];
    const [u, v] = [index('u', 2), index('v', 3)];
    const body = times(
      read(get(K), group([g, 2], [o, 3]), c, u, v),
      read(get(x), n, group([g, 2], [c, 2]), window(i, 2, u, 1), window(j, 1, v, 2)),
    );
    const made = run(forAll([n, [g, o], i, j], bind('sum', [c, u, v], body)), [x, K]);
    expect(made.ops).toEqual(['convolution']);
    const expected = tabulate([2, 6, 3, 2], (b, m, p, q) =>
      sumOver([2, 2, 3], (cc, uu, vv) => {
        const channel = 2 * Math.floor(m / 3) + cc;
        return e(K, m, cc, uu, vv) * e(x, b, channel, 2 * p + uu, q + 2 * vv);
      }),
    );
    close(made, [2, 6, 3, 2], expected);
  });

  it('zeros around the image go into the convolution', () => {
    const signal = input('s', [2, 3, 5]);
    const K = input('K', [4, 3, 3]);
    const [t, o, c, u] = [index('t', 5), index('o', 4), index('c', 3), index('u', 3)];
    const padded = {
      ...apply('pad', [get(signal)], shaped({ kind: 'real' }, 2, 3, 7)),
      data: { low: [constant(1)], high: [constant(1)], interior: [constant(0)] },
    };
    const body = times(read(get(K), o, c, u), read(padded, n, c, plus(at(t), at(u))));
    const made = run(forAll([n, o, t], bind('sum', [c, u], body)), [signal, K]);
    expect(made.ops).toEqual(['convolution']);
    const expected = tabulate([2, 4, 5], (b, m, p) =>
      sumOver([3, 3], (cc, uu) => {
        const place = p + uu - 1;
        return place < 0 || place > 4 ? 0 : e(K, m, cc, uu) * e(signal, b, cc, place);
      }),
    );
    close(made, [2, 4, 5], expected);
  });

  it('a convolution as signal processing writes it turns the kernel', () => {
    const signal = input('s', [7]);
    const K = input('K', [3]);
    const [t, u] = [index('t', 5), index('u', 3)];
    const place = apply('subtract', [plus(at(t), whole(2)), at(u)], scalar(int));
    const made = run(
      forAll([t], bind('sum', [u], times(read(get(K), u), read(get(signal), place)))),
      [signal, K],
    );
    expect(made.ops).toContain('convolution');
    expect(made.ops).not.toContain('take');
    close(
      made,
      [5],
      tabulate([5], (p) => sumOver([3], (q) => e(K, q) * e(signal, p + 2 - q))),
    );
    const largest = run(forAll([t], bind('max', [u], read(get(signal), place))), [signal]);
    expect(largest.ops).not.toContain('take');
    close(
      largest,
      [5],
      tabulate([5], (p) => Math.max(...[0, 1, 2].map((q) => e(signal, p + q)))),
    );
  });

  it('largest, smallest, sum and mean of windows are pools', () => {
    const c = index('c', 4);
    const [u, v] = [index('u', 2), index('v', 3)];
    const [p, q] = [index('p', 3), index('q', 2)];
    const body = read(get(x), n, c, window(p, 2, u, 1), window(q, 3, v, 1));
    const each = (b: number, k: number, r: number, s: number): number[] =>
      tabulate([2, 3], (uu, vv) => e(x, b, k, 2 * r + uu, 3 * s + vv));
    const cases = {
      max: (values: number[]) => Math.max(...values),
      min: (values: number[]) => Math.min(...values),
      sum: (values: number[]) => values.reduce((a, b) => a + b, 0),
      mean: (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length,
    } as const;
    for (const name of ['max', 'min', 'sum', 'mean'] as const) {
      const made = run(forAll([n, c, p, q], bind(name, [u, v], body)), [x]);
      expect(made.ops).toContain(name === 'max' || name === 'min' ? 'max_pool' : 'sum_pool');
      expect(made.ops).not.toContain('unfold');
      const expected = tabulate([2, 4, 3, 2], (...where) =>
        cases[name](each(...(where as [number, number, number, number]))),
      );
      close(made, [2, 4, 3, 2], expected);
    }
  });
});

describe('other binders', () => {
  const x = input('x', [3, 5]);
  const [i, j] = [index('i', 3), index('j', 5)];
  const row = (n: number): number[] => tabulate([5], (k) => e(x, n, k));

  it('reductions', () => {
    const expected = {
      prod: (values: number[]) => values.reduce((a, b) => a * b, 1),
      max: (values: number[]) => Math.max(...values),
      min: (values: number[]) => Math.min(...values),
      lse: (values: number[]) => Math.log(values.reduce((a, b) => a + Math.exp(b), 0)),
      argmax: (values: number[]) => values.indexOf(Math.max(...values)),
      argmin: (values: number[]) => values.indexOf(Math.min(...values)),
    } as const;
    for (const [name, f] of Object.entries(expected)) {
      const binder = name as keyof typeof expected;
      const type = name.startsWith('arg') ? scalar(int) : scalar();
      const made = run(forAll([i], bind(binder, [j], read(get(x), i, j), type)), [x]);
      close(
        made,
        [3],
        tabulate([3], (n) => f(row(n))),
      );
    }
  });

  it('running sums and products keep the index', () => {
    const prefix = (f: (values: number[]) => number) =>
      tabulate([3, 5], (n, k) => f(row(n).slice(0, k + 1)));
    const sums = run(forAll([i, j], bind('cumsum', [j], read(get(x), i, j))), [x]);
    close(
      sums,
      [3, 5],
      prefix((values) => values.reduce((a, b) => a + b, 0)),
    );
    const products = run(forAll([i, j], bind('cumprod', [j], read(get(x), i, j))), [x]);
    close(
      products,
      [3, 5],
      prefix((values) => values.reduce((a, b) => a * b, 1)),
    );
  });

  it('prefixes restrict sums, products, softmax', () => {
    const a = input('a', [5]);
    const t = index('t', 5);
    const each = (f: (values: number[]) => number, upTo: number) =>
      tabulate([5], (n) => f(a.values.slice(0, n + upTo)));
    const sums = run(forAll([t], bind('sum', [[j, '<=', at(t)]], read(get(a), j))), [a]);
    close(
      sums,
      [5],
      each((values) => values.reduce((p, q) => p + q, 0), 1),
    );
    const products = run(
      forAll([t], bind('prod', [[j, '<', at(t)]], apply('subtract', [num(1), read(get(a), j)]))),
      [a],
    );
    close(
      products,
      [5],
      each((values) => values.reduce((p, q) => p * (1 - q), 1), 0),
    );
    const m = input('mm', [5, 5]);
    const masked = run(forAll([t, j], bind('softmax', [[j, '<=', at(t)]], read(get(m), t, j))), [
      m,
    ]);
    const expected = tabulate([5, 5], (n, k) => {
      if (k > n) return 0;
      const total = sumOver([n + 1], (l) => Math.exp(e(m, n, l)));
      return Math.exp(e(m, n, k)) / total;
    });
    close(masked, [5, 5], expected);
  });

  it('the value of an index', () => {
    const position = { ...apply('add', [at(i), at(j)], scalar(int)) };
    close(
      run(forAll([i, j], position), []),
      [3, 5],
      tabulate([3, 5], (n, k) => n + k),
    );
  });

  it('functions of whole tensors apply to each row inside index notation', () => {
    const rows = read(get(x), i, { kind: 'keep', axes: [{ kind: 'size', size: constant(5) }] });
    const typed = { ...rows, type: shaped({ kind: 'real' }, 5) };
    const made = run(forAll([i], apply('sum', [apply('exp', [typed], typed.type)])), [x]);
    close(
      made,
      [3],
      tabulate([3], (n) => row(n).reduce((a, b) => a + Math.exp(b), 0)),
    );
    const nested = run(forAll([i, j], read(apply('softmax', [typed], typed.type), j)), [x]);
    const total = (n: number): number => row(n).reduce((a, b) => a + Math.exp(b), 0);
    close(
      nested,
      [3, 5],
      tabulate([3, 5], (n, k) => Math.exp(e(x, n, k)) / total(n)),
    );
  });

  it('choices by condition select; known ones take the branch', () => {
    const positive = apply('greater', [read(get(x), i, j), num(0)], scalar({ kind: 'bool' }));
    const chosen = {
      kind: 'if' as const,
      condition: positive,
      then: read(get(x), i, j),
      else: num(0),
    };
    const made = run(forAll([i, j], { ...chosen, type: scalar(), span: chosen.condition.span }), [
      x,
    ]);
    close(
      made,
      [3, 5],
      tabulate([3, 5], (n, k) => Math.max(e(x, n, k), 0)),
    );
  });
});

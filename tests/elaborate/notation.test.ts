// Index notation: every form against a loop over the definition, and the operations it becomes.

import { describe, expect, it } from 'vitest';
import { constant, numelOf, pack } from '../../compiler/dims/arithmetic.ts';
import {
  apply,
  at,
  bind,
  element as e,
  forAll,
  get,
  group,
  index,
  input,
  int,
  num,
  packIndex,
  plus,
  read,
  run,
  scalar,
  shaped,
  sumOver,
  tabulate,
  times,
  whole,
  type Run,
} from './trees.ts';

function close({ result }: Run, shape: readonly number[], expected: readonly number[]): void {
  expect(result.shape).toEqual(shape);
  expect(result.data.length).toBe(expected.length);
  Array.from(result.data).forEach((value, i) => expect(value).toBeCloseTo(expected[i], 9));
}

describe('sums of products', () => {
  const x = input('x', [2, 3, 4]);
  const W = input('weights', [5, 4]);
  const b = input('bias', [5]);

  it('an affine map over a pack is one contraction and one addition', () => {
    const B = pack('B');
    const dots = packIndex(B, numelOf(B));
    const [o, i] = [index('o', 5), index('i', 4)];
    const sum = bind('sum', [i], times(read(get(W), o, i), read(get(x), dots, i)));
    const made = run(
      forAll([dots, o], plus(sum, read(get(b), o))),
      [x, W, b],
      new Map([[B, [constant(2), constant(3)]]]),
    );
    expect(made.ops).toEqual(['dot_general', 'broadcast_in_dim', 'add']);
    const expected = tabulate(
      [2, 3, 5],
      (p, q, k) => sumOver([4], (j) => e(W, k, j) * e(x, p, q, j)) + e(b, k),
    );
    close(made, [2, 3, 5], expected);
  });

  it('factors without the index stay outside, numbers and divisors too', () => {
    const [p, i] = [index('p', 5), index('i', 4)];
    const body = apply('divide', [
      times(times(num(3), read(get(b), p)), times(read(get(W), p, i), read(get(W), p, i))),
      plus(read(get(b), p), num(4)),
    ]);
    const made = run(forAll([p], bind('sum', [i], body)), [b, W]);
    expect(made.ops.filter((op) => op === 'reduce')).toHaveLength(1);
    const expected = tabulate(
      [5],
      (k) => (3 * e(b, k) * sumOver([4], (j) => e(W, k, j) ** 2)) / (e(b, k) + 4),
    );
    close(made, [5], expected);
  });

  it('batched attention is contractions and a softmax', () => {
    const [q, k, v] = ['q', 'kk', 'vvv'].map((name) => input(name, [2, 5, 6]));
    const [bb, h, t, s, c] = [
      index('b', 2),
      index('h', 3),
      index('t', 5),
      index('s', 5),
      index('c', 2),
    ];
    const pair = group([h, 3], [c, 2]);
    const scores = bind('sum', [c], times(read(get(q), bb, t, pair), read(get(k), bb, s, pair)));
    const weights = forAll([bb, h, t, s], bind('softmax', [s], scores));
    const a = run(weights, [q, k]);
    expect(a.ops.filter((op) => op !== 'reshape')).toEqual(['dot_general', 'softmax']);
    const [s2, c2] = [index('s', 5), index('c', 2)];
    const mixed = bind(
      'sum',
      [s2],
      times(read(weights, bb, h, t, s2), read(get(v), bb, s2, group([h, 3], [c2, 2]))),
    );
    const made = run(forAll([bb, t, [h, c2]], mixed), [q, k, v]);
    expect(made.ops.filter((op) => op !== 'reshape')).toEqual([
      'dot_general',
      'softmax',
      'dot_general',
      'transpose',
    ]);
    const score = (n: number, head: number, i: number, j: number): number =>
      sumOver([2], (l) => e(q, n, i, 2 * head + l) * e(k, n, j, 2 * head + l));
    const expected = tabulate([2, 5, 6], (n, i, d) => {
      const head = Math.floor(d / 2);
      const total = sumOver([5], (j) => Math.exp(score(n, head, i, j)));
      return sumOver([5], (j) => (Math.exp(score(n, head, i, j)) / total) * e(v, n, j, d));
    });
    close(made, [2, 5, 6], expected);
  });

  it('a product of three factors contracts pair by pair', () => {
    const [A, M] = [input('A', [3, 4]), input('MM', [4, 4])];
    const [i, j, k] = [index('i', 3), index('j', 4), index('k', 4)];
    const body = times(times(read(get(A), i, j), read(get(M), j, k)), read(get(A), i, k));
    const made = run(forAll([i], bind('sum', [j, k], body)), [A, M]);
    const expected = tabulate([3], (n) =>
      sumOver([4, 4], (p, q) => e(A, n, p) * e(M, p, q) * e(A, n, q)),
    );
    close(made, [3], expected);
  });

  it('an index that no factor has counts', () => {
    const [i, j] = [index('i', 5), index('j', 7)];
    const made = run(forAll([i], bind('sum', [j], read(get(b), i))), [b]);
    close(
      made,
      [5],
      tabulate([5], (n) => 7 * e(b, n)),
    );
  });
});

describe('reads', () => {
  const x = input('x', [6, 4]);
  const [i, j] = [index('i', 3), index('j', 4)];

  it('strides, offsets and reversals are one slice', () => {
    const strided = run(forAll([i, j], read(get(x), plus(times(whole(2), at(i)), whole(1)), j)), [
      x,
    ]);
    expect(strided.ops).toEqual(['slice']);
    close(
      strided,
      [3, 4],
      tabulate([3, 4], (a, b) => e(x, 2 * a + 1, b)),
    );
    const back = apply('subtract', [whole(3), at(j)], scalar(int));
    const reversed = run(forAll([i, j], read(get(x), at(i), back)), [x]);
    expect(reversed.ops).toEqual(['reverse', 'slice']);
    close(
      reversed,
      [3, 4],
      tabulate([3, 4], (a, b) => e(x, a, 3 - b)),
    );
  });

  it('transposes, constant indices and kept axes', () => {
    const k = index('k', 6);
    const turned = run(forAll([j, k], read(get(x), k, j)), [x]);
    expect(turned.ops).toEqual(['transpose']);
    close(
      turned,
      [4, 6],
      tabulate([4, 6], (a, b) => e(x, b, a)),
    );
    const row = read(get(x), whole(2), {
      kind: 'keep',
      axes: [{ kind: 'size', size: constant(4) }],
    });
    close(
      run(row, [x]),
      [4],
      tabulate([4], (a) => e(x, 2, a)),
    );
    const part = read(get(x), { kind: 'range', from: constant(1), to: constant(3) }, whole(0));
    close(run(part, [x]), [2], [e(x, 1, 0), e(x, 2, 0)]);
  });

  it('patches are reshapes and a transposition', () => {
    const [p, u, q, v] = [index('p', 3), index('u', 2), index('q', 2), index('v', 2)];
    const row = plus(times(at(p), whole(2)), at(u));
    const column = plus(times(at(q), whole(2)), at(v));
    const made = run(
      forAll(
        [
          [p, q],
          [u, v],
        ],
        read(get(x), row, column),
      ),
      [x],
    );
    expect(new Set(made.ops)).toEqual(new Set(['reshape', 'transpose']));
    const expected = tabulate([3, 2, 2, 2], (a, b, c, d) => e(x, 2 * a + c, 2 * b + d));
    close(made, [6, 4], expected);
  });

  it('overlapping windows unfold', () => {
    const [t, u] = [index('t', 4), index('u', 3)];
    const made = run(forAll([t, u, j], read(get(x), plus(at(t), at(u)), j)), [x]);
    expect(made.ops).toContain('unfold');
    close(
      made,
      [4, 3, 4],
      tabulate([4, 3, 4], (a, b, c) => e(x, a + b, c)),
    );
  });

  it('the diagonal', () => {
    const m = input('m', [4, 4]);
    const made = run(forAll([j], read(get(m), j, j)), [m]);
    close(
      made,
      [4],
      tabulate([4], (a) => e(m, a, a)),
    );
  });

  it('gathers rows, and pairs of indices', () => {
    const tok = input('tok', [2, 3], [5, 0, 2, 2, 4, 1], { kind: 'fin', size: constant(6) });
    const [a, b] = [index('a', 2), index('b', 3)];
    const rows = run(forAll([a, b, j], read(get(x), read(get(tok), a, b), j)), [x, tok]);
    expect(rows.ops).toEqual(['take']);
    close(
      rows,
      [2, 3, 4],
      tabulate([2, 3, 4], (p, q, c) => e(x, e(tok, p, q), c)),
    );
    const col = input('col', [3], [3, 0, 1], { kind: 'fin', size: constant(4) });
    const both = run(forAll([a, b], read(get(x), read(get(tok), a, b), read(get(col), b))), [
      x,
      tok,
      col,
    ]);
    close(
      both,
      [2, 3],
      tabulate([2, 3], (p, q) => e(x, e(tok, p, q), e(col, q))),
    );
  });

  it('gathers along an axis of the tensor itself, by mask or by flattened index', () => {
    const y = input('y', [6], [3, 0, 0, 2, 1, 3], { kind: 'fin', size: constant(4) });
    const k = index('k', 6);
    const made = run(forAll([k], read(get(x), k, read(get(y), k))), [x, y]);
    close(
      made,
      [6],
      tabulate([6], (n) => e(x, n, e(y, n))),
    );
    const wide = input('wide', [3, 200]);
    const z = input('zz', [3], [199, 0, 57], { kind: 'fin', size: constant(200) });
    const flattened = run(forAll([i], read(get(wide), i, read(get(z), i))), [wide, z]);
    expect(flattened.ops).toContain('take');
    close(
      flattened,
      [3],
      tabulate([3], (n) => e(wide, n, e(z, n))),
    );
  });

  it('nearest upsampling', () => {
    const k = index('k', 12);
    const half = apply('floor_divide', [at(k), whole(2)], scalar(int));
    const made = run(forAll([k, j], read(get(x), half, j)), [x]);
    close(
      made,
      [12, 4],
      tabulate([12, 4], (n, c) => e(x, Math.floor(n / 2), c)),
    );
  });
});

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

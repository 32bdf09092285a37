// Index notation, sums of products and reads: every form against a loop over the definition, and the operations it becomes.

import { describe, expect, it } from 'vitest';
import { constant, numelOf, pack } from '../../compiler/dims/arithmetic.ts';
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
  packIndex,
  plus,
  read,
  run,
  scalar,
  sumOver,
  tabulate,
  times,
  whole,
} from './trees.ts';

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

// Builtins: numbers known at elaboration and the same numbers in a tensor give the same results, and those are right.

import { describe, expect, it } from 'vitest';
import { constant } from '../../compiler/dims/arithmetic.ts';
import {
  apply,
  element as e,
  get,
  index,
  input,
  int,
  forAll,
  num,
  read,
  real,
  run,
  scalar,
  shaped,
  sumOver,
  tabulate,
  whole,
  type Run,
} from './trees.ts';

const values = ({ result }: Run): number[] => Array.from(result.data);

function close(made: Run, shape: readonly number[], expected: readonly number[]): void {
  expect(made.result.shape).toEqual(shape);
  values(made).forEach((value, i) => expect(value).toBeCloseTo(expected[i], 9));
}

describe('functions of one number', () => {
  const points = [-2.5, -1, -0.3, 0.4, 0.5, 1, 1.5, 2.5];
  const positive = points.filter((x) => x > 0);
  const above = points.map((x) => x / 4);
  // erf at these points from Abramowitz and Stegun, table 7.1.
  const erfTable = new Map([
    [0.4, 0.428392355],
    [0.5, 0.5204998778],
    [1, 0.8427007929],
    [1.5, 0.9661051465],
    [2.5, 0.999593048],
  ]);
  const cases: readonly [string, readonly number[], (x: number) => number][] = [
    ['exp', points, Math.exp],
    ['expm1', points, Math.expm1],
    ['log', positive, Math.log],
    ['log1p', above, Math.log1p],
    ['sqrt', positive, Math.sqrt],
    ['rsqrt', positive, (x) => x ** -0.5],
    ['sin', points, Math.sin],
    ['cos', points, Math.cos],
    ['tan', above, Math.tan],
    ['tanh', points, Math.tanh],
    ['sigmoid', points, (x) => 0.5 + Math.tanh(x / 2) / 2],
    ['erf', [...erfTable.keys()], (x) => erfTable.get(x) ?? Number.NaN],
    ['floor', points, Math.floor],
    ['ceil', points, Math.ceil],
    ['round', points, (x) => [-2, -1, 0, 0, 0, 1, 2, 2][points.indexOf(x)]],
    ['abs', points, Math.abs],
    ['sign', points, Math.sign],
  ];
  for (const [name, xs, f] of cases)
    it(name, () => {
      const x = input('x', [xs.length], xs);
      const inTensor = run(apply(name, [get(x)], shaped(real, xs.length)), [x]);
      const folded = xs.map((at) => values(run(apply(name, [num(at)]), []))[0]);
      xs.forEach((at, i) => {
        // f32 constants hold the folded ones.
        expect(folded[i]).toBeCloseTo(f(at), 6);
        expect(values(inTensor)[i]).toBeCloseTo(f(at), 6);
      });
    });
});

describe('operators', () => {
  it('floor division and remainder round down, as for sizes', () => {
    const [a, b] = [
      input('a', [6], [7, -7, 7, -7, 6, 0], int),
      input('bb', [6], [2, 2, -2, -2, 3, 5], int),
    ];
    const type = shaped(int, 6);
    const quotients = values(run(apply('floor_divide', [get(a), get(b)], type), [a, b]));
    const rests = values(run(apply('remainder', [get(a), get(b)], type), [a, b]));
    a.values.forEach((x, i) => {
      const y = b.values[i];
      expect(quotients[i]).toBe(Math.floor(x / y));
      expect(rests[i]).toBe(x - y * Math.floor(x / y) + 0);
      const known = (name: string): number =>
        values(run(apply(name, [whole(x), whole(y)], scalar(int)), []))[0];
      expect(known('floor_divide')).toBe(quotients[i]);
      expect(known('remainder')).toBe(rests[i]);
    });
  });

  it('small whole powers are products', () => {
    const x = input('x', [4]);
    const cube = run(apply('power', [get(x), num(3)], shaped(real, 4)), [x]);
    expect(cube.ops).toEqual(['multiply', 'multiply']);
    close(
      cube,
      [4],
      tabulate([4], (i) => e(x, i) ** 3),
    );
  });

  it('a suffix shape repeats along the axes before it', () => {
    const [x, y] = [input('x', [3, 2]), input('yy', [2])];
    const sum = run(apply('add', [get(y), get(x)], shaped(real, 3, 2)), [x, y]);
    close(
      sum,
      [3, 2],
      tabulate([3, 2], (i, j) => e(x, i, j) + e(y, j)),
    );
  });

  it('matrix products by rank', () => {
    const [A, B] = [input('A', [2, 3, 4]), input('BB', [2, 4, 5])];
    const [M, v] = [input('MMM', [4, 3]), input('vvvv', [4])];
    const stacked = run(apply('matmul', [get(A), get(B)], shaped(real, 2, 3, 5)), [A, B]);
    close(
      stacked,
      [2, 3, 5],
      tabulate([2, 3, 5], (b, i, k) => sumOver([4], (j) => e(A, b, i, j) * e(B, b, j, k))),
    );
    const shared = run(apply('matmul', [get(A), get(M)], shaped(real, 2, 3, 3)), [A, M]);
    expect(shared.ops).toEqual(['dot_general']);
    close(
      shared,
      [2, 3, 3],
      tabulate([2, 3, 3], (b, i, k) => sumOver([4], (j) => e(A, b, i, j) * e(M, j, k))),
    );
    const vector = run(apply('matmul', [get(A), get(v)], shaped(real, 2, 3)), [A, v]);
    close(
      vector,
      [2, 3],
      tabulate([2, 3], (b, i) => sumOver([4], (j) => e(A, b, i, j) * e(v, j))),
    );
    const b = index('b', 2);
    const rows = {
      kind: 'keep' as const,
      axes: [1, 2].map(() => ({ kind: 'size' as const, size: constant(1) })),
    };
    const each = (t: typeof A) => ({ ...read(get(t), b, rows), type: shaped(real, 3, 4) });
    const [i, k] = [index('i', 3), index('k', 5)];
    const product = apply('matmul', [each(A), each(B)], shaped(real, 3, 5));
    const labelled = run(forAll([b, i, k], read(product, i, k)), [A, B]);
    expect(values(labelled)).toEqual(values(stacked));
  });
});

describe('rearranging', () => {
  const x = input('x', [2, 3, 4]);

  it('moves elements to where they belong', () => {
    const turned = run(apply('transpose', [get(x)], shaped(real, 2, 4, 3)), [x]);
    close(
      turned,
      [2, 4, 3],
      tabulate([2, 4, 3], (b, i, j) => e(x, b, j, i)),
    );
    const flat = run(apply('flatten', [get(x)], shaped(real, 2, 12)), [x]);
    close(flat, [2, 12], x.values);
    const backwards = run(apply('reverse', [get(x)], shaped(real, 2, 3, 4)), [x]);
    close(
      backwards,
      [2, 3, 4],
      tabulate([2, 3, 4], (b, i, j) => e(x, b, i, 3 - j)),
    );
    const twice = run(apply('concat', [get(x), get(x)], shaped(real, 2, 3, 8)), [x]);
    close(
      twice,
      [2, 3, 8],
      tabulate([2, 3, 8], (b, i, j) => e(x, b, i, j % 4)),
    );
    const stacked = run(apply('stack', [get(x), get(x)], shaped(real, 2, 2, 3, 4)), [x]);
    close(stacked, [2, 2, 3, 4], [...x.values, ...x.values]);
  });

  it('one-hot rows, identity, ranges', () => {
    const y = input('y', [3], [2, 0, 3], { kind: 'fin', size: constant(4) });
    const hot = {
      ...apply('one_hot', [get(y)], shaped(real, 3, 4)),
      data: { sizes: [constant(4)] },
    };
    close(
      run(hot, [y]),
      [3, 4],
      tabulate([3, 4], (i, j) => (e(y, i) === j ? 1 : 0)),
    );
    const eye = { ...apply('eye', [], shaped(real, 3, 3)), data: { sizes: [constant(3)] } };
    close(
      run(eye, []),
      [3, 3],
      tabulate([3, 3], (i, j) => (i === j ? 1 : 0)),
    );
  });
});

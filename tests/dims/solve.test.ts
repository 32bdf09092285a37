// Calls: shapes line up, and the sizes of the signature come out, whatever the order of the equations.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  add,
  constant,
  dimOf,
  floorDivide,
  multiply,
  numelOf,
  pack,
  scale,
  subtract,
  variable,
} from '../../compiler/dims/arithmetic.ts';
import { assume, noAssumptions } from '../../compiler/dims/assumptions.ts';
import type { Dim, DimVar } from '../../compiler/dims/dim.ts';
import { matchShapes, sizeOf, substituteShape, type Shape } from '../../compiler/dims/shape.ts';
import { showDim } from '../../compiler/dims/show.ts';
import { solve } from '../../compiler/dims/solve.ts';

const [n, k, m] = ['n', 'k', 'm'].map((name) => variable(name));
const [N, K, M] = [n, k, m].map(dimOf);
const [H, W] = ['H', 'W'].map((name) => dimOf(variable(name)));
const c = constant;

const equation = (left: Dim, right: Dim, origin = '') => ({ left, right, origin });

/** Solves, and shows what came out. */
function solved(
  equations: readonly ReturnType<typeof equation>[],
  unknowns: readonly DimVar[],
  assumptions = noAssumptions,
) {
  const { bindings, residual, undetermined } = solve(equations, new Set(unknowns), assumptions);
  return {
    bindings: Object.fromEntries([...bindings].map(([v, d]) => [v.name, showDim(d)])),
    residual: residual.map((e) => `${showDim(e.left)} = ${showDim(e.right)} (${e.origin})`),
    undetermined: undetermined.map((v) => v.name),
  };
}

describe('solving', () => {
  test('bare names first, then their uses', () => {
    expect(solved([equation(scale(N, 2), W, 'halves'), equation(N, H, 'x')], [n])).toEqual({
      bindings: { n: 'H' },
      residual: ['2 * H = W (halves)'],
      undetermined: [],
    });
  });

  test('linear in one unknown', () => {
    expect(solved([equation(scale(N, 2), c(14))], [n]).bindings).toEqual({ n: '7' });
    expect(solved([equation(multiply(N, H), multiply(H, W))], [n]).bindings).toEqual({ n: 'W' });
    expect(solved([equation(add(N, c(1)), H)], [n]).bindings).toEqual({ n: 'H - 1' });
    expect(solved([equation(subtract(H, N), W)], [n]).bindings).toEqual({ n: 'H - W' });
  });

  test('one unknown by way of another', () => {
    const equations = [
      equation(multiply(N, K), scale(H, 3)),
      equation(K, M),
      equation(add(M, c(1)), c(4)),
    ];
    const expected = { bindings: { n: 'H', k: '3', m: '3' }, residual: [], undetermined: [] };
    for (const order of [equations, equations.toReversed()])
      expect(solved(order, [n, k, m])).toEqual(expected);
  });

  test('a whole quotient needs an assumption', () => {
    const half = [equation(scale(N, 2), H, 'd')];
    expect(solved(half, [n])).toEqual({
      bindings: {},
      residual: ['2 * n = H (d)'],
      undetermined: ['n'],
    });
    const even = assume(noAssumptions, { kind: 'divisible', left: H, right: c(2) });
    expect(solved(half, [n], even)).toEqual({
      bindings: { n: 'floor(H / 2)' },
      residual: ['2 * floor(H / 2) = H (d)'],
      undetermined: [],
    });
    expect(solved([equation(scale(N, 2), c(7))], [n]).undetermined).toEqual(['n']);
  });

  test('what nothing determines', () => {
    expect(solved([equation(floorDivide(N, c(2)), H)], [n]).undetermined).toEqual(['n']);
    expect(solved([equation(N, K)], [n, k])).toEqual({
      bindings: {},
      residual: [],
      undetermined: ['n', 'k'],
    });
    expect(solved([], [n])).toEqual({ bindings: {}, residual: [], undetermined: ['n'] });
  });

  test('conflicts stay, with their origins', () => {
    const result = solved([equation(N, c(784), 'x'), equation(N, c(128), 'W')], [n]);
    expect(result).toEqual({
      bindings: { n: '784' },
      residual: ['784 = 128 (W)'],
      undetermined: [],
    });
  });

  test('whether it is solved does not depend on the order', () => {
    const equations = [
      equation(N, H),
      equation(multiply(N, K), multiply(H, add(W, c(1)))),
      equation(subtract(scale(M, 3), K), add(scale(H, 3), subtract(c(-1), W))),
      equation(add(N, M), scale(H, 2)),
    ];
    const expected = solved(equations, [n, k, m]);
    expect(expected.bindings).toEqual({ n: 'H', k: 'W + 1', m: 'H' });
    fc.assert(
      fc.property(fc.shuffledSubarray(equations, { minLength: 4 }), (order) => {
        expect(solved(order, [n, k, m])).toEqual(expected);
      }),
    );
  });
});

describe('shapes', () => {
  const [A, B] = [pack('A'), pack('B')];
  const size = (d: Dim) => ({ kind: 'size', size: d }) as const;
  const packed = (of: typeof A) => ({ kind: 'pack', pack: of }) as const;
  const shown = (shape: Shape): string =>
    shape.map((a) => (a.kind === 'pack' ? `..${a.pack.name}` : showDim(a.size))).join(', ');
  const unknown = new Set([A]);

  test('a pack takes the axes that the others leave', () => {
    const match = matchShapes([size(K), packed(A), size(N)], [c(2), H, W, c(5)].map(size), unknown);
    if (match.kind !== 'matched') throw new Error(match.kind);
    expect(shown(match.packs.get(A) ?? [])).toBe('H, W');
    expect(
      match.equations.map(
        (e) => `${e.expectedAxis} ${showDim(e.left)} ${e.actualAxis} ${showDim(e.right)}`,
      ),
    ).toEqual(['0 k 0 2', '2 n 3 5']);
  });

  test('a pack may be empty, or take another pack', () => {
    const empty = matchShapes([packed(A), size(N)], [size(H)], unknown);
    expect(empty.kind === 'matched' && empty.packs.get(A)).toEqual([]);
    const other = matchShapes([packed(A), size(N)], [packed(B), size(H), size(W)], unknown);
    expect(other.kind === 'matched' && shown(other.packs.get(A) ?? [])).toBe('..B, H');
  });

  test('a rigid pack matches itself alone', () => {
    expect(matchShapes([packed(B), size(N)], [packed(B), size(H)], unknown).kind).toBe('matched');
    expect(matchShapes([packed(B), size(N)], [packed(A), size(H)], new Set()).kind).toBe(
      'pack mismatch',
    );
    expect(matchShapes([packed(B), size(N)], [size(W), size(H)], unknown)).toEqual({
      kind: 'pack mismatch',
      expectedAxis: 0,
      actualAxis: 0,
    });
    expect(matchShapes([size(N)], [packed(B), size(H)], unknown)).toEqual({
      kind: 'pack mismatch',
      expectedAxis: -1,
      actualAxis: 0,
    });
    expect(matchShapes([packed(A), size(K), size(N)], [packed(B), size(H)], unknown)).toEqual({
      kind: 'pack mismatch',
      expectedAxis: 1,
      actualAxis: 0,
    });
  });

  test('too few, too many', () => {
    expect(matchShapes([size(N)], [size(c(28)), size(c(28))], unknown)).toEqual({
      kind: 'too many axes',
      expected: 1,
      actual: 2,
      atLeast: false,
    });
    expect(matchShapes([packed(A), size(K), size(N)], [size(H)], unknown)).toEqual({
      kind: 'too few axes',
      expected: 2,
      actual: 1,
      atLeast: true,
    });
    expect(matchShapes([size(N)], [], unknown).kind).toBe('too few axes');
  });

  test('counting and substituting', () => {
    const shape = [packed(A), size(N)];
    expect(showDim(sizeOf(shape))).toBe('n * numel(..A)');
    expect(sizeOf([])).toEqual(c(1));
    const replaced = substituteShape(shape, new Map([[A, [packed(B), size(H)]]]), (d) =>
      scale(d, 2),
    );
    expect(shown(replaced)).toBe('..B, H, 2 * n');
    expect(showDim(multiply(numelOf(B), H))).toBe(showDim(sizeOf([packed(B), size(H)])));
  });
});

// Proofs, refutations and honest ignorance, on the obligations that real programs raise.

import { describe, expect, test } from 'vitest';

import {
  add,
  constant,
  dimOf,
  evaluate,
  floorDivide,
  multiply,
  numelOf,
  pack,
  remainder,
  scale,
  subtract,
  variable,
} from '../../compiler/dims/arithmetic.ts';
import { assume, noAssumptions, type Fact } from '../../compiler/dims/assumptions.ts';
import type { Dim } from '../../compiler/dims/dim.ts';
import {
  exactQuotient,
  proveAtMost,
  proveDivisible,
  proveEqual,
  type Answer,
} from '../../compiler/dims/prove.ts';
import { showDim } from '../../compiler/dims/show.ts';
import { satisfies } from '../../compiler/dims/valuations.ts';

const size = (name: string): Dim => dimOf(variable(name));
const n = constant;
const minus = subtract;
const times = (...ds: Dim[]): Dim => ds.reduce(multiply);
const plus = (...ds: Dim[]): Dim => ds.reduce(add);
const under = (...facts: Fact[]) => facts.reduce(assume, noAssumptions);
const divides = (right: Dim, left: Dim): Fact => ({ kind: 'divisible', left, right });
const atMost = (left: Dim, right: Dim): Fact => ({ kind: 'at most', left, right });
const equals = (left: Dim, right: Dim): Fact => ({ kind: 'equal', left, right });
const [H, W, C, K, S, P, D, d, h] = ['H', 'W', 'C', 'k', 's', 'p', 'dil', 'd', 'heads'].map(size);

const kind = (a: { kind: string }): string => a.kind;

/** The counterexample's numbers, after checking them. */
function refuted(answer: Answer, left: Dim, right: Dim, facts: readonly Fact[] = []): string {
  if (answer.kind !== 'refuted') throw new Error(`not refuted: ${answer.kind}`);
  const value = (x: Dim): number => evaluate(x, (v) => answer.valuation.get(v) ?? Number.NaN);
  expect([answer.left, answer.right]).toEqual([value(left), value(right)]);
  expect(satisfies(facts, new Map([...answer.valuation, ...(answer.others ?? [])]))).toBe(true);
  const at = [...answer.valuation].map(([v, x]) => `${v.name} = ${x}`).join(', ');
  return `${at}: ${answer.left}, ${answer.right}`;
}

describe('equality', () => {
  test('heads * (d / heads) is d, given divisibility', () => {
    const product = times(h, floorDivide(d, h));
    expect(kind(proveEqual(product, d, under(divides(h, d))))).toBe('proved');
    expect(refuted(proveEqual(product, d, noAssumptions), product, d)).toBe(
      'd = 7, heads = 5: 5, 7',
    );
  });

  test('patchify counts what it takes', () => {
    const facts = under(divides(P, H), divides(P, W));
    const patches = times(floorDivide(H, P), floorDivide(W, P), P, P, C);
    expect(kind(proveEqual(patches, times(H, W, C), facts))).toBe('proved');
  });

  test('a U-Net of depth three', () => {
    const down = (x: Dim): Dim => floorDivide(plus(x, n(1)), n(2));
    const same = scale(scale(scale(down(down(down(H))), 2), 2), 2);
    expect(kind(proveEqual(same, H, under(divides(n(8), H))))).toBe('proved');
    expect(refuted(proveEqual(same, H, under(divides(n(4), H))), same, H)).toMatch(
      /^H = 28: 32, 28$/,
    );
  });

  test('a skip connection of odd size', () => {
    const up = scale(floorDivide(plus(H, n(1)), n(2)), 2);
    expect(refuted(proveEqual(up, H, noAssumptions), up, H)).toBe('H = 7: 8, 7');
    expect(kind(proveEqual(up, H, under(divides(n(2), H))))).toBe('proved');
  });

  test('two names of one size', () => {
    expect(kind(proveEqual(times(H, C), times(W, C), under(equals(H, W))))).toBe('proved');
    expect(kind(proveEqual(plus(H, K), n(9), under(equals(plus(H, K), n(9)))))).toBe('proved');
    const facts = under(equals(times(H, W), times(C, K)));
    expect(kind(proveEqual(times(H, W, d), times(C, K, d), facts))).toBe('proved');
  });

  test('ceilings and floors by cases', () => {
    const ceiling = minus(H, floorDivide(H, n(2)));
    expect(kind(proveEqual(floorDivide(plus(H, n(1)), n(2)), ceiling, noAssumptions))).toBe(
      'proved',
    );
    const third = plus(floorDivide(H, n(3)), floorDivide(plus(H, n(1)), n(3)));
    const whole = plus(third, floorDivide(plus(H, n(2)), n(3)));
    expect(kind(proveEqual(whole, H, noAssumptions))).toBe('proved');
  });

  test('remainders in range vanish', () => {
    const row = floorDivide(plus(times(H, W), minus(K, n(1))), W);
    expect(kind(proveEqual(row, H, under(atMost(K, W))))).toBe('proved');
    expect(kind(proveEqual(row, H, noAssumptions))).toBe('refuted');
  });

  test('packs stand for their product', () => {
    const B = numelOf(pack('B'));
    expect(kind(proveEqual(times(B, H), times(H, B), noAssumptions))).toBe('proved');
    expect(refuted(proveEqual(times(B, H), H, noAssumptions), times(B, H), H)).toBe(
      'H = 7, B = 5: 35, 7',
    );
  });

  test('odd kernels keep the size', () => {
    const odd = under(equals(remainder(K, n(2)), n(1)));
    const padding = floorDivide(minus(K, n(1)), n(2));
    const out = plus(minus(plus(H, scale(padding, 2)), K), n(1));
    expect(kind(proveEqual(out, H, odd))).toBe('proved');
    expect(kind(proveEqual(out, H, noAssumptions))).toBe('refuted');
    const dilated = plus(
      minus(plus(H, scale(times(D, padding), 2)), plus(times(D, minus(K, n(1))), n(1))),
      n(1),
    );
    expect(kind(proveEqual(dilated, H, odd))).toBe('proved');
    const rest = under(equals(remainder(H, P), C));
    expect(kind(proveEqual(minus(H, C), times(P, floorDivide(H, P)), rest))).toBe('proved');
  });

  test('a transposed convolution undoes the sizes of a convolution', () => {
    // kernel 2 p + s, padding p: H -> s H when going up, and back.
    const kernel = plus(scale(P, 2), S);
    const up = plus(minus(times(minus(H, n(1)), S), scale(P, 2)), kernel);
    expect(kind(proveEqual(up, times(S, H), noAssumptions))).toBe('proved');
    const down = plus(floorDivide(minus(plus(up, scale(P, 2)), kernel), S), n(1));
    expect(kind(proveEqual(down, H, noAssumptions))).toBe('proved');
  });

  test('a counterexample names the sizes in question only', () => {
    const facts: Fact[] = [divides(n(4), H), atMost(K, W), atMost(W, H)];
    const half = scale(floorDivide(H, n(8)), 8);
    expect(refuted(proveEqual(half, H, under(...facts)), half, H, facts)).toBe('H = 28: 24, 28');
  });

  test('numbers', () => {
    expect(refuted(proveEqual(n(784), n(28), noAssumptions), n(784), n(28))).toBe(': 784, 28');
  });

  test('both bounds make an equality', () => {
    const facts = under(atMost(H, W), atMost(W, H));
    expect(kind(proveEqual(H, W, facts))).toBe('proved');
  });

  test('what it cannot know', () => {
    // True (the product of two neighbours is even, and of four a multiple of 24), but the cases run out.
    const product = times(H, plus(H, n(1)), plus(H, n(2)), plus(H, n(3)), W, plus(W, n(1)));
    const twice = scale(floorDivide(product, n(120)), 120);
    expect(kind(proveDivisible(product, n(48), noAssumptions))).toBe('unknown');
    expect(kind(proveEqual(twice, product, noAssumptions))).toBe('refuted');
  });
});

describe('inequalities', () => {
  test('pooling drops the rest', () => {
    expect(kind(proveAtMost(times(K, floorDivide(H, K)), H, noAssumptions))).toBe('proved');
    expect(kind(proveAtMost(H, times(K, floorDivide(H, K)), noAssumptions))).toBe('refuted');
    expect(
      kind(proveAtMost(minus(H, minus(K, n(1))), times(K, floorDivide(H, K)), noAssumptions)),
    ).toBe('proved');
  });

  test('the last window of a convolution ends inside the padded input', () => {
    const span = minus(plus(H, scale(P, 2)), plus(times(D, minus(K, n(1))), n(1)));
    const last = plus(times(S, floorDivide(span, S)), times(minus(K, n(1)), D));
    const end = minus(plus(H, scale(P, 2)), n(1));
    expect(kind(proveAtMost(last, end, noAssumptions))).toBe('proved');
    expect(kind(proveAtMost(plus(last, n(1)), end, noAssumptions))).toBe('refuted');
  });

  test('every tap of every window, with indices as sizes less one', () => {
    const [i, u] = [size('i'), size('u')].map((x) => minus(x, n(1)));
    const span = minus(plus(H, scale(P, 2)), plus(times(D, minus(K, n(1))), n(1)));
    const facts = under(atMost(i, floorDivide(span, S)), atMost(u, minus(K, n(1))));
    const at = plus(times(i, S), times(u, D));
    expect(kind(proveAtMost(at, minus(plus(H, scale(P, 2)), n(1)), facts))).toBe('proved');
    expect(kind(proveAtMost(at, minus(plus(H, P), n(1)), facts))).toBe('refuted');
  });

  test('a flattened index is in range', () => {
    const [i, j] = [size('i'), size('j')].map((x) => minus(x, n(1)));
    const facts = under(atMost(i, minus(H, n(1))), atMost(j, minus(W, n(1))));
    expect(kind(proveAtMost(plus(times(i, W), j), minus(times(H, W), n(1)), facts))).toBe('proved');
    expect(kind(proveAtMost(plus(times(i, H), j), minus(times(H, W), n(1)), facts))).toBe(
      'refuted',
    );
  });

  test('patches stay inside the picture', () => {
    const [i, u] = [size('i'), size('u')].map((x) => minus(x, n(1)));
    const facts = under(
      divides(P, H),
      atMost(i, minus(floorDivide(H, P), n(1))),
      atMost(u, minus(P, n(1))),
    );
    expect(kind(proveAtMost(plus(times(i, P), u), minus(H, n(1)), facts))).toBe('proved');
  });

  test('where clauses with a chain', () => {
    const facts = under(atMost(K, H), atMost(H, W));
    expect(kind(proveAtMost(K, W, facts))).toBe('proved');
    expect(kind(proveAtMost(n(1), plus(minus(H, K), n(1)), facts))).toBe('proved');
    expect(kind(proveAtMost(n(1), minus(H, K), facts))).toBe('refuted');
    expect(kind(proveAtMost(n(1), plus(minus(H, K), n(1)), noAssumptions))).toBe('refuted');
    const strict = under({ kind: 'less', left: K, right: H });
    expect(kind(proveAtMost(n(1), minus(H, K), strict))).toBe('proved');
  });

  test('a bound on a half', () => {
    expect(kind(proveAtMost(n(1), floorDivide(H, n(2)), under(atMost(n(2), H))))).toBe('proved');
    expect(
      refuted(proveAtMost(n(1), floorDivide(H, n(2)), noAssumptions), n(1), floorDivide(H, n(2))),
    ).toBe('H = 1: 1, 0');
    expect(kind(proveAtMost(n(1), floorDivide(H, K), under(atMost(K, H))))).toBe('proved');
    expect(kind(proveAtMost(floorDivide(H, n(2)), H, noAssumptions))).toBe('proved');
  });

  test('a remainder is below its divisor', () => {
    expect(kind(proveAtMost(remainder(H, K), minus(K, n(1)), noAssumptions))).toBe('proved');
    expect(kind(proveAtMost(n(0), remainder(H, K), noAssumptions))).toBe('proved');
    expect(kind(proveAtMost(n(1), remainder(H, K), noAssumptions))).toBe('refuted');
  });

  test('an obligation that only large sizes break', () => {
    expect(kind(proveAtMost(H, n(50), noAssumptions))).toBe('refuted');
    expect(kind(proveAtMost(H, n(500), under(atMost(n(100), H))))).toBe('refuted');
  });
});

describe('divisibility', () => {
  test('follows from assumptions, factors and multiples', () => {
    expect(kind(proveDivisible(d, h, under(divides(h, d))))).toBe('proved');
    expect(kind(proveDivisible(times(d, K), K, noAssumptions))).toBe('proved');
    expect(kind(proveDivisible(H, n(2), under(divides(n(4), H))))).toBe('proved');
    expect(kind(proveDivisible(plus(H, n(2)), n(2), under(divides(n(2), H))))).toBe('proved');
    expect(kind(proveDivisible(H, n(2), under(divides(n(2), plus(H, n(1))))))).toBe('refuted');
    expect(kind(proveDivisible(times(H, W), n(2), under(divides(n(2), times(H, W)))))).toBe(
      'proved',
    );
    expect(kind(proveDivisible(times(H, plus(H, n(1))), n(2), noAssumptions))).toBe('proved');
  });

  test('fails with numbers', () => {
    expect(refuted(proveDivisible(d, h, noAssumptions), d, h)).toBe('d = 7, heads = 5: 7, 5');
    expect(kind(proveDivisible(n(10), n(4), noAssumptions))).toBe('refuted');
  });

  test("gives the quotient in the program's own names", () => {
    const quotient = exactQuotient(d, h, under(divides(h, d)));
    expect(quotient.kind === 'exact' && showDim(quotient.dim)).toBe('floor(d / heads)');
    const plain = exactQuotient(times(d, h), h, noAssumptions);
    expect(plain.kind === 'exact' && showDim(plain.dim)).toBe('d');
  });
});

describe('what is too large', () => {
  test('is unknown, not wrong', () => {
    const large = multiply(n(2 ** 40), n(2 ** 40));
    expect(kind(proveEqual(large, large, noAssumptions))).toBe('unknown');
    expect(kind(proveAtMost(H, large, noAssumptions))).toBe('unknown');
    expect(kind(proveDivisible(large, H, noAssumptions))).toBe('unknown');
  });
});

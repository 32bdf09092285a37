// The normal form of dimensions: it keeps every value, and unites what floor arithmetic says is equal.

import { describe, expect, test } from 'vitest';

import {
  add,
  constant,
  dimOf,
  equal,
  evaluate,
  exactDivide,
  floorDivide,
  isConstant,
  isDefined,
  multiply,
  numelOf,
  pack,
  power,
  remainder,
  scale,
  substitute,
  subtract,
  undefinedDim,
  variable,
  variablesOf,
} from '../../compiler/dims/arithmetic.ts';
import { showDim, sourceDim } from '../../compiler/dims/show.ts';

const [h, w, k, p] = ['H', 'W', 'k', 'p'].map((name) => variable(name));
const [H, W, K, P] = [h, w, k, p].map(dimOf);
const n = constant;

describe('normal form', () => {
  test('a sum is the same in any order', () => {
    expect(equal(add(H, multiply(W, H)), add(multiply(H, W), H))).toBe(true);
    expect(equal(H, W)).toBe(false);
    expect(equal(dimOf(variable('H')), H)).toBe(false);
  });

  test('multiples leave a quotient', () => {
    expect(showDim(floorDivide(add(scale(H, 4), n(2)), n(2)))).toBe('2 * H + 1');
    expect(showDim(floorDivide(scale(H, 3), n(2)))).toBe('H + floor(H / 2)');
    expect(equal(floorDivide(multiply(P, H), P), H)).toBe(true);
    expect(equal(floorDivide(add(multiply(P, H), n(-1)), P), subtract(H, n(1)))).toBe(true);
  });

  test('common factors of numerator and denominator cancel', () => {
    expect(equal(floorDivide(add(scale(H, 2), n(3)), n(4)), floorDivide(add(H, n(1)), n(2)))).toBe(
      true,
    );
    expect(equal(floorDivide(multiply(K, H), multiply(K, P)), floorDivide(H, P))).toBe(true);
  });

  test('quotients of quotients merge', () => {
    const half = floorDivide(H, n(2));
    expect(equal(floorDivide(half, n(3)), floorDivide(H, n(6)))).toBe(true);
    expect(equal(floorDivide(add(half, n(1)), n(2)), floorDivide(add(H, n(2)), n(4)))).toBe(true);
    expect(equal(floorDivide(floorDivide(H, P), K), floorDivide(H, multiply(P, K)))).toBe(true);
  });

  test('remainders', () => {
    expect(isConstant(remainder(n(-7), n(3)))).toBe(2);
    expect(isConstant(remainder(multiply(H, P), P))).toBe(0);
    expect(isConstant(floorDivide(n(0), K))).toBe(0);
  });

  test('exact division of polynomials', () => {
    const product = multiply(add(H, n(1)), subtract(W, K));
    expect(equal(exactDivide(product, subtract(W, K)) ?? undefinedDim, add(H, n(1)))).toBe(true);
    expect(exactDivide(H, n(2))).toBeNull();
    expect(exactDivide(add(H, n(1)), W)).toBeNull();
    expect(exactDivide(H, n(0))).toBeNull();
  });
});

describe('what has no value', () => {
  test('is undefined, and stays so', () => {
    const large = power(n(2 ** 30), 2);
    expect(isDefined(large)).toBe(false);
    expect(isDefined(multiply(n(0), large))).toBe(false);
    expect(isDefined(add(H, floorDivide(H, n(0))))).toBe(false);
    expect(equal(large, large)).toBe(false);
    expect(isConstant(large)).toBeNull();
  });

  test('powers', () => {
    expect(isConstant(power(n(1), 1e12))).toBe(1);
    expect(isConstant(power(H, 0))).toBe(1);
    for (const wrong of [-1, 0.5, Number.NaN]) expect(isDefined(power(H, wrong))).toBe(false);
    expect(isDefined(power(H, 1e12))).toBe(false);
    expect(isDefined(n(0.5))).toBe(false);
  });

  test('too many terms', () => {
    const sum = Array.from({ length: 40 }, (_, i) => dimOf(variable(`v${i}`))).reduce(add);
    expect(isDefined(sum)).toBe(true);
    expect(isDefined(power(sum, 3))).toBe(false);
  });

  test('a denominator that vanishes', () => {
    const d = floorDivide(H, subtract(K, n(1)));
    expect(evaluate(d, () => 1)).toBeNaN();
    expect(evaluate(d, () => 3)).toBe(1);
    expect(isDefined(substitute(d, new Map([[k, n(1)]])))).toBe(false);
  });
});

describe('substitution and evaluation', () => {
  test('replaces inside quotients and renormalises', () => {
    const d = multiply(K, floorDivide(H, K));
    const whole = substitute(d, new Map([[h, multiply(K, W)]]));
    expect(equal(whole, multiply(K, W))).toBe(true);
    expect(equal(substitute(d, new Map([[w, H]])), d)).toBe(true);
  });

  test('swaps at once', () => {
    const d = subtract(H, scale(W, 2));
    const swapped = substitute(
      d,
      new Map([
        [h, W],
        [w, H],
      ]),
    );
    expect(equal(swapped, subtract(W, scale(H, 2)))).toBe(true);
  });

  test('packs by their product', () => {
    const b = pack('B');
    const d = multiply(numelOf(b), H);
    expect(
      equal(substitute(d, new Map(), new Map([[b, multiply(W, K)]])), multiply(multiply(W, K), H)),
    ).toBe(true);
    expect([...variablesOf(d)]).toEqual([h, b]);
    expect(evaluate(d, (v) => (v === b ? 6 : 7))).toBe(42);
  });
});

describe('text', () => {
  test('for people and in source', () => {
    const up = scale(floorDivide(add(H, n(1)), n(2)), 2);
    expect(showDim(up)).toBe('2 * floor((H + 1) / 2)');
    expect(sourceDim(up)).toBe('2 * ((H + 1) // 2)');
    expect(sourceDim(floorDivide(add(H, n(1)), n(2)))).toBe('(H + 1) // 2');
    expect(showDim(add(subtract(H, K), n(1)))).toBe('H - k + 1');
    expect(showDim(subtract(n(1), K))).toBe('1 - k');
    expect(showDim(multiply(W, H))).toBe('H * W');
    expect(showDim(power(H, 2))).toBe('H^2');
    expect(showDim(floorDivide(subtract(H, n(1)), n(2)))).toBe('floor((H - 1) / 2)');
    expect(showDim(n(0))).toBe('0');
    expect(showDim(numelOf(pack('B')))).toBe('numel(..B)');
    expect(showDim(floorDivide(H, P))).toBe('floor(H / p)');
  });
});

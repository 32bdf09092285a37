// Division of dimensions: exact where it comes out even, else a rounded quotient, made as small as the rules can make it, as an atom.

import type { Atom, Dim, DimVar, PackVar, Quotient, Term } from './dim.ts';
import {
  add,
  atomKey,
  compareMonomials,
  constant,
  degree,
  dimOf,
  divideMonomials,
  equal,
  evaluate,
  isConstant,
  isDefined,
  MAX_TERMS,
  modulo,
  multiply,
  negate,
  one,
  power,
  scale,
  subtract,
  sumOfTerms,
  termOf,
  undefinedDim,
  zero,
} from './polynomials.ts';

/**
 * `a = whole * b + rest`, where no monomial of `rest` that b's leading one divides has a coefficient outside
 * `0 .. leading coefficient - 1`. Null where the numbers or the terms run away.
 */
function divide(a: Dim, b: Dim): { whole: Dim; rest: Dim } | null {
  const known = isConstant(b);
  if (known !== null && known > 0) {
    const whole = scaleDown(a, known);
    return { whole, rest: subtract(a, scale(whole, known)) };
  }
  const lead = b.terms.toSorted(compareMonomials)[0];
  const size = Math.abs(lead.coefficient);
  const whole: Term[] = [];
  let rest = a;
  for (let step = 0; step < MAX_TERMS; step++) {
    if (!isDefined(rest)) return null;
    const next = rest.terms
      .toSorted(compareMonomials)
      .map((t) => ({
        coefficient: (t.coefficient - modulo(t.coefficient, size)) / lead.coefficient,
        monomial: divideMonomials(t, lead),
      }))
      .find((m) => m.monomial !== null && m.coefficient !== 0);
    if (next === undefined || next.monomial === null) return { whole: sumOfTerms(whole), rest };
    const term = { ...next.monomial, coefficient: next.coefficient };
    whole.push(term);
    rest = subtract(rest, multiply(sumOfTerms([term]), b));
  }
  return null;
}

/** Every coefficient divided and rounded down. */
const scaleDown = (d: Dim, by: number): Dim =>
  sumOfTerms(d.terms.map((t) => ({ ...t, coefficient: Math.floor(t.coefficient / by) })));

/** The polynomial q with `q * b = a`, where there is one with integer coefficients. */
export function exactDivide(a: Dim, b: Dim): Dim | null {
  if (!isDefined(a) || !isDefined(b) || b.terms.length === 0) return null;
  const divided = divide(a, b);
  return divided !== null && divided.rest.terms.length === 0 ? divided.whole : null;
}

/** The greatest common divisor of two integers, not negative. */
export const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));

/** The least value of a size or of a pack's product; a quotient may be anything. */
const leastOf = (atom: Atom): number =>
  atom.kind === 'variable' ? atom.minimum : atom.kind === 'numel' ? 1 : 0;

/** Proofs shift the same facts again and again. */
const shifted = new WeakMap<Dim, Dim>();

/** With every size v written `least + v`: a polynomial whose atoms start from 0, but for quotients that may be negative. */
export function shiftToZero(d: Dim): Dim {
  const known = shifted.get(d);
  if (known !== undefined) return known;
  let result = zero;
  for (const t of d.terms) {
    let product = constant(t.coefficient);
    for (const f of t.factors) {
      const base = add(dimOf(f.atom), constant(leastOf(f.atom)));
      product = multiply(product, power(base, f.power));
    }
    result = add(result, product);
  }
  shifted.set(d, result);
  return result;
}

/** A quick sufficient test of `d >= 0`, from the least values of the sizes alone. */
export function surelyNonNegative(d: Dim): boolean {
  if (!isDefined(d) || d.terms.length > 16 || d.terms.some((t) => degree(t) > 6)) return false;
  const quotientsAreNatural = d.terms.every((t) =>
    t.factors.every((f) => f.atom.kind !== 'quotient' || surelyNonNegative(f.atom.numerator)),
  );
  if (!quotientsAreNatural) return false;
  const fromZero = shiftToZero(d);
  return isDefined(fromZero) && fromZero.terms.every((t) => t.coefficient > 0);
}

/** The largest product of sizes that divides every term of both. */
function commonMonomial(a: Dim, b: Dim): Dim {
  const [first, ...others] = [...a.terms, ...b.terms];
  const factors: { atom: Atom; power: number }[] = [];
  for (const f of first.factors) {
    if (f.atom.kind === 'quotient') continue;
    const key = atomKey(f.atom);
    const powers = others.map((t) => t.factors.find((g) => atomKey(g.atom) === key)?.power ?? 0);
    const least = Math.min(f.power, ...powers);
    if (least > 0) factors.push({ atom: f.atom, power: least });
  }
  return sumOfTerms([termOf(1, factors)]);
}

/** Two unlike valuations: the least sizes, and large ones. */
const samples: readonly ((v: DimVar | PackVar) => number)[] = [
  (v) => (v.kind === 'variable' ? v.minimum + 1 : 1),
  (v) => 41 + ((v.id * 17) % 31),
];

/** 0 where 0 <= a < b, and -1 where -b <= a < 0, for all sizes; otherwise null. */
function constantQuotient(a: Dim, b: Dim): Dim | null {
  const quotients = samples.map((v) => Math.floor(evaluate(a, v) / evaluate(b, v)));
  if (quotients[0] !== quotients[1]) return null;
  if (quotients[0] === 0 && surelyNonNegative(a))
    return surelyNonNegative(subtract(subtract(b, a), one)) ? zero : null;
  if (quotients[0] === -1 && surelyNonNegative(subtract(negate(a), one)))
    return surelyNonNegative(add(a, b)) ? constant(-1) : null;
  return null;
}

/** `floor(a / b)` by a rule that makes it smaller, for a numerator without multiples of b; or null. */
function reduceQuotient(a: Dim, b: Dim): Dim | null {
  if (a.terms.length === 0) return zero;
  const small = isConstant(b) === null ? constantQuotient(a, b) : null;
  if (small !== null) return small;
  // floor((g P + c) / (g b)) = floor((P + floor(c / g)) / b)
  let divisor = 0;
  for (const t of [...a.terms.filter((u) => u.factors.length > 0), ...b.terms])
    divisor = gcd(divisor, t.coefficient);
  if (divisor > 1) return floorDivide(scaleDown(a, divisor), scaleDown(b, divisor));
  const common = commonMonomial(a, b);
  if (!equal(common, one)) {
    const [top, bottom] = [exactDivide(a, common), exactDivide(b, common)];
    if (top !== null && bottom !== null) return floorDivide(top, bottom);
  }
  // floor((floor(P / q) + c) / b) = floor((P + q c) / (q b))
  const inner = a.terms.find(
    (t) =>
      t.coefficient === 1 &&
      t.factors.length === 1 &&
      t.factors[0].power === 1 &&
      t.factors[0].atom.kind === 'quotient',
  );
  const nested = inner?.factors[0].atom;
  if (inner === undefined || nested?.kind !== 'quotient') return null;
  const others = multiply(nested.denominator, subtract(a, sumOfTerms([inner])));
  const merged = floorDivide(add(nested.numerator, others), multiply(nested.denominator, b));
  return isDefined(merged) ? merged : null;
}

/** `floor(a / b)`; b must be positive wherever it is evaluated, which the caller proves. Undefined for a constant b < 1. */
export function floorDivide(a: Dim, b: Dim): Dim {
  const known = isConstant(b);
  if (!isDefined(a) || !isDefined(b) || (known !== null && known < 1)) return undefinedDim;
  if (known === 1) return a;
  const { whole, rest } = divide(a, b) ?? { whole: zero, rest: a };
  const reduced = reduceQuotient(rest, b);
  if (reduced !== null) return add(whole, reduced);
  const atom: Quotient = {
    kind: 'quotient',
    numerator: rest,
    denominator: b,
    key: `floor((${rest.key})/(${b.key}))`,
  };
  return add(whole, dimOf(atom));
}

/** `a - b * floor(a / b)`. */
export const remainder = (a: Dim, b: Dim): Dim => subtract(a, multiply(b, floorDivide(a, b)));

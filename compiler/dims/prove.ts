// The three answers about dimensions under assumptions: proved, refuted with a counterexample, or unknown. A proof is sound
// for every valuation with sizes of at least 1 that satisfies the assumptions and gives every quotient a positive
// denominator; that denominators are positive is for the caller to prove where they are written.

import {
  add,
  dimOf,
  exactDivide,
  floorDivide,
  isConstant,
  isDefined,
  mapAtoms,
  multiply,
  divideMonomials,
  compareMonomials,
  negate,
  one,
  quotientsOf,
  scale,
  substitute,
  subtract,
  sumOfTerms,
  constant,
  variable,
} from './arithmetic.ts';
import type { Assumptions } from './assumptions.ts';
import type { Dim, DimVar } from './dim.ts';
import { proveNonNegative } from './inequality.ts';
import { sizesOf } from './linear.ts';
import { findCounterexample, type Counterexample } from './valuations.ts';

export type Answer = { readonly kind: 'proved' } | Counterexample | { readonly kind: 'unknown' };

const proved: Answer = { kind: 'proved' };
const unknown: Answer = { kind: 'unknown' };

/** What the proofs below work with: dimensions in free sizes, and facts about those. */
interface Context {
  readonly nonNegative: readonly Dim[];
  readonly zeros: readonly Dim[];
}

/** `d` modulo the polynomials that are zero: each one's leading monomial is eliminated where it divides a term. */
function reduceByZeros(d: Dim, zeros: readonly Dim[]): Dim {
  let result = d;
  for (let step = 0; step < 40; step++) {
    const next = zeros.flatMap((zero) => {
      const lead = zero.terms.toSorted(compareMonomials)[0];
      return result.terms.flatMap((t) => {
        const monomial = lead === undefined ? null : divideMonomials(t, lead);
        const times = t.coefficient / (lead?.coefficient ?? 1);
        if (monomial === null || !Number.isInteger(times)) return [];
        return [multiply(sumOfTerms([{ ...monomial, coefficient: times }]), zero)];
      });
    })[0];
    if (next === undefined) return result;
    result = subtract(result, next);
  }
  return result;
}

/** Drops the quotients of remainders: floor(R / b) is 0 for 0 <= R < b, and -1 for -b <= R < 0. */
function simplify(d: Dim, context: Context): Dim {
  let result = reduceByZeros(d, context.zeros);
  if (context.nonNegative.length === 0) return result;
  for (const q of quotientsOf(result)) {
    const { numerator, denominator } = q;
    const atLeastZero = (x: Dim): boolean => proveNonNegative(x, context.nonNegative);
    const is = atLeastZero(numerator)
      ? atLeastZero(subtract(subtract(denominator, numerator), one))
        ? constant(0)
        : null
      : atLeastZero(subtract(negate(numerator), one)) && atLeastZero(add(numerator, denominator))
        ? constant(-1)
        : null;
    if (is === null) continue;
    result = mapAtoms(result, (a) => (a.kind === 'quotient' && a.key === q.key ? is : null));
  }
  return reduceByZeros(result, context.zeros);
}

const MAX_CASES = 64;

const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));

/**
 * Whether `holds` in every case of the sizes under constant denominators modulo their least common multiple L: with
 * v = L (w - 1) + r for r in 1..L, such quotients become polynomials. False where there are none or too many cases.
 */
function inEveryCase(
  d: Dim,
  context: Context,
  holds: (d: Dim, context: Context) => boolean,
): boolean {
  let modulus = 1;
  const split = new Set<DimVar>();
  for (const q of quotientsOf(d)) {
    const by = isConstant(q.denominator);
    if (by === null) continue;
    modulus *= by / gcd(modulus, by);
    for (const v of sizesOf(q.numerator)) split.add(v);
  }
  if (split.size === 0 || modulus ** split.size > MAX_CASES) return false;
  const cases = (of: readonly DimVar[], bindings: ReadonlyMap<DimVar, Dim>): boolean => {
    const [v, ...others] = of;
    if (v === undefined) {
      const inCase = (x: Dim): Dim => substitute(x, bindings);
      return holds(inCase(d), {
        nonNegative: context.nonNegative.map(inCase).filter(isDefined),
        zeros: context.zeros.map(inCase).filter(isDefined),
      });
    }
    const multiple = scale(subtract(dimOf(variable(v.name)), one), modulus);
    return Array.from({ length: modulus }, (_, i) => add(multiple, constant(i + 1))).every((is) =>
      cases(others, new Map([...bindings, [v, is]])),
    );
  };
  return cases([...split], new Map());
}

const isZero = (d: Dim): boolean => d.terms.length === 0;

const vanishes = (d: Dim, context: Context): boolean => {
  const simple = simplify(d, context);
  return (
    isZero(simple) ||
    (context.nonNegative.length > 0 &&
      proveNonNegative(simple, context.nonNegative) &&
      proveNonNegative(negate(simple), context.nonNegative))
  );
};

const notNegative = (d: Dim, context: Context): boolean =>
  proveNonNegative(simplify(d, context), context.nonNegative);

/** Whether two dimensions are equal. */
export function proveEqual(a: Dim, b: Dim, assumptions: Assumptions): Answer {
  if (!isDefined(a) || !isDefined(b)) return unknown;
  if (a.key === b.key) return proved;
  const difference = substitute(subtract(a, b), assumptions.rewrites);
  if (isZero(difference)) return proved;
  const counterexample = findCounterexample(a, b, assumptions, (l, r) => l !== r);
  if (counterexample !== null) return counterexample;
  if (!isDefined(difference)) return unknown;
  if (vanishes(difference, assumptions)) return proved;
  return inEveryCase(difference, assumptions, vanishes) ? proved : unknown;
}

/** Whether a <= b. */
export function proveAtMost(a: Dim, b: Dim, assumptions: Assumptions): Answer {
  if (!isDefined(a) || !isDefined(b)) return unknown;
  const gap = substitute(subtract(b, a), assumptions.rewrites);
  if (isDefined(gap) && notNegative(gap, assumptions)) return proved;
  const counterexample = findCounterexample(a, b, assumptions, (l, r) => l > r);
  if (counterexample !== null) return counterexample;
  return isDefined(gap) && inEveryCase(gap, assumptions, notNegative) ? proved : unknown;
}

/** Whether b, which is positive, divides a. A counterexample has the values of a and b. */
export function proveDivisible(a: Dim, b: Dim, assumptions: Assumptions): Answer {
  if (exactDivide(a, b) !== null) return proved;
  const answer = proveEqual(multiply(b, floorDivide(a, b)), a, assumptions);
  if (answer.kind === 'proved') return proved;
  return findCounterexample(a, b, assumptions, (l, r) => r >= 1 && l % r !== 0) ?? unknown;
}

/** The dimension `a / b` where b, which is positive, divides a: in the sizes of a and b, whatever proved it. */
export function exactQuotient(
  a: Dim,
  b: Dim,
  assumptions: Assumptions,
): { readonly kind: 'exact'; readonly dim: Dim } | Exclude<Answer, { kind: 'proved' }> {
  const answer = proveDivisible(a, b, assumptions);
  if (answer.kind !== 'proved') return answer;
  return { kind: 'exact', dim: exactDivide(a, b) ?? floorDivide(a, b) };
}

// The three answers about dimensions under assumptions: proved, refuted with a counterexample, or unknown. A proof is sound
// for every valuation with sizes of at least 1 that satisfies the assumptions and gives every quotient a positive
// denominator; that denominators are positive is for the caller to prove where they are written.

import {
  add,
  compareMonomials,
  constant,
  dimOf,
  divideMonomials,
  equal,
  exactDivide,
  floorDivide,
  isConstant,
  isDefined,
  mapAtoms,
  multiply,
  negate,
  one,
  quotientsOf,
  remainder,
  scale,
  substitute,
  subtract,
  sumOfTerms,
  variable,
  surelyNonNegative,
  gcd,
} from './arithmetic.ts';
import type { Assumptions } from './assumptions.ts';
import type { Dim, DimVar } from './dim.ts';
import { newBudget, proveNonNegative, type Budget } from './inequality.ts';
import { sizesOf } from './linear.ts';
import {
  FIRST_ATTEMPTS,
  OTHER_ATTEMPTS,
  findCounterexample,
  type Counterexample,
} from './valuations.ts';

export type Answer = { readonly kind: 'proved' } | Counterexample | { readonly kind: 'unknown' };

const proved: Answer = { kind: 'proved' };
const unknown: Answer = { kind: 'unknown' };

/** What the proofs below work with: dimensions in free sizes, and facts about those. */
interface Context {
  readonly nonNegative: readonly Dim[];
  readonly zeros: readonly Dim[];
  readonly budget: Budget;
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
    const atLeastZero = (x: Dim): boolean =>
      proveNonNegative(x, context.nonNegative, context.budget);
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

/**
 * Whether `holds` in every case of the sizes under constant denominators modulo their least common multiple L: with
 * v = L (w - 1) + r for r in 1..L (0..L-1 where v may be 0), such quotients become polynomials. False where there are none or too many cases.
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
        budget: context.budget,
      });
    }
    const multiple = scale(subtract(dimOf(variable(v.name)), one), modulus);
    return Array.from({ length: modulus }, (_, i) => add(multiple, constant(i + v.minimum))).every(
      (is) => cases(others, new Map([...bindings, [v, is]])),
    );
  };
  return cases([...split], new Map());
}

const isZero = (d: Dim): boolean => d.terms.length === 0;

const notNegative = (d: Dim, context: Context): boolean =>
  proveNonNegative(simplify(d, context), context.nonNegative, context.budget);

const vanishes = (d: Dim, context: Context): boolean => {
  const simple = simplify(d, context);
  if (isZero(simple)) return true;
  if (context.nonNegative.length === 0) return false;
  const atLeastZero = (x: Dim): boolean => proveNonNegative(x, context.nonNegative, context.budget);
  return atLeastZero(simple) && atLeastZero(negate(simple));
};

/**
 * The answer to "does `holds` of `d`", a polynomial in the sizes as written, where `left` and `right` are a counterexample if
 * `wrong`: first the likeliest counterexamples, then proofs, then all other counterexamples.
 */
function search(
  d: Dim,
  holds: (d: Dim, context: Context) => boolean,
  [left, right]: readonly [Dim, Dim],
  wrong: (left: number, right: number) => boolean,
  assumptions: Assumptions,
): Answer {
  const free = substitute(d, assumptions.rewrites);
  if (isZero(free)) return proved;
  const early = findCounterexample(left, right, assumptions, wrong, FIRST_ATTEMPTS);
  if (early !== null) return early;
  const { nonNegative, zeros } = assumptions;
  const context = { nonNegative, zeros, budget: newBudget() };
  if (isDefined(free) && holds(free, context)) return proved;
  const late = findCounterexample(left, right, assumptions, wrong, OTHER_ATTEMPTS);
  if (late !== null) return late;
  return isDefined(free) && inEveryCase(free, context, holds) ? proved : unknown;
}

/** A question comes up several times, in a trial and then for good; its answer depends on nothing else. */
const answers = new WeakMap<Assumptions, Map<string, Answer>>();
const MOST_ANSWERS = 1000;

/** `search`, once for each question. */
function decide(relation: '==' | '<=' | '%', ...question: Parameters<typeof search>): Answer {
  const [, , [left, right], , assumptions] = question;
  if (!isDefined(left) || !isDefined(right)) return unknown;
  let known = answers.get(assumptions);
  if (known === undefined || known.size === MOST_ANSWERS)
    answers.set(assumptions, (known = new Map()));
  const key = `${left.key} ${relation} ${right.key}`;
  let answer = known.get(key);
  if (answer === undefined) known.set(key, (answer = search(...question)));
  return answer;
}

/** Whether two dimensions are equal. */
export function proveEqual(a: Dim, b: Dim, assumptions: Assumptions): Answer {
  if (equal(a, b)) return proved;
  return decide('==', subtract(a, b), vanishes, [a, b], (l, r) => l !== r, assumptions);
}

/** Whether a <= b. Most questions are as easy as `1 <= n`, and need no search. */
export function proveAtMost(a: Dim, b: Dim, assumptions: Assumptions): Answer {
  const gap = subtract(b, a);
  if (surelyNonNegative(gap)) return proved;
  return decide('<=', gap, notNegative, [a, b], (l, r) => l > r, assumptions);
}

/** Whether b, which is positive, divides a. A counterexample has the values of a and b. */
export function proveDivisible(a: Dim, b: Dim, assumptions: Assumptions): Answer {
  if (exactDivide(a, b) !== null) return proved;
  const wrong = (l: number, r: number): boolean => r >= 1 && l % r !== 0;
  return decide('%', remainder(a, b), vanishes, [a, b], wrong, assumptions);
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

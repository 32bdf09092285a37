// Proofs of `d >= 0` for integer polynomials with floor quotients: a bounded search that eliminates negative terms by facts
// and quotients by their bounds, until every coefficient is natural. Used by prove.ts.

import {
  add,
  atomKey,
  constant,
  divideMonomials,
  exactDivide,
  isConstant,
  isDefined,
  multiply,
  negate,
  one,
  scale,
  shiftToZero,
  subtract,
  sumOfTerms,
  surelyNonNegative,
  gcd,
} from './arithmetic.ts';
import type { Dim, Quotient } from './dim.ts';
import { linearIn } from './linear.ts';

const MAX_DEPTH = 12;
const MAX_TERMS = 60;

/** Search steps left, shared by all the searches that one question starts. */
export interface Budget {
  steps: number;
}

/** Enough for any obligation met so far ten times over; a question that needs more is answered `unknown`. */
export const newBudget = (): Budget => ({ steps: 300 });

const MOST_STEPS = 100;

/**
 * Whether `d >= 0` follows from every size being at least 1, every `facts` polynomial at least 0, and denominators being
 * positive. False when no proof was found.
 *
 * The search works on shifted polynomials, in which a size v stands for v - 1, so that natural coefficients are enough.
 */
export function proveNonNegative(d: Dim, facts: readonly Dim[], budget: Budget): boolean {
  if (!isDefined(d)) return false;
  const known = isConstant(d);
  if (known !== null) return known >= 0;
  const shiftedFacts = facts.map(shiftToZero).filter(isDefined);
  const seen = new Set<string>();
  const natural = new Map<string, boolean>();
  const end = Math.max(0, budget.steps - MOST_STEPS);

  const isNatural = (q: Quotient): boolean => {
    let answer = natural.get(q.key);
    if (answer === undefined) {
      natural.set(q.key, false);
      answer =
        surelyNonNegative(q.numerator) ||
        (facts.length > 0 && search(shiftToZero(q.numerator), MAX_DEPTH / 2));
      natural.set(q.key, answer);
    }
    return answer;
  };
  const naturalTerm = (t: Dim['terms'][number]): boolean =>
    t.factors.every((f) => f.atom.kind !== 'quotient' || isNatural(f.atom));

  const search = (target: Dim, depth: number): boolean => {
    if (!isDefined(target) || target.terms.length > MAX_TERMS) return false;
    if (target.terms.every((t) => t.coefficient > 0 && naturalTerm(t))) return true;
    if (depth <= 0 || budget.steps <= end || seen.has(target.key)) return false;
    budget.steps--;
    seen.add(target.key);
    return (
      byFacts(target, shiftedFacts, naturalTerm).some((next) => search(next, depth - 1)) ||
      [...byQuotients(target, isNatural)].some((next) => search(next, depth - 1))
    );
  };
  return search(shiftToZero(d), MAX_DEPTH);
}

/**
 * For the first negative term that some fact F has a like term for: what is left to prove when F takes it, `d = (c F + rest) / e`.
 * One term is enough, for the order of eliminations rarely matters.
 */
function byFacts(
  d: Dim,
  facts: readonly Dim[],
  natural: (t: Dim['terms'][number]) => boolean,
): Dim[] {
  for (const negative of d.terms) {
    if (negative.coefficient >= 0) continue;
    const rests = facts.flatMap((fact) =>
      fact.terms.flatMap((t) => {
        const monomial = t.coefficient < 0 ? divideMonomials(negative, t) : null;
        if (monomial === null || !natural(monomial)) return [];
        const common = gcd(t.coefficient, negative.coefficient);
        const times = sumOfTerms([{ ...monomial, coefficient: -negative.coefficient / common }]);
        return [subtract(scale(d, -t.coefficient / common), multiply(times, fact))];
      }),
    );
    if (rests.length > 0) return rests;
  }
  return [];
}

const allNatural = (d: Dim): boolean =>
  d.terms.every((t) => t.coefficient > 0 && t.factors.every((f) => f.atom.kind !== 'quotient'));

/**
 * For each quotient f = floor(P / s) in d = C f + R, with C of one sign: P - s + 1 <= s f <= P bounds it. Where s divides C
 * this goes without multiplying; otherwise it proves `s d + s - 1 >= 0`, enough for an integer d.
 */
function* byQuotients(d: Dim, isNatural: (q: Quotient) => boolean): Iterable<Dim> {
  const quotients = new Map<string, Quotient>();
  for (const t of d.terms)
    for (const { atom } of t.factors)
      if (atom.kind === 'quotient') quotients.set(atomKey(atom), atom);
  for (const q of quotients.values()) {
    const linear = linearIn(d, q);
    if (linear === null) continue;
    const { coefficient, rest } = linear;
    const [positive, negative] = [allNatural(coefficient), allNatural(negate(coefficient))];
    if (!positive && !negative) continue;
    if (positive && isNatural(q)) yield rest;
    const [top, bottom] = [shiftToZero(q.numerator), shiftToZero(q.denominator)];
    const bound = positive ? add(subtract(top, bottom), one) : top;
    const divided = exactDivide(coefficient, bottom);
    if (divided !== null) yield add(rest, multiply(divided, bound));
    else
      yield add(
        add(multiply(bottom, rest), multiply(coefficient, bound)),
        subtract(bottom, constant(1)),
      );
  }
}

// What `where` clauses and bound checks let a proof assume. Equalities and divisibilities become substitutions wherever they
// can (`H % p == 0` makes H into p * H'), so that most proofs are normal forms; what is left is kept as polynomials that
// are zero or not negative. Used by prove.ts.

import {
  constant,
  dimOf,
  equal,
  exactDivide,
  isConstant,
  isDefined,
  multiply,
  negate,
  one,
  quotientsOf,
  remainder,
  substitute,
  subtract,
  surelyNonNegative,
  variable,
  gcd,
} from './arithmetic.ts';
import type { Dim, DimVar } from './dim.ts';
import { linearIn, sizesOf } from './linear.ts';

export type Fact =
  | { readonly kind: 'equal'; readonly left: Dim; readonly right: Dim }
  /** left <= right. */
  | { readonly kind: 'at most'; readonly left: Dim; readonly right: Dim }
  /** left < right. */
  | { readonly kind: 'less'; readonly left: Dim; readonly right: Dim }
  /** left % right == 0; right is positive. */
  | { readonly kind: 'divisible'; readonly left: Dim; readonly right: Dim };

/** Immutable; made by `assume` from `noAssumptions`. Every size is at least its minimum besides. */
export interface Assumptions {
  readonly facts: readonly Fact[];
  /** Sizes by what they are in the sizes that remain free; apply to a dimension before proving with the rest. */
  readonly rewrites: ReadonlyMap<DimVar, Dim>;
  /** Polynomials that are at least 0. */
  readonly nonNegative: readonly Dim[];
  /** Polynomials that are 0 and gave no substitution. */
  readonly zeros: readonly Dim[];
}

export const noAssumptions: Assumptions = {
  facts: [],
  rewrites: new Map(),
  nonNegative: [],
  zeros: [],
};

/** A size and what it is, from `d = 0`. */
function solveZero(d: Dim): { variable: DimVar; is: Dim } | null {
  // The newest size first: it is the likeliest to be defined by the others.
  for (const v of sizesOf(d).toReversed()) {
    const linear = linearIn(d, dimOf(v).terms[0].factors[0].atom);
    if (linear === null) continue;
    const { coefficient, rest } = linear;
    const nonZero =
      surelyNonNegative(subtract(coefficient, one)) ||
      surelyNonNegative(subtract(negate(coefficient), one));
    const is = nonZero ? exactDivide(negate(rest), coefficient) : null;
    if (is !== null) return { variable: v, is };
  }
  return null;
}

/** A size and what it is, from `d` being a multiple of `by`: v + C with v in neither C nor `by`, or c * v. */
function solveMultiple(d: Dim, by: Dim): { variable: DimVar; is: Dim } | null {
  const divisor = isConstant(by);
  if (divisor !== null && divisor < 1) return null;
  for (const v of sizesOf(d)) {
    const linear = linearIn(d, v);
    const coefficient = linear === null ? null : isConstant(linear.coefficient);
    if (linear === null || coefficient === null || sizesOf(by).includes(v)) continue;
    const quotient = (minimum: 0 | 1): Dim => dimOf(variable(`${v.name}'`, minimum));
    if (divisor !== null && linear.rest.terms.length === 0) {
      const step = constant(divisor / gcd(coefficient, divisor));
      return { variable: v, is: multiply(step, quotient(v.minimum)) };
    }
    // The quotient may be named by a size only if d is not negative.
    if (coefficient === 1 && surelyNonNegative(d)) {
      const minimum = surelyNonNegative(subtract(d, one)) ? 1 : 0;
      return { variable: v, is: subtract(multiply(by, quotient(minimum)), linear.rest) };
    }
  }
  return null;
}

/**
 * What an equality says of remainders: from `A f + C = 0` with a quotient f, that A divides C. So `k % 2 == 1`, which is
 * k - 2 floor(k / 2) = 1, makes k - 1 a multiple of 2.
 */
function impliedMultiples(fact: Fact): Fact[] {
  if (fact.kind !== 'equal') return [];
  const difference = subtract(fact.left, fact.right);
  return quotientsOf(difference).flatMap((q): Fact[] => {
    const linear = linearIn(difference, q);
    if (linear === null) return [];
    const { coefficient, rest } = linear;
    const [up, down] = [coefficient, negate(coefficient)];
    const by = [up, down].find((a) => surelyNonNegative(subtract(a, constant(2))));
    if (by === undefined) return [];
    return [{ kind: 'divisible', left: by === up ? negate(rest) : rest, right: by }];
  });
}

/** The assumptions with one fact more. Facts that contradict each other prove everything and refute nothing. */
export function assume(assumptions: Assumptions, fact: Fact): Assumptions {
  const facts = [...assumptions.facts, fact];
  let rewrites: ReadonlyMap<DimVar, Dim> = new Map<DimVar, Dim>();
  let pending = [...facts, ...facts.flatMap(impliedMultiples)].filter(
    (f) => f.kind === 'equal' || f.kind === 'divisible',
  );
  for (let progress = true; progress;) {
    progress = false;
    for (const f of pending) {
      const [left, right] = [substitute(f.left, rewrites), substitute(f.right, rewrites)];
      const known =
        f.kind === 'equal' ? equal(left, right) : equal(remainder(left, right), constant(0));
      const solved = known
        ? null
        : f.kind === 'equal'
          ? solveZero(subtract(left, right))
          : solveMultiple(left, right);
      if (!known && solved === null) continue;
      pending = pending.filter((g) => g !== f);
      progress = true;
      if (solved === null) break;
      const step = new Map([[solved.variable, solved.is]]);
      const before = [...rewrites].map(([v, d]): [DimVar, Dim] => [v, substitute(d, step)]);
      const next = new Map([...before, [solved.variable, solved.is]]);
      if (![...next.values()].every(isDefined)) continue;
      rewrites = next;
      break;
    }
  }
  const zeros = pending.map((f) => {
    const [left, right] = [substitute(f.left, rewrites), substitute(f.right, rewrites)];
    return f.kind === 'equal' ? subtract(left, right) : remainder(left, right);
  });
  const nonNegative = facts.flatMap((f) => {
    if (f.kind !== 'at most' && f.kind !== 'less') return [];
    const gap = substitute(subtract(f.right, f.left), rewrites);
    return [f.kind === 'less' ? subtract(gap, one) : gap];
  });
  for (const [v, d] of rewrites) nonNegative.push(subtract(d, constant(v.minimum)));
  return {
    facts,
    rewrites,
    nonNegative: nonNegative.filter((d) => isDefined(d) && !surelyNonNegative(d)),
    zeros: zeros.filter(isDefined),
  };
}

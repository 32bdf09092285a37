// What a call makes of a signature's own sizes: equations between the sizes that parameters name and those that arguments
// have, solved for the former. Bare names first, then what is linear in one unknown; what is left is to be proved.

import {
  dimOf,
  equal,
  exactDivide,
  floorDivide,
  isConstant,
  multiply,
  negate,
  one,
  substitute,
  subtract,
  surelyNonNegative,
} from './arithmetic.ts';
import type { Assumptions } from './assumptions.ts';
import type { Dim, DimVar } from './dim.ts';
import { linearIn, sizesOf } from './linear.ts';
import { proveAtMost, proveEqual } from './prove.ts';

/** `origin` is the caller's: what to say where the equation fails. */
export interface Equation<Origin> {
  readonly left: Dim;
  readonly right: Dim;
  readonly origin: Origin;
}

export interface Solution<Origin> {
  /** In known sizes only. Nothing says yet that they are at least 1. */
  readonly bindings: ReadonlyMap<DimVar, Dim>;
  /** The equations that are not identities after substitution, in the given order. */
  readonly residual: readonly Equation<Origin>[];
  /** The unknowns that no equation determines. */
  readonly undetermined: readonly DimVar[];
}

type Solver = (
  equation: { readonly left: Dim; readonly right: Dim },
  unknowns: ReadonlySet<DimVar>,
  assumptions: Assumptions,
) => { variable: DimVar; is: Dim } | null;

const bareName = (d: Dim): DimVar | null => {
  const factor = d.terms.length === 1 ? d.terms[0].factors[0] : undefined;
  const bare =
    factor?.power === 1 && d.terms[0].factors.length === 1 && d.terms[0].coefficient === 1;
  return bare && factor?.atom.kind === 'variable' ? factor.atom : null;
};

const unknownsIn = (d: Dim, unknowns: ReadonlySet<DimVar>): DimVar[] =>
  sizesOf(d).filter((v) => unknowns.has(v));

/** `v = d` or `d = v`, with d known. */
const byName: Solver = ({ left, right }, unknowns) => {
  for (const [side, other] of [
    [left, right],
    [right, left],
  ]) {
    const v = bareName(side);
    if (v !== null && unknowns.has(v) && unknownsIn(other, unknowns).length === 0)
      return { variable: v, is: other };
  }
  return null;
};

/** `A v + C = 0` with A and C known, A not zero, and the division exact. */
const byLinear: Solver = ({ left, right }, unknowns, assumptions) => {
  const difference = subtract(left, right);
  const [v, ...others] = unknownsIn(difference, unknowns);
  const linear = v === undefined || others.length > 0 ? null : linearIn(difference, v);
  if (linear === null) return null;
  const positive = (d: Dim): boolean =>
    surelyNonNegative(subtract(d, one)) || proveAtMost(one, d, assumptions).kind === 'proved';
  const sign = positive(linear.coefficient) ? 1 : -1;
  const by = sign > 0 ? linear.coefficient : negate(linear.coefficient);
  const of = sign > 0 ? negate(linear.rest) : linear.rest;
  if (sign < 0 && !positive(by)) return null;
  const exact = exactDivide(of, by);
  if (exact !== null) return { variable: v, is: exact };
  // Numbers that do not divide have no solution at all.
  if (isConstant(of) !== null && isConstant(by) !== null) return null;
  const quotient = floorDivide(of, by);
  const whole = proveEqual(multiply(by, quotient), of, assumptions).kind === 'proved';
  return whole ? { variable: v, is: quotient } : null;
};

/** `v = w`, both unknown: the newer one is the older one, whatever that turns out to be. */
const byOther: Solver = ({ left, right }, unknowns) => {
  const [v, w] = [bareName(left), bareName(right)];
  if (v === null || w === null || v === w || !unknowns.has(v) || !unknowns.has(w)) return null;
  const [older, newer] = v.id < w.id ? [left, w] : [right, v];
  return { variable: newer, is: older };
};

const solvers: readonly Solver[] = [byName, byLinear, byOther];

/**
 * Solves for `unknowns` whatever the order of the equations. The left sides mention unknowns, as a rule, and the right sides
 * are known, but nothing depends on it.
 */
export function solve<Origin>(
  equations: readonly Equation<Origin>[],
  unknowns: ReadonlySet<DimVar>,
  assumptions: Assumptions,
): Solution<Origin> {
  const bindings = new Map<DimVar, Dim>();
  const left = new Set(unknowns);
  let pending = equations;
  for (;;) {
    const found = firstSolved(pending, left, assumptions);
    if (found === null) break;
    const step = new Map([[found.variable, found.is]]);
    for (const [v, d] of bindings) bindings.set(v, substitute(d, step));
    bindings.set(found.variable, found.is);
    left.delete(found.variable);
    pending = pending
      .map((e) => ({ ...e, left: substitute(e.left, step), right: substitute(e.right, step) }))
      .filter((e) => !equal(e.left, e.right));
  }
  const determined = (d: Dim): boolean => unknownsIn(d, left).length === 0;
  const undetermined = [...unknowns].filter((v) => !determined(bindings.get(v) ?? dimOf(v)));
  return {
    bindings: new Map([...bindings].filter(([, d]) => determined(d))),
    residual: pending.filter((e) => !equal(e.left, e.right)),
    undetermined,
  };
}

function firstSolved<Origin>(
  pending: readonly Equation<Origin>[],
  unknowns: ReadonlySet<DimVar>,
  assumptions: Assumptions,
): { variable: DimVar; is: Dim } | null {
  for (const solver of solvers)
    for (const equation of pending) {
      const found = solver(equation, unknowns, assumptions);
      if (found !== null) return found;
    }
  return null;
}

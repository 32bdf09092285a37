// Counterexamples: a few hundred small valuations, the ones a person would try first, that satisfy the assumptions.

import { evaluate, variablesOf } from './arithmetic.ts';
import type { Assumptions, Fact } from './assumptions.ts';
import type { Dim, DimVar, PackVar } from './dim.ts';

/** The least value that a size or the product of a pack may have. */
const least = (v: DimVar | PackVar): number => (v.kind === 'variable' ? v.minimum : 1);

export type Valuation = ReadonlyMap<DimVar | PackVar, number>;

/** The attempts that settle most questions, to be made before a proof is tried; and all of them. */
export const FIRST_ATTEMPTS: Attempts = { from: 0, to: 12 };
export const OTHER_ATTEMPTS: Attempts = { from: 12, to: 400 };

interface Attempts {
  readonly from: number;
  readonly to: number;
}

/** Odd and even, prime and composite, none of them 1: what shows a mistake best comes first. */
const FIRST = [7, 5, 3, 4, 6, 8, 9, 2, 10, 12, 11, 16, 13, 15, 14, 1];
const LARGE = [1, 28, 32, 64, 100, 128, 224, 17, 33, 784];

/** Small pseudo-random numbers, the same in every run. */
function* numbers(): Generator<number, never> {
  for (let state = 12345; ;) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    yield state >> 8;
  }
}

/** The value of the j-th size in the k-th attempt. */
function sample(k: number, j: number, random: () => number): number {
  if (k < FIRST.length) return FIRST[(k + j) % FIRST.length];
  if (k < 80) return 1 + ((k - 16 + 7 * j) % 64);
  if (k < 200) return 2 + (random() % 11);
  if (k < 320) return 1 + (random() % 4);
  return random() % 2 === 0 ? LARGE[random() % LARGE.length] : 1 + (random() % 24);
}

const holds = (fact: Fact, value: (d: Dim) => number): boolean => {
  const [left, right] = [value(fact.left), value(fact.right)];
  if (fact.kind === 'equal') return left === right;
  if (fact.kind === 'at most') return left <= right;
  if (fact.kind === 'less') return left < right;
  return right >= 1 && left % right === 0;
};

/** Whether a valuation gives every fact a value and makes it true. */
export const satisfies = (facts: readonly Fact[], valuation: Valuation): boolean =>
  facts.every((f) => holds(f, (d) => evaluate(d, (v) => valuation.get(v) ?? Number.NaN)));

/** Raises sizes until the inequalities hold, where one that stands alone in a term can do it. */
function repair(free: Map<DimVar | PackVar, number>, nonNegative: readonly Dim[]): void {
  const value = (v: DimVar | PackVar): number => free.get(v) ?? Number.NaN;
  for (let round = 0; round < 4; round++) {
    let stable = true;
    for (const d of nonNegative) {
      const short = -evaluate(d, value);
      if (!(short > 0)) continue;
      stable = false;
      for (const t of d.terms) {
        const factor = t.factors.length === 1 ? t.factors[0] : null;
        if (factor?.atom.kind !== 'variable' || factor.power !== 1 || t.coefficient < 0) continue;
        free.set(factor.atom, value(factor.atom) + Math.ceil(short / t.coefficient));
        break;
      }
    }
    if (stable) return;
  }
}

export interface Counterexample {
  readonly kind: 'refuted';
  /** The sizes that both sides are made of. */
  readonly valuation: Valuation;
  /** The other sizes that the assumptions speak of, with values for which these hold; absent for none. */
  readonly others?: Valuation;
  readonly left: number;
  readonly right: number;
}

/** A valuation under which the facts hold, both sides have a value and `wrong(left, right)`; null where none was found. */
export function findCounterexample(
  left: Dim,
  right: Dim,
  assumptions: Assumptions,
  wrong: (left: number, right: number) => boolean,
  attempts: Attempts,
): Counterexample | null {
  const { facts, rewrites, nonNegative } = assumptions;
  const own = new Set([...variablesOf(left), ...variablesOf(right)]);
  const others = facts.flatMap((f) => [...variablesOf(f.left), ...variablesOf(f.right)]);
  const original = new Set([...own, ...others]);
  const free = new Set(
    [...original].flatMap((v) => {
      const rewrite = v.kind === 'variable' ? rewrites.get(v) : undefined;
      return rewrite === undefined ? [v] : [...variablesOf(rewrite)];
    }),
  );
  const stream = numbers();
  const random = (): number => stream.next().value;
  const end = free.size === 0 ? Math.min(1, attempts.to) : attempts.to;
  for (let k = attempts.from; k < end; k++) {
    const chosen = new Map(
      // After the first, ordinary choices, what may be 0 is.
      [...free].map((v, j) => [v, sample(k, j, random) - (k < FIRST.length ? 0 : 1 - least(v))]),
    );
    repair(chosen, nonNegative);
    const valuation = new Map(
      [...original].map((v) => {
        const rewrite = v.kind === 'variable' ? rewrites.get(v) : undefined;
        const value = (w: DimVar | PackVar): number => chosen.get(w) ?? Number.NaN;
        return [v, rewrite === undefined ? value(v) : evaluate(rewrite, value)];
      }),
    );
    if (![...valuation].every(([v, n]) => n >= least(v)) || !satisfies(facts, valuation)) continue;
    const value = (d: Dim): number => evaluate(d, (v) => valuation.get(v) ?? Number.NaN);
    const [l, r] = [value(left), value(right)];
    if (Number.isNaN(l) || Number.isNaN(r) || !wrong(l, r)) continue;
    const part = (ofSides: boolean): Valuation =>
      new Map([...valuation].filter(([v]) => own.has(v) === ofSides));
    return { kind: 'refuted', valuation: part(true), others: part(false), left: l, right: r };
  }
  return null;
}

// Arithmetic of dimensions, always in normal form: building, dividing, substituting and evaluating the polynomials of dim.ts.
// Nothing here knows assumptions; compiler/dims/prove.ts does.
//
// A dimension that cannot be represented (a number beyond 2^53, more terms than any program needs, a division by something
// not positive) is `undefinedDim`, which absorbs every operation and equals nothing, itself included: callers test `isDefined`.

import type { Atom, Dim, DimVar, PackVar, Quotient, Term } from './dim.ts';

type Factors = Term['factors'];

const MAX_TERMS = 200;
const MAX_KEY = 6000;
const MAX_POWER = 64;

let lastId = 0;

/** A fresh size of that name. */
export const variable = (name: string, minimum: 0 | 1 = 1): DimVar => ({
  kind: 'variable',
  id: ++lastId,
  name,
  minimum,
});

/** A fresh pack of that name, written without its two dots. */
export const pack = (name: string): PackVar => ({ kind: 'pack', id: ++lastId, name });

/** What a computation gives that has no usable value; see the head of this file. */
export const undefinedDim: Dim = {
  kind: 'dim',
  terms: [{ coefficient: Number.NaN, factors: [], key: '' }],
  key: 'undefined',
};

export const isDefined = (d: Dim): boolean => d !== undefinedDim;

const byOrder = (a: { key: string }, b: { key: string }): number =>
  a.key < b.key ? -1 : a.key > b.key ? 1 : 0;

/** Equal atoms have equal keys. */
export function atomKey(atom: Atom): string {
  if (atom.kind === 'variable') return `${atom.name}#${atom.id}`;
  if (atom.kind === 'numel') return `numel(${atom.pack.name}#${atom.pack.id})`;
  return atom.key;
}

const termOf = (coefficient: number, factors: Factors): Term => ({
  coefficient,
  factors,
  key: factors
    .map((f) => (f.power === 1 ? atomKey(f.atom) : `${atomKey(f.atom)}^${f.power}`))
    .join('*'),
});

/** The polynomial that is the sum of `terms`, in any order and with repetitions. */
export function sumOfTerms(terms: readonly Term[]): Dim {
  if (terms.length === 1 && terms[0].coefficient !== 0) return ofSorted(terms);
  const byKey = new Map<string, Term>();
  for (const term of terms) {
    const known = byKey.get(term.key);
    const coefficient = (known?.coefficient ?? 0) + term.coefficient;
    if (!Number.isSafeInteger(coefficient)) return undefinedDim;
    if (coefficient === 0) byKey.delete(term.key);
    else byKey.set(term.key, coefficient === term.coefficient ? term : { ...term, coefficient });
  }
  if (byKey.size > MAX_TERMS) return undefinedDim;
  return ofSorted([...byKey.values()].sort(byOrder));
}

function ofSorted(sorted: readonly Term[]): Dim {
  if (!sorted.every((t) => Number.isSafeInteger(t.coefficient))) return undefinedDim;
  const key =
    sorted
      .map((t) => (t.key === '' ? `${t.coefficient}` : `${t.coefficient}*${t.key}`))
      .join('+') || '0';
  return key.length > MAX_KEY ? undefinedDim : { kind: 'dim', terms: sorted, key };
}

/** An integer as a dimension; anything else is undefined. */
export const constant = (n: number): Dim => sumOfTerms([termOf(n, [])]);

export const zero: Dim = constant(0);
export const one: Dim = constant(1);

export const dimOf = (atom: Atom): Dim => sumOfTerms([termOf(1, [{ atom, power: 1 }])]);

/** The product of a pack's sizes. */
export const numelOf = (of: PackVar): Dim => dimOf({ kind: 'numel', pack: of });

/** The number, where the dimension is one. */
export function isConstant(d: Dim): number | null {
  if (d.terms.length === 0) return 0;
  const [term] = d.terms;
  return d.terms.length === 1 && term.factors.length === 0 && isDefined(d)
    ? term.coefficient
    : null;
}

/** Whether both have the same normal form; `proveEqual` decides more. */
export const equal = (a: Dim, b: Dim): boolean => isDefined(a) && a.key === b.key;

export const add = (a: Dim, b: Dim): Dim =>
  a.terms.length === 0 ? b : b.terms.length === 0 ? a : sumOfTerms([...a.terms, ...b.terms]);

const scaledTerms = (d: Dim, by: number): Term[] =>
  d.terms.map((t) => ({ ...t, coefficient: t.coefficient * by }));

export function scale(d: Dim, by: number): Dim {
  if (by === 1 || !isDefined(d)) return d;
  return by === 0 ? zero : ofSorted(scaledTerms(d, by));
}

export const negate = (d: Dim): Dim => scale(d, -1);

export const subtract = (a: Dim, b: Dim): Dim =>
  b.terms.length === 0 ? a : sumOfTerms([...a.terms, ...scaledTerms(b, -1)]);

function multiplyTerms(a: Term, b: Term): Term {
  const coefficient = a.coefficient * b.coefficient;
  if (a.factors.length === 0) return { ...b, coefficient };
  if (b.factors.length === 0) return { ...a, coefficient };
  const byKey = new Map(a.factors.map((f) => [atomKey(f.atom), f]));
  for (const f of b.factors) {
    const key = atomKey(f.atom);
    const power = (byKey.get(key)?.power ?? 0) + f.power;
    if (power > MAX_POWER) return termOf(Number.NaN, []);
    byKey.set(key, { atom: f.atom, power });
  }
  const sorted = [...byKey].sort(([x], [y]) => (x < y ? -1 : x > y ? 1 : 0));
  return termOf(
    coefficient,
    sorted.map(([, f]) => f),
  );
}

export function multiply(a: Dim, b: Dim): Dim {
  if (!isDefined(a) || !isDefined(b) || a.terms.length * b.terms.length > MAX_TERMS * 8)
    return undefinedDim;
  const [left, right] = [isConstant(a), isConstant(b)];
  if (left !== null) return scale(b, left);
  if (right !== null) return scale(a, right);
  return sumOfTerms(a.terms.flatMap((t) => b.terms.map((u) => multiplyTerms(t, u))));
}

/** `d^n` for a natural n; undefined for any other. */
export function power(d: Dim, n: number): Dim {
  const known = isConstant(d);
  if (!Number.isInteger(n) || n < 0) return undefinedDim;
  if (known !== null) return constant(known ** n);
  if (n > MAX_POWER) return undefinedDim;
  let result = one;
  for (let i = 0; i < n; i++) result = multiply(result, d);
  return result;
}

const degree = (t: Term): number => t.factors.reduce((sum, f) => sum + f.power, 0);

/** Graded lexicographic order, largest first: an order that division can end by. */
export function compareMonomials(a: Term, b: Term): number {
  const byDegree = degree(b) - degree(a);
  if (byDegree !== 0) return byDegree;
  for (let i = 0; i < a.factors.length && i < b.factors.length; i++) {
    const [x, y] = [a.factors[i], b.factors[i]];
    const [p, q] = [atomKey(x.atom), atomKey(y.atom)];
    if (p !== q) return p < q ? -1 : 1;
    if (x.power !== y.power) return y.power - x.power;
  }
  return 0;
}

/** The monomial `a / b` with coefficient 1, or null where b's does not divide a's. */
export function divideMonomials(a: Term, b: Term): Term | null {
  const rest = new Map(b.factors.map((f) => [atomKey(f.atom), f.power]));
  const factors: { atom: Atom; power: number }[] = [];
  for (const f of a.factors) {
    const key = atomKey(f.atom);
    const left = f.power - (rest.get(key) ?? 0);
    rest.delete(key);
    if (left < 0) return null;
    if (left > 0) factors.push({ atom: f.atom, power: left });
  }
  return rest.size === 0 ? termOf(1, factors) : null;
}

const modulo = (n: number, q: number): number => ((n % q) + q) % q;

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

/** `d` with the atoms for which `replaced` has a dimension replaced, outermost first, and everything normalised again. */
export function mapAtoms(d: Dim, replaced: (atom: Atom) => Dim | null): Dim {
  const replacement = (atom: Atom): Dim | null => {
    const found = replaced(atom);
    if (found !== null || atom.kind !== 'quotient') return found;
    const [top, bottom] = [visit(atom.numerator), visit(atom.denominator)];
    return top === atom.numerator && bottom === atom.denominator ? null : floorDivide(top, bottom);
  };
  const visit = (of: Dim): Dim => {
    const kept: Term[] = [];
    const changed: Dim[] = [];
    for (const t of of.terms) {
      const news = t.factors.map((f) => replacement(f.atom));
      if (news.every((n) => n === null)) {
        kept.push(t);
        continue;
      }
      const unchanged = t.factors.filter((_, i) => news[i] === null);
      let product = sumOfTerms([termOf(t.coefficient, unchanged)]);
      t.factors.forEach((f, i) => {
        const by = news[i];
        if (by !== null) product = multiply(product, power(by, f.power));
      });
      changed.push(product);
    }
    return changed.length === 0 ? of : changed.reduce(add, sumOfTerms(kept));
  };
  return visit(d);
}

/** `d` with sizes replaced, all at once, and `numel(..P)` by what `packs` has for P. The new sizes must be at least 1. */
export function substitute(
  d: Dim,
  bindings: ReadonlyMap<DimVar, Dim>,
  packs: ReadonlyMap<PackVar, Dim> = new Map(),
): Dim {
  if (bindings.size === 0 && packs.size === 0) return d;
  return mapAtoms(d, (atom) => {
    if (atom.kind === 'variable') return bindings.get(atom) ?? null;
    return atom.kind === 'numel' ? (packs.get(atom.pack) ?? null) : null;
  });
}

/** The value under a valuation; NaN where a number leaves the safe integers or a denominator is not positive. */
export function evaluate(d: Dim, valuation: (v: DimVar | PackVar) => number): number {
  const atomValue = (atom: Atom): number => {
    if (atom.kind === 'variable') return valuation(atom);
    if (atom.kind === 'numel') return valuation(atom.pack);
    const [top, bottom] = [
      evaluate(atom.numerator, valuation),
      evaluate(atom.denominator, valuation),
    ];
    return bottom >= 1 ? (top - modulo(top, bottom)) / bottom : Number.NaN;
  };
  let sum = 0;
  for (const t of d.terms) {
    let product = t.coefficient;
    for (const f of t.factors) product *= atomValue(f.atom) ** f.power;
    sum += product;
    if (!Number.isSafeInteger(product) || !Number.isSafeInteger(sum)) return Number.NaN;
  }
  return sum;
}

/** The quotients of `d`, innermost first, those inside others included. */
export function quotientsOf(d: Dim): Quotient[] {
  const found = new Map<string, Quotient>();
  const visit = (of: Dim): void => {
    for (const t of of.terms)
      for (const { atom } of t.factors) {
        if (atom.kind !== 'quotient' || found.has(atom.key)) continue;
        visit(atom.numerator);
        visit(atom.denominator);
        found.set(atom.key, atom);
      }
  };
  visit(d);
  return [...found.values()];
}

/** The sizes and packs that `d` depends on, in order of creation. */
export function variablesOf(d: Dim): ReadonlySet<DimVar | PackVar> {
  const found = new Set<DimVar | PackVar>();
  for (const of of [d, ...quotientsOf(d).flatMap((q) => [q.numerator, q.denominator])])
    for (const t of of.terms)
      for (const { atom } of t.factors) {
        if (atom.kind === 'variable') found.add(atom);
        else if (atom.kind === 'numel') found.add(atom.pack);
      }
  return new Set([...found].sort((a, b) => a.id - b.id));
}

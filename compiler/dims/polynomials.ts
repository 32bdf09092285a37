// Dimensions as polynomials in normal form: building, adding and multiplying them, the order of their monomials, their values, and what
// they are made of. arithmetic.ts says what the rest of the compiler sees of it.

import type { Atom, Dim, DimVar, PackVar, Quotient, Term } from './dim.ts';

type Factors = Term['factors'];

export const MAX_TERMS = 200;
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

/** What a computation gives that has no usable value; see arithmetic.ts. */
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

export const termOf = (coefficient: number, factors: Factors): Term => ({
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

export const scaledTerms = (d: Dim, by: number): Term[] =>
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

export const degree = (t: Term): number => t.factors.reduce((sum, f) => sum + f.power, 0);

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

/** `n` modulo q, never negative. */
export const modulo = (n: number, q: number): number => ((n % q) + q) % q;

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

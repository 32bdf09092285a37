// Indices inside a kernel: polynomials over index variables and sizes, in the normal form of compiler/dims. That form does most of the
// work of fusing views: an index taken apart by a reshape and put together again cancels to itself. What it lacks is that an
// index lies below its bound, which makes floor(i / n) vanish; that is added here.
//
// Kernels compute indices as u32. A difference may wrap around below zero on the way, as in WGSL: a guard `i - low < size` is then
// false, and a quotient is only taken where its numerator is natural.

import * as dims from '../../dims/arithmetic.ts';
import type { Atom, Dim, DimVar, Quotient, Term } from '../../dims/dim.ts';

export type Index = Dim;

/** A variable of a kernel: 0 <= it < bound. Its name is what the kernel calls it, or `unit` times it. */
export interface IndexVariable extends DimVar {
  readonly bound: Dim;
  readonly unit: number;
}

export const indexVariable = (name: string, bound: Dim, unit = 1): IndexVariable => ({
  ...dims.variable(name, 0),
  bound,
  unit,
});

export const isIndexVariable = (atom: Atom): atom is IndexVariable => 'bound' in atom;

/** Whether anything in `d` varies inside a kernel. */
export const varies = (d: Dim): boolean =>
  d.terms.some((t) =>
    t.factors.some(
      ({ atom }) =>
        isIndexVariable(atom) ||
        (atom.kind === 'quotient' && (varies(atom.numerator) || varies(atom.denominator))),
    ),
  );

/** The keys of the index variables in an index. */
export function variableKeys(index: readonly Index[]): Set<string> {
  const keys = new Set<string>();
  for (const i of index)
    for (const variable of dims.variablesOf(i))
      if (variable.kind === 'variable' && isIndexVariable(variable))
        keys.add(dims.dimOf(variable).key);
  return keys;
}

/** The largest value; the least is 0 unless `surelyNonNegative` cannot say so. Not tight: each variable counts alone. */
function largest(d: Dim): Dim {
  const { rest, remainders } = splitRemainders(d);
  let sum = dims.zero;
  for (const term of rest.terms) {
    const alone = dims.sumOfTerms([term]);
    if (!varies(alone)) sum = dims.add(sum, alone);
    else if (term.coefficient > 0) sum = dims.add(sum, largestOfTerm(term));
  }
  for (const { factor, denominator } of remainders)
    sum = dims.add(sum, dims.multiply(factor, dims.subtract(denominator, dims.one)));
  return sum;
}

function largestOfTerm({ coefficient, factors }: Term): Dim {
  let product = dims.constant(coefficient);
  for (const { atom, power } of factors)
    product = dims.multiply(product, dims.power(largestOfAtom(atom), power));
  return product;
}

function largestOfAtom(atom: Atom): Dim {
  if (isIndexVariable(atom)) return dims.subtract(atom.bound, dims.one);
  if (atom.kind === 'quotient' && varies(atom.numerator))
    return dims.floorDivide(largest(atom.numerator), atom.denominator);
  return dims.dimOf(atom);
}

/** Whether 0 <= i < bound for certain. */
export const surelyBelow = (i: Index, bound: Dim): boolean =>
  isNatural(i) && dims.surelyNonNegative(dims.subtract(dims.subtract(bound, dims.one), largest(i)));

/** Whether i >= 0 for certain. */
function isNatural(i: Index): boolean {
  return dims.surelyNonNegative(splitRemainders(i).rest);
}

/** `floor(i / by)`. */
export function divide(i: Index, by: Dim): Index {
  const quotient = dims.floorDivide(i, by);
  const vanishes = ({ factors }: Term): boolean =>
    factors.some(
      ({ atom }) => atom.kind === 'quotient' && surelyBelow(atom.numerator, atom.denominator),
    );
  const left = quotient.terms.filter((term) => !vanishes(term));
  return left.length === quotient.terms.length ? quotient : dims.sumOfTerms(left);
}

/** `i - by * floor(i / by)`. */
export const modulo = (i: Index, by: Dim): Index =>
  dims.subtract(i, dims.multiply(by, divide(i, by)));

export const sizeOf = (shape: readonly Dim[]): Dim => shape.reduce(dims.multiply, dims.one);

/** The position of the element at `index` in row-major order. */
export const flatten = (index: readonly Index[], shape: readonly Dim[]): Index =>
  index.reduce((sum, i, axis) => dims.add(dims.multiply(sum, shape[axis]), i), dims.zero);

/** The index of the element at row-major position `i`, which lies inside `shape`. */
export function unflatten(i: Index, shape: readonly Dim[]): Index[] {
  let inner = dims.one;
  return shape
    .toReversed()
    .map((size, fromLast) => {
      const above = divide(i, inner);
      inner = dims.multiply(inner, size);
      return fromLast === shape.length - 1 ? above : modulo(above, size);
    })
    .reverse();
}

/** `factor * (numerator mod denominator)`. */
export interface Remainder {
  readonly factor: Dim;
  readonly numerator: Dim;
  readonly denominator: Dim;
}

/** `d` as a sum of remainders and a rest without them: `i - 10 floor(i / 10)` is i mod 10. */
export function splitRemainders(d: Dim): { rest: Dim; remainders: readonly Remainder[] } {
  const remainders: Remainder[] = [];
  let rest = d;
  for (;;) {
    const found = findRemainder(rest);
    if (found === null) return { rest, remainders };
    remainders.push(found.remainder);
    ({ rest } = found);
  }
}

function findRemainder(d: Dim): { remainder: Remainder; rest: Dim } | null {
  for (const term of d.terms) {
    if (term.coefficient >= 0) continue;
    for (const { atom, power } of term.factors) {
      if (atom.kind !== 'quotient' || power !== 1 || !varies(atom.numerator)) continue;
      const scale = dims.negate(withoutAtom(term, atom));
      const found = remainderOf(d, dims.sumOfTerms([term]), atom, scale);
      if (found !== null) return found;
    }
  }
  return null;
}

/** `d` has the term `-scale * quotient`: what it is a remainder of, if the rest of `d` holds that. */
function remainderOf(
  d: Dim,
  term: Dim,
  quotient: Quotient,
  scale: Dim,
): { remainder: Remainder; rest: Dim } | null {
  const without = dims.subtract(d, term);
  const whole = dims.exactDivide(scale, quotient.denominator);
  const candidates: Remainder[] = [];
  if (whole !== null)
    candidates.push({
      factor: whole,
      numerator: quotient.numerator,
      denominator: quotient.denominator,
    });
  for (const other of without.terms)
    for (const { atom, power } of other.factors) {
      if (atom.kind !== 'quotient' || power !== 1 || other.coefficient < 0) continue;
      const factor = withoutAtom(other, atom);
      const denominator = dims.exactDivide(scale, factor);
      if (denominator === null || dims.equal(denominator, dims.one)) continue;
      if (dims.equal(divide(dims.dimOf(atom), denominator), dims.dimOf(quotient)))
        candidates.push({ factor, numerator: dims.dimOf(atom), denominator });
    }
  for (const remainder of candidates) {
    const rest = dims.subtract(without, dims.multiply(remainder.factor, remainder.numerator));
    if (rest.terms.length < without.terms.length) return { remainder, rest };
  }
  return null;
}

/** The term divided by one of its atoms. */
const withoutAtom = ({ coefficient, factors }: Term, atom: Atom): Dim =>
  factors
    .filter((f) => f.atom !== atom)
    .reduce(
      (product, f) => dims.multiply(product, dims.power(dims.dimOf(f.atom), f.power)),
      dims.constant(coefficient),
    );

/** How a kernel calls a free size. */
export type NameOfSize = (size: Atom) => string;

/** `i` as a WGSL expression of type u32. */
export function indexText(i: Index, nameOf: NameOfSize): string {
  const known = dims.isConstant(i);
  // Below 0, as u32 holds it.
  if (known !== null) return `${known < 0 ? known + 2 ** 32 : known}u`;
  const { rest, remainders } = splitRemainders(i);
  // What is added first, outer axes, whose strides are longer, before inner ones.
  const byStride = rest.terms.toSorted((a, b) => strideOf(b) - strideOf(a));
  const parts = [
    ...byStride.map((term) => signed(termText(term, nameOf), term.coefficient < 0)),
    ...remainders.map((r) => signed(remainderText(r, nameOf), false)),
  ].sort((a, b) => Number(a.negative) - Number(b.negative));
  return parts
    .map(({ text, negative }, n) =>
      n === 0 ? (negative ? `0u - ${text}` : text) : negative ? ` - ${text}` : ` + ${text}`,
    )
    .join('');
}

/** A stride by a free size counts as long; the constant comes last. */
const strideOf = ({ coefficient, factors }: Term): number =>
  factors.length === 0 ? 0 : coefficient * 1000 ** (factors.length - 1);

const signed = (text: string, negative: boolean) => ({ text, negative });

function termText({ coefficient, factors }: Term, nameOf: NameOfSize): string {
  let size = Math.abs(coefficient);
  const nameOfFactor = (atom: Atom): string => {
    if (!isIndexVariable(atom) || size % atom.unit !== 0) return atomText(atom, nameOf);
    size /= atom.unit;
    return nameOf(atom);
  };
  const names = factors.flatMap(({ atom, power }) =>
    Array.from({ length: power }, () => nameOfFactor(atom)),
  );
  const all = size === 1 && names.length > 0 ? names : [...names, `${size}u`];
  const [only] = all;
  return all.length === 1 ? only : all.map((text) => bracketed(text)).join(' * ');
}

function atomText(atom: Atom, nameOf: NameOfSize): string {
  if (isIndexVariable(atom) && atom.unit !== 1) return `${nameOf(atom)} / ${atom.unit}u`;
  if (atom.kind !== 'quotient') return nameOf(atom);
  const [top, bottom] = [atom.numerator, atom.denominator].map((d) =>
    bracketed(indexText(d, nameOf)),
  );
  return `${top} / ${bottom}`;
}

function remainderText({ factor, numerator, denominator }: Remainder, nameOf: NameOfSize): string {
  const [top, bottom] = [numerator, denominator].map((d) => bracketed(indexText(d, nameOf)));
  const text = `${top} % ${bottom}`;
  if (dims.equal(factor, dims.one)) return text;
  return `(${text}) * ${bracketed(indexText(factor, nameOf))}`;
}

const bracketed = (text: string): string => (/^[\w.]+$/.test(text) ? text : `(${text})`);

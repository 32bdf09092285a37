// Dimensions as text: `showDim` for people, `sourceDim` in DLG's syntax for suggested fixes and printed graphs, `javascriptDim` as an
// expression that computes them.

import { add, isDefined, multiply, sumOfTerms } from './arithmetic.ts';
import type { Atom, Dim, DimVar, PackVar, Term } from './dim.ts';

interface Style {
  readonly variable: (v: DimVar) => string;
  readonly power: (base: string, exponent: number) => string;
  /** The text of `top / bottom`, rounded down, and whether it must be bracketed inside a product. */
  readonly quotient: (top: Dim, bottom: Dim) => string;
  readonly bracketed: boolean;
}

const plain: Pick<Style, 'variable' | 'power'> = {
  variable: ({ name }) => name,
  power: (base, exponent) => `${base}^${exponent}`,
};

const forPeople: Style = {
  ...plain,
  quotient: (top, bottom) => `floor(${operand(top, forPeople)} / ${operand(bottom, forPeople)})`,
  bracketed: false,
};

const forSource: Style = {
  ...plain,
  quotient: (top, bottom) => `${operand(top, forSource)} // ${operand(bottom, forSource)}`,
  bracketed: true,
};

const forJavaScript = (variable: Style['variable']): Style => {
  const style: Style = {
    variable,
    power: (base, exponent) => Array(exponent).fill(base).join(' * '),
    quotient: (top, bottom) => `Math.floor(${operand(top, style)} / ${operand(bottom, style)})`,
    bracketed: false,
  };
  return style;
};

const creation = (atom: Atom): number =>
  atom.kind === 'variable'
    ? atom.id
    : atom.kind === 'numel'
      ? atom.pack.id
      : Number.MAX_SAFE_INTEGER;

const degree = (t: Term): number => t.factors.reduce((sum, f) => sum + f.power, 0);

const firstAtom = (t: Term): number => Math.min(...t.factors.map((f) => creation(f.atom)));

/** What is added before what is taken away, high degrees first, in the order the names were introduced; the number last. */
function inReadingOrder(terms: readonly Term[]): Term[] {
  const sorted = terms.toSorted((a, b) => {
    const plain = Number(a.factors.length === 0) - Number(b.factors.length === 0);
    const sign = Number(a.coefficient < 0) - Number(b.coefficient < 0);
    return plain || sign || degree(b) - degree(a) || firstAtom(a) - firstAtom(b);
  });
  const last = sorted.at(-1);
  if (last !== undefined && sorted[0].coefficient < 0 && last.coefficient > 0)
    return [last, ...sorted.slice(0, -1)];
  return sorted;
}

/** `floor((H + 1) / 2) - 1` reads better as `floor((H - 1) / 2)`: puts negative terms back into a lone quotient. */
function foldBack(d: Dim): readonly Term[] {
  const at = d.terms.findIndex(
    (t) => t.coefficient === 1 && t.factors.length === 1 && t.factors[0].atom.kind === 'quotient',
  );
  const quotient = d.terms[at]?.factors[0];
  if (quotient?.atom.kind !== 'quotient' || quotient.power !== 1) return d.terms;
  const { numerator, denominator } = quotient.atom;
  const inside = new Set(numerator.terms.map((t) => t.key));
  const folded = d.terms.filter((t, i) => i !== at && t.coefficient < 0 && inside.has(t.key));
  if (folded.length === 0) return d.terms;
  const top = add(numerator, multiply(denominator, sumOfTerms(folded)));
  if (!isDefined(top)) return d.terms;
  const atom = { ...quotient.atom, numerator: top };
  return d.terms
    .filter((t) => !folded.includes(t))
    .map((t) => (t === d.terms[at] ? { ...t, factors: [{ atom, power: 1 }] } : t));
}

function showAtom(atom: Atom, style: Style): string {
  if (atom.kind === 'variable') return style.variable(atom);
  if (atom.kind === 'numel') return `numel(..${atom.pack.name})`;
  return style.quotient(atom.numerator, atom.denominator);
}

/** A term without its sign. */
function showTerm(t: Term, style: Style, leads: boolean): string {
  const size = Math.abs(t.coefficient);
  const factors = t.factors.toSorted((a, b) => creation(a.atom) - creation(b.atom));
  // A leading minus belongs to the first factor: -(a // 2) is not -a // 2.
  const negated = leads && t.coefficient < 0;
  const alone = size === 1 && !negated && factors.length === 1 && factors[0].power === 1;
  const shown = factors.map(({ atom, power }) => {
    const text = showAtom(atom, style);
    const brackets = style.bracketed && atom.kind === 'quotient' && !alone;
    const base = brackets ? `(${text})` : text;
    return power === 1 ? base : style.power(base, power);
  });
  if (size !== 1 || shown.length === 0) shown.unshift(String(size));
  return shown.join(' * ');
}

function show(d: Dim, style: Style): string {
  if (!isDefined(d)) return 'a size too large to name';
  const terms = inReadingOrder(foldBack(d));
  if (terms.length === 0) return '0';
  return terms
    .map((t, i) => {
      const text = showTerm(t, style, i === 0);
      if (i === 0) return t.coefficient < 0 ? `-${text}` : text;
      return t.coefficient < 0 ? ` - ${text}` : ` + ${text}`;
    })
    .join('');
}

/** One operand of a division: bracketed unless it is a single name or number. */
function operand(d: Dim, style: Style): string {
  const text = show(d, style);
  const simple = /^[\p{L}\p{N}_']+$|^\w+\([^()]*\)$/u.test(text);
  return simple ? text : `(${text})`;
}

/** For messages: `2 * floor((H + 1) / 2)`, `H - k + 1`, `n * m`. */
export const showDim = (d: Dim): string => show(d, forPeople);

/** In DLG's syntax: `2 * ((H + 1) // 2)`. */
export const sourceDim = (d: Dim): string => show(d, forSource);

/** In JavaScript: `2 * Math.floor((H + 1) / 2)`, its variables named by the caller. */
export const javascriptDim = (d: Dim, nameOf: (v: DimVar) => string): string =>
  show(d, forJavaScript(nameOf));

/** `H = 7, W = 5`: the part of a valuation that these dimensions depend on is the caller's to select. */
export const showValuation = (valuation: ReadonlyMap<DimVar | PackVar, number>): string =>
  [...valuation]
    .map(([v, n]) => (v.kind === 'pack' ? `numel(..${v.name}) = ${n}` : `${v.name} = ${n}`))
    .join(', ');

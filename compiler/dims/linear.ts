// Polynomials as seen by one unknown: what solves `A * v + C = 0` for v, in assumptions and at calls.

import { dimOf, divideMonomials, quotientsOf, sumOfTerms, variablesOf } from './arithmetic.ts';
import type { Atom, Dim, DimVar } from './dim.ts';

/** `d = coefficient * atom + rest` with the atom in neither (in no quotient either), or null. */
export function linearIn(d: Dim, atom: Atom): { coefficient: Dim; rest: Dim } | null {
  const unit = dimOf(atom).terms[0];
  const inside = d.terms.map((t) => divideMonomials(t, unit));
  const coefficient = sumOfTerms(
    inside.flatMap((m, i) => (m === null ? [] : [{ ...m, coefficient: d.terms[i].coefficient }])),
  );
  const rest = sumOfTerms(d.terms.filter((_, i) => inside[i] === null));
  if (coefficient.terms.length === 0 || mentions(coefficient, atom) || mentions(rest, atom))
    return null;
  return { coefficient, rest };
}

function mentions(d: Dim, atom: Atom): boolean {
  if (atom.kind === 'variable') return variablesOf(d).has(atom);
  if (atom.kind === 'numel') return variablesOf(d).has(atom.pack);
  return quotientsOf(d).some((q) => q.key === atom.key);
}

/** The sizes of `d`, packs left out. */
export const sizesOf = (d: Dim): DimVar[] =>
  [...variablesOf(d)].filter((v): v is DimVar => v.kind === 'variable');

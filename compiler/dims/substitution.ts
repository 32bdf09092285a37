// Dimensions with their sizes replaced.

import type { Atom, Dim, DimVar, PackVar, Term } from './dim.ts';
import { floorDivide } from './division.ts';
import { add, multiply, power, sumOfTerms, termOf } from './polynomials.ts';

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

// Triangular sums: `y[.., o] = exp(s[o]) * x[.., o] + sum[i < o] L[o, i] * x[.., i]`, and sums over a matrix that an `if` on its indices
// makes triangular. Undone by substitution; the determinant is the product of the diagonal.

import { textOf } from '../../../grammar/source.ts';
import { bijectors } from '../../diagnostics/bijectors.ts';
import { report, type Diagnostic } from '../../diagnostics/diagnostic.ts';
import { substituteIndex } from '../parts.ts';
import { newIndex } from '../trials.ts';
import type { Index, Local, TypedExpression } from '../typed.ts';
import { apply, comprehension, indexOf, numberOf, readAt, type Writer } from './construct.ts';
import { available, writerOf, type Course, type Equation, type Outcome } from './course.ts';
import { entriesOf, isZero, sumOf, type Entries } from './entries.ts';
import { determine } from './pieces.ts';
import { isDiagnostic, placesOf, type Places, type ReadExpression } from './places.ts';
import { addScale } from './scales.ts';
import { sameExpression } from './same-expression.ts';
import { movedBatch } from './terms.ts';

/** A term of a sum, with its sign. */
interface Signed {
  readonly term: TypedExpression;
  readonly sign: 1 | -1;
}

/** A term that is linear in an element of the unknown: `coefficient * x[.., at]`, summed over `over` if there is one. */
interface Linear {
  readonly read: ReadExpression;
  readonly coefficient: TypedExpression;
  readonly sum: Extract<TypedExpression, { kind: 'binder' }> | null;
  readonly sign: 1 | -1;
}

function termsOf(expression: TypedExpression, sign: 1 | -1): readonly Signed[] {
  if (expression.kind === 'convert') return termsOf(expression.value, sign);
  const opposite = sign === 1 ? -1 : 1;
  if (expression.kind === 'builtin') {
    const [a, b] = expression.arguments;
    if (expression.builtin.name === 'add') return [...termsOf(a, sign), ...termsOf(b, sign)];
    if (expression.builtin.name === 'subtract')
      return [...termsOf(a, sign), ...termsOf(b, opposite)];
    if (expression.builtin.name === 'negate') return termsOf(a, opposite);
  }
  return [{ term: expression, sign }];
}

/** `a * x[.., i] * b` as x[.., i] and a * b; null where it is not so, or a factor is not known. */
function linearIn(
  course: Course,
  w: Writer,
  expression: TypedExpression,
): { readonly read: ReadExpression; readonly coefficient: TypedExpression } | null {
  if (expression.kind === 'convert') return linearIn(course, w, expression.value);
  if (expression.kind === 'read' && expression.target.kind === 'local')
    return { read: expression, coefficient: numberOf(w, 1) };
  if (expression.kind !== 'builtin') return null;
  const { name } = expression.builtin;
  const [a, b] = expression.arguments;
  if (name !== 'multiply' && name !== 'divide') return null;
  const swapped = available(course, b) === null;
  const [of, other] = swapped ? [b, a] : [a, b];
  if (swapped && (name === 'divide' || available(course, other) === null)) return null;
  const inner = linearIn(course, w, of);
  if (inner === null) return null;
  const { coefficient } = inner;
  const one = name === 'multiply' && coefficient.kind === 'number' && coefficient.value === 1;
  return { ...inner, coefficient: one ? other : apply(w, name, coefficient, other) };
}

function linearTerm(course: Course, w: Writer, { term, sign }: Signed): Linear | null {
  if (term.kind !== 'binder') {
    const linear = linearIn(course, w, term);
    return linear === null ? null : { ...linear, sum: null, sign };
  }
  if (term.binder !== 'sum' || term.indices.length !== 1) return null;
  const linear = linearIn(course, w, term.body);
  return linear === null ? null : { ...linear, sum: term, sign };
}

/** The axis along which a sum reads the unknown, where all else is read as by the element on the diagonal. */
interface Along {
  readonly axis: number;
  /** The index of the left side there, that of a row. */
  readonly row: Index;
}

/** Where a summed read, with `by` for its index, is the same as the element on the diagonal. */
function alongOf(course: Course, linear: Linear, equation: Equation): Along | null {
  const index = linear.sum?.indices[0].index;
  const axis = linear.read.slots.findIndex(
    (slot) => slot.kind === 'at' && slot.at.kind === 'index' && slot.at.index === index,
  );
  if (axis < 0 || index === undefined) return null;
  // The index of the left side that no other slot of the read has.
  const rows = (equation.frame ?? []).flat().filter((row) => !occurs(linear.read, row));
  return rows.length === 1 && rows[0].pack === null ? { axis, row: rows[0] } : null;
}

const occurs = ({ slots }: ReadExpression, index: Index): boolean =>
  slots.some(
    (slot) =>
      (slot.kind === 'pack' && slot.index === index) ||
      (slot.kind === 'at' && slot.at.kind === 'index' && slot.at.index === index) ||
      (slot.kind === 'group' &&
        slot.items.some(({ at }) => at.kind === 'index' && at.index === index)),
  );

const atRow = (w: Writer, { read, sum }: Linear, row: Index): TypedExpression =>
  sum === null ? read : substituteIndex(read, sum.indices[0].index, indexOf(w, row));

const signed = (w: Writer, { coefficient, sign }: Linear): TypedExpression =>
  sign === 1 ? coefficient : apply(w, 'negate', coefficient);

/** The matrix of all terms, at the indices `row` and `column`. */
function matrixOf(
  course: Course,
  w: Writer,
  terms: readonly Linear[],
  row: Index,
  column: Index,
): Entries {
  const zero = numberOf(w, 0);
  return terms
    .map((linear): Entries => {
      const coefficient = signed(w, linear);
      if (linear.sum === null) return { before: zero, diagonal: coefficient, behind: zero };
      const { index, prefix } = linear.sum.indices[0];
      const moved = substituteIndex(coefficient, index, indexOf(w, column));
      const all = entriesOf(w, moved, row, column, course.definitions);
      if (prefix === null) return all;
      const { relation } = prefix;
      const has = (relations: readonly string[]): boolean => relations.includes(relation);
      return {
        before: has(['<', '<=', '!=']) ? all.before : zero,
        diagonal: has(['<=', '>=', '==']) ? all.diagonal : zero,
        behind: has(['>', '>=', '!=']) ? all.behind : zero,
      };
    })
    .reduce((a, b) => ({
      before: sumOf(w, a.before, b.before),
      diagonal: sumOf(w, a.diagonal, b.diagonal),
      behind: sumOf(w, a.behind, b.behind),
    }));
}

/** Prefixes must be against the row; other conditions make no triangle. */
const prefixesFit = (terms: readonly Linear[], row: Index): boolean =>
  terms.every(({ sum }) => {
    const prefix = sum?.indices[0].prefix ?? null;
    return prefix === null || (prefix.bound.kind === 'index' && prefix.bound.index === row);
  });

const singular = (at: TypedExpression): Diagnostic =>
  report(bijectors.E0479, { span: at.span, data: { matrix: textOf(at.span) } });

/** Undoes a sum that is linear in one tensor along one axis; null where it is no such sum, or not all of it is known yet. */
export function undoTriangular(course: Course, equation: Equation): Outcome | null {
  const { is, frame } = equation;
  if (frame === null) return null;
  const w = writerOf(course, is);
  const all = termsOf(is, 1);
  const shifts = all.filter(({ term }) => available(course, term) !== null);
  const linear = all
    .filter((term) => !shifts.includes(term))
    .map((term) => linearTerm(course, w, term));
  const terms = linear.filter((term) => term !== null);
  const summed = terms.find(({ sum }) => sum !== null);
  if (terms.length < linear.length || summed === undefined) return null;
  const along = alongOf(course, summed, equation);
  const onDiagonal = along === null ? null : atRow(w, summed, along.row);
  if (along === null || onDiagonal?.kind !== 'read') return singular(is);
  const { row } = along;
  if (!terms.every((term) => sameExpression(atRow(w, term, row), onDiagonal))) return null;
  if (!prefixesFit(terms, row)) return singular(is);
  const places = placesOf(course, onDiagonal, frame);
  if (isDiagnostic(places)) return places;
  if (frame.slice(0, course.batch.length).flat().includes(row)) return movedBatch(course, is);
  if (places.cut !== null || places.backwards.length > 0) return singular(is);
  const column = newIndex('column', row.range);
  const entries = matrixOf(course, w, terms, row, column);
  if (!isZero(entries.before) && !isZero(entries.behind)) return singular(is);
  if (isZero(entries.diagonal)) return singular(is);
  const wrong = addScale(course, w, equation, entries.diagonal);
  if (wrong !== null) return wrong;
  const rest = shifts.reduce(
    (value, { term, sign }) => apply(w, sign === 1 ? 'subtract' : 'add', value, term),
    equation.known,
  );
  return solved(course, w, { places, along, column, entries, rest, at: is });
}

interface System {
  readonly places: Places;
  readonly along: Along;
  readonly column: Index;
  readonly entries: Entries;
  readonly rest: TypedExpression;
  readonly at: TypedExpression;
}

function solved(course: Course, w: Writer, system: System): Outcome {
  const { places, along, column, entries, rest, at } = system;
  const { row, axis } = along;
  const choose = (
    name: string,
    then: TypedExpression,
    other: TypedExpression,
  ): TypedExpression => ({
    kind: 'if',
    condition: apply(w, name, indexOf(w, column), indexOf(w, row)),
    then,
    else: other,
    type: then.type,
    span: w.span,
  });
  const entry = choose('less', entries.before, choose('greater', entries.behind, entries.diagonal));
  const matrix = comprehension(w, [[row], [column]], entry);
  const vector = comprehension(w, [[row]], rest);
  const lower = isZero(entries.behind);
  const solution = apply(w, lower ? 'solve_lower' : 'solve_upper', matrix, vector);
  const place = newIndex('place', row.range);
  const target: Local = places.target;
  const axes = places.axes.map((group, i) => (i === axis ? [place] : group));
  return determine(course, target, comprehension(w, axes, readAt(w, solution, [[place]])), at.span);
}

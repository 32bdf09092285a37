// One step on the way back: the outermost operation of an equation is undone, by the kind of its expression.

import { textOf } from '../../../grammar/source.ts';
import { bijectors } from '../../diagnostics/bijectors.ts';
import { report } from '../../diagnostics/diagnostic.ts';
import { add, one } from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import { sizeOfExpression } from '../convert.ts';
import { substituteIndex } from '../parts.ts';
import { newIndex } from '../trials.ts';
import type { TypedExpression } from '../typed.ts';
import { comprehension, fieldOf, indicesOf, localOf, readAt } from './construct.ts';
import {
  dependsOnInput,
  hold,
  writerOf,
  type Course,
  type Equation,
  type Outcome,
} from './course.ts';
import { undoBijector } from './calls.ts';
import { undoChoice } from './choices.ts';
import { determine, determineField, determinePiece } from './pieces.ts';
import { isDiagnostic, placesOf, type ReadExpression } from './places.ts';
import { batchFirst, movedBatch } from './terms.ts';
import { undoTriangular } from './triangular.ts';
import { notInvertible, usedTwice } from './refusals.ts';
import { undoBuiltin } from './undo-builtins.ts';

type Of<K extends TypedExpression['kind']> = Extract<TypedExpression, { kind: K }>;
type Rules = {
  readonly [K in TypedExpression['kind']]?: (
    course: Course,
    equation: Equation,
    is: Of<K>,
  ) => Outcome;
};

const again = (
  course: Course,
  { frame }: Equation,
  is: TypedExpression,
  known: TypedExpression,
): Outcome => {
  course.agenda.push({ known, is, frame });
  return 'done';
};

const rules: Rules = {
  local: (course, { known, frame }, is) =>
    frame !== null && frame.length > 0
      ? usedTwice(`\`${is.local.name}\`, which is repeated along an axis,`, is.span)
      : determine(course, is.local, known, is.span),
  convert: (course, equation, is) => again(course, equation, is.value, equation.known),
  variable: (course, equation, is) => again(course, equation, is.value, equation.known),
  tuple: (course, { known, frame }, is) => {
    const w = writerOf(course, is);
    const whole = localOf(w, hold(course, known, 'y'));
    is.items.forEach((item, i) =>
      course.agenda.push({ known: fieldOf(w, whole, i), is: item, frame }),
    );
    return 'done';
  },
  project: (course, { known }, is) =>
    is.target.kind === 'local'
      ? determineField(course, is.target.local, is.field, known, is.span)
      : notInvertible(is, 'a part of it has no name of its own'),
  builtin: undoBuiltin,
  call: undoBijector,
  if: undoChoice,
  comprehension: (course, { known, frame }, is) => {
    if (frame !== null) return notInvertible(is, 'it stands inside other index notation');
    if (!batchFirst(course, is.type.kind === 'tensor' ? is.type.shape : []))
      return movedBatch(course, is);
    const w = writerOf(course, is);
    const whole = localOf(w, hold(course, known, 'y'));
    course.agenda.push({ known: readAt(w, whole, is.axes), is: is.body, frame: is.axes });
    return 'done';
  },
  read: undoRead,
  binder: (course, equation, is) =>
    is.binder === 'sum'
      ? (undoTriangular(course, equation) ?? 'later')
      : notInvertible(is, `\`${is.binder}\` of many numbers does not tell them`),
};

function undoRead(course: Course, equation: Equation, is: ReadExpression): Outcome {
  const { known, frame } = equation;
  if (frame === null) return undoSlice(course, known, is);
  const places = placesOf(course, is, frame);
  if (isDiagnostic(places)) return places;
  const w = writerOf(course, is);
  const { target, axes, cut, backwards } = places;
  const element = backwards.reduce((e, { index, by }) => substituteIndex(e, index, by(w)), known);
  const value = comprehension(w, axes, element);
  return cut === null
    ? determine(course, target, value, is.span)
    : determinePiece(course, target, cut, value, is.span);
}

/** `x[.., a:b]` of whole tensors, and `x[:, 0]`. */
function undoSlice(course: Course, known: TypedExpression, is: ReadExpression): Outcome {
  const { target, slots } = is;
  if (target.kind !== 'local') return notInvertible(is, 'what it reads has no name of its own');
  const { local } = target;
  const cuts = slots.filter((slot) => slot.kind !== 'keep');
  const [cut] = cuts;
  if (cut === undefined) return determine(course, local, known, is.span);
  if (cuts.length > 1) return notInvertible(is, 'it cuts two axes at once');
  const axis = slots
    .slice(0, slots.indexOf(cut))
    .reduce((count, slot) => count + (slot.kind === 'keep' ? slot.axes.length : 1), 0);
  if (axis < course.batch.length) return movedBatch(course, is);
  if (cut.kind === 'range') {
    const place = { axis, from: cut.from, to: cut.to };
    return determinePiece(course, local, place, known, is.span);
  }
  const from: Dim | null = cut.kind === 'at' ? sizeOfExpression(cut.at) : null;
  if (from === null)
    return report(bijectors.E0480, {
      span: is.span,
      data: { at: cut.kind === 'at' ? textOf(cut.at.span) : textOf(is.span) },
    });
  const w = writerOf(course, is);
  const axes = indicesOf(known.type.kind === 'tensor' ? known.type.shape : []).map((i) => [i]);
  const wider = [...axes.slice(0, axis), [newIndex('one', one)], ...axes.slice(axis)];
  const value = comprehension(w, wider, readAt(w, known, axes));
  return determinePiece(course, local, { axis, from, to: add(from, one) }, value, is.span);
}

/** Undoes the outermost operation of an equation. */
export function undo(course: Course, equation: Equation): Outcome {
  const { is } = equation;
  if (!dependsOnInput(course, is))
    return report(bijectors.E0481, {
      span: is.span,
      data: { what: textOf(is.span), name: course.input.name },
    });
  // The table's type ties each rule to its kind; TypeScript cannot follow that through an indexed call.
  const rule = rules[is.kind] as
    ((course: Course, equation: Equation, is: TypedExpression) => Outcome) | undefined;
  return rule?.(course, equation, is) ?? notInvertible(is, 'no inverse of it is known');
}

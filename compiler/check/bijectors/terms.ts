// The terms of a log-determinant: the logarithm of each local derivative, summed over all axes but the batch's.

import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { bijectors } from '../../diagnostics/bijectors.ts';
import { report } from '../../diagnostics/diagnostic.ts';
import { textOf } from '../../../grammar/source.ts';
import { proveEqual } from '../../dims/prove.ts';
import type { Axis, Shape } from '../../dims/shape.ts';
import { showShape } from '../show.ts';
import type { TypedExpression } from '../typed.ts';
import {
  apply,
  axisOf,
  comprehension,
  indicesOf,
  numberOf,
  readAt,
  sumOver,
  type Frame,
  type Writer,
} from './construct.ts';
import type { Course, Equation, Term } from './course.ts';

export function sameAxis(course: Course, a: Axis | undefined, b: Axis | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  if (a.kind === 'pack' || b.kind === 'pack')
    return a.kind === 'pack' && b.kind === 'pack' && a.pack === b.pack;
  return proveEqual(a.size, b.size, course.context.assumptions).kind === 'proved';
}

/** Whether a shape begins with the axes of the batch. */
export const batchFirst = (course: Course, shape: Shape): boolean =>
  course.batch.every((axis, i) => sameAxis(course, shape[i], axis));

export const movedBatch = (course: Course, { span }: TypedExpression): Diagnostic =>
  report(bijectors.E0477, {
    span,
    data: { what: textOf(span), batch: showShape(course.batch) },
  });

/** The sum over the axes of the events, of one number an element of `frame`. */
const summed = (
  course: Course,
  w: Writer,
  frame: Frame,
  element: TypedExpression,
): TypedExpression =>
  comprehension(
    w,
    frame.slice(0, course.batch.length),
    sumOver(w, frame.slice(course.batch.length).flat(), element),
  );

const bothWays = (w: Writer, forwards: TypedExpression): Term => ({
  forwards,
  backwards: apply(w, 'negate', forwards),
});

/** Adds the logarithm of the derivative of one step, which has the shape of what it undoes or a suffix of that. */
export function addTerm(
  course: Course,
  w: Writer,
  { is, frame }: Equation,
  logarithm: TypedExpression,
): Diagnostic | null {
  if (is.type.kind !== 'tensor' || logarithm.type.kind !== 'tensor') return null;
  const shape = frame === null ? is.type.shape : frame.map(axisOf);
  if (!batchFirst(course, shape)) return movedBatch(course, is);
  if (frame !== null) {
    course.terms.push(bothWays(w, summed(course, w, frame, logarithm)));
    return null;
  }
  const indices = indicesOf(shape).map((index) => [index]);
  const own = indices.slice(indices.length - logarithm.type.shape.length);
  const element = own.length === 0 ? logarithm : readAt(w, logarithm, own);
  course.terms.push(bothWays(w, summed(course, w, indices, element)));
  return null;
}

/** Adds the log-determinants of another bijector: one number an example of its own batch, which ours begins. */
export function addLogdet(
  course: Course,
  w: Writer,
  { forwards, backwards }: Term,
  at: TypedExpression,
): Diagnostic | null {
  const { type } = forwards;
  if (type.kind !== 'tensor') return null;
  if (!batchFirst(course, type.shape)) return movedBatch(course, at);
  const total = (value: TypedExpression): TypedExpression => {
    if (type.shape.length === course.batch.length) return value;
    const indices = indicesOf(type.shape).map((index) => [index]);
    return summed(course, w, indices, readAt(w, value, indices));
  };
  course.terms.push({ forwards: total(forwards), backwards: total(backwards) });
  return null;
}

/** The log-determinant, or that of the inverse, one number an example. */
export function totalOf(w: Writer, course: Course, way: keyof Term): TypedExpression {
  const [first, ...others] = course.terms.map((term) => term[way]);
  if (first !== undefined) return others.reduce((sum, term) => apply(w, 'add', sum, term), first);
  const axes = indicesOf(course.batch).map((index) => [index]);
  return axes.length === 0 ? numberOf(w, 0) : comprehension(w, axes, numberOf(w, 0));
}

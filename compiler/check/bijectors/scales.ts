// Scales: the proof that one is not 0, and its part of the log-determinant.

import { textOf } from '../../../grammar/source.ts';
import { bijectors } from '../../diagnostics/bijectors.ts';
import { report, type Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { TypedExpression } from '../typed.ts';
import { apply, type Writer } from './construct.ts';
import type { Course, Equation } from './course.ts';
import { contains } from './interval.ts';
import { logAbsolute } from './logarithms.ts';
import { rangeOf } from './ranges.ts';
import { addTerm } from './terms.ts';

/** Adds the logarithm of a scale that is proved not to be 0; a refusal if it is not. */
export function addScale(
  course: Course,
  w: Writer,
  equation: Equation,
  factor: TypedExpression,
  scale: 'factor' | 'divisor' = 'factor',
): Diagnostic | null {
  const { definitions } = course;
  if (contains(rangeOf(factor, { intervals: new Map(), definitions, depth: 0 }), 0))
    return report(bijectors.E0473, { span: factor.span, data: { scale: textOf(factor.span) } });
  const logarithm = logAbsolute(w, factor, definitions);
  const signed = scale === 'factor' ? logarithm : apply(w, 'negate', logarithm);
  return addTerm(course, w, equation, signed);
}

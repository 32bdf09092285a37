// `if x > 0 then x else 0.1 * x`: lines of positive slopes that meet at 0. The sign of the result is that of x.

import type { TypedExpression } from '../typed.ts';
import { apply, numberOf, type Writer } from './construct.ts';
import {
  available,
  dependsOnInput,
  writerOf,
  type Course,
  type Equation,
  type Outcome,
} from './course.ts';
import { isPositive } from './interval.ts';
import { logAbsolute } from './logarithms.ts';
import { rangeOf } from './ranges.ts';
import { sameExpression } from './same-expression.ts';
import { addTerm } from './terms.ts';
import { notInvertible } from './refusals.ts';

type Choice = Extract<TypedExpression, { kind: 'if' }>;
type Comparison = Extract<TypedExpression, { kind: 'builtin' }>;

const orders: ReadonlySet<string> = new Set(['greater', 'greater_equal', 'less', 'less_equal']);

function isZero(expression: TypedExpression): boolean {
  if (expression.kind === 'convert') return isZero(expression.value);
  if (expression.kind === 'dim') return expression.dim.terms.length === 0;
  return expression.kind === 'number' && expression.value === 0;
}

const unconverted = (expression: TypedExpression): TypedExpression =>
  expression.kind === 'convert' ? unconverted(expression.value) : expression;

/** What is compared with 0; null for any other condition. */
function comparedWithZero(condition: TypedExpression): {
  readonly comparison: Comparison;
  readonly at: 0 | 1;
} | null {
  if (condition.kind !== 'builtin' || !orders.has(condition.builtin.name)) return null;
  const [a, b] = condition.arguments;
  if (isZero(b)) return { comparison: condition, at: 0 };
  return isZero(a) ? { comparison: condition, at: 1 } : null;
}

/** The slope of a line through 0 in `of`: a number, or what does not depend on it; null for anything else. */
function slopeOf(w: Writer, line: TypedExpression, of: TypedExpression): TypedExpression | null {
  const plain = unconverted(line);
  if (sameExpression(plain, of)) return numberOf(w, 1);
  if (plain.kind !== 'builtin') return null;
  const [a, b] = plain.arguments.map(unconverted);
  if (plain.builtin.name === 'multiply') {
    if (sameExpression(a, of)) return b;
    return sameExpression(b, of) ? a : null;
  }
  if (plain.builtin.name !== 'divide' || !sameExpression(a, of)) return null;
  return apply(w, 'divide', numberOf(w, 1), b);
}

export function undoChoice(course: Course, equation: Equation, is: Choice): Outcome {
  const { condition, then: onTrue, else: onFalse } = is;
  if (!dependsOnInput(course, condition))
    return notInvertible(is, 'it is a choice between two ways: make each a bijector of its own');
  const bent = comparedWithZero(condition);
  if (bent === null)
    return notInvertible(is, 'only a comparison with 0 keeps its outcome on the way back');
  const { comparison, at } = bent;
  const of = unconverted(comparison.arguments[at]);
  const w = writerOf(course, is);
  const slopes = [onTrue, onFalse].map((line) => slopeOf(w, line, of));
  const lines = slopes.filter((slope) => slope !== null);
  if (lines.length < 2)
    return notInvertible(is, 'its branches are no multiples of what is compared with 0');
  const { definitions } = course;
  const positive = lines.every((slope) =>
    isPositive(rangeOf(slope, { intervals: new Map(), definitions, depth: 0 })),
  );
  if (!positive) return notInvertible(is, 'nothing shows that both slopes are positive');
  const known = lines.map((slope) => available(course, slope));
  const [up, down] = known;
  if (up === null || down === null) return 'later';
  const [logUp, logDown] = lines.map((slope) => logAbsolute(w, slope, definitions));
  const wrong = addTerm(course, w, equation, { ...is, then: logUp, else: logDown });
  if (wrong !== null) return wrong;
  const values = comparison.arguments.map((a, i) => (i === at ? equation.known : a));
  const back: TypedExpression = {
    ...is,
    condition: { ...comparison, arguments: values },
    then: apply(w, 'divide', equation.known, up),
    else: apply(w, 'divide', equation.known, down),
  };
  course.agenda.push({ known: back, is: of, frame: equation.frame });
  return 'done';
}

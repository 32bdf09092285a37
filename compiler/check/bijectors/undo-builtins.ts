// How each builtin on the way from x to y is undone.

import { textOf } from '../../../grammar/source.ts';
import { bijectors } from '../../diagnostics/bijectors.ts';
import { report } from '../../diagnostics/diagnostic.ts';
import { add, zero } from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Shape } from '../../dims/shape.ts';
import type { TypedExpression } from '../typed.ts';
import { apply, cutOf, fieldOf, localOf, numberOf, sizesOf, type Writer } from './construct.ts';
import {
  available,
  dependsOnInput,
  hold,
  writerOf,
  type Course,
  type Equation,
  type Outcome,
} from './course.ts';
import { softplus } from './logarithms.ts';
import { notInvertible, usedTwice } from './refusals.ts';
import { addScale } from './scales.ts';
import { addTerm, batchFirst, movedBatch } from './terms.ts';
import { undoTriangular } from './triangular.ts';

type Builtin = Extract<TypedExpression, { kind: 'builtin' }>;
type Rule = (course: Course, equation: Equation, is: Builtin) => Outcome;

const shapeOf = ({ type }: TypedExpression): Shape => (type.kind === 'tensor' ? type.shape : []);

/** The operand `of` of an elementwise operation has the value `known`. */
function continueWith(
  course: Course,
  { frame, is: whole }: Equation,
  of: TypedExpression,
  known: TypedExpression,
): Outcome {
  if (shapeOf(of).length !== shapeOf(whole).length)
    return usedTwice(
      `each element of \`${textOf(of.span)}\`, which is repeated along an axis,`,
      of.span,
    );
  course.agenda.push({ known, is: of, frame });
  return 'done';
}

// ---- one operand --------------------------------------------------------------------------------------------------

/** An increasing or decreasing function, its inverse, and log|derivative| at u; null for a derivative of 1 or -1. */
interface Monotone {
  readonly inverse: (w: Writer, y: TypedExpression) => TypedExpression;
  readonly slope: ((w: Writer, u: TypedExpression) => TypedExpression) | null;
}

const negate = (w: Writer, x: TypedExpression): TypedExpression => apply(w, 'negate', x);

const monotone: Readonly<Record<string, Monotone>> = {
  negate: { inverse: negate, slope: null },
  exp: { inverse: (w, y) => apply(w, 'log', y), slope: (_, u) => u },
  log: { inverse: (w, y) => apply(w, 'exp', y), slope: (w, u) => negate(w, apply(w, 'log', u)) },
  expm1: { inverse: (w, y) => apply(w, 'log1p', y), slope: (_, u) => u },
  log1p: {
    inverse: (w, y) => apply(w, 'expm1', y),
    slope: (w, u) => negate(w, apply(w, 'log1p', u)),
  },
  tanh: {
    // artanh y = (log(1 + y) - log(1 - y)) / 2, and 1 - tanh(u)^2 = 4 sigmoid(2 u) sigmoid(-2 u)
    inverse: (w, y) => {
      const twice = apply(w, 'subtract', apply(w, 'log1p', y), apply(w, 'log1p', negate(w, y)));
      return apply(w, 'multiply', numberOf(w, 0.5), twice);
    },
    slope: (w, u) => {
      const twice = apply(w, 'multiply', numberOf(w, 2), u);
      return apply(w, 'add', numberOf(w, Math.log(4)), logSlopeOfSigmoid(w, twice));
    },
  },
  sigmoid: {
    inverse: (w, y) => apply(w, 'subtract', apply(w, 'log', y), apply(w, 'log1p', negate(w, y))),
    slope: logSlopeOfSigmoid,
  },
};

/** log(sigmoid(u) sigmoid(-u)) */
function logSlopeOfSigmoid(w: Writer, u: TypedExpression): TypedExpression {
  return negate(w, apply(w, 'add', softplus(w, u), softplus(w, negate(w, u))));
}

const undoMonotone =
  ({ inverse, slope }: Monotone): Rule =>
  (course, equation, is) => {
    const [of] = is.arguments;
    const w = writerOf(course, is);
    const wrong = slope === null ? null : addTerm(course, w, equation, slope(w, of));
    return wrong ?? continueWith(course, equation, of, inverse(w, equation.known));
  };

// ---- two operands -------------------------------------------------------------------------------------------------

/** What one operand is, given the result and the other; `null`: it is not undone. */
type Side = (w: Writer, known: TypedExpression, other: TypedExpression) => TypedExpression;

interface TwoSided {
  readonly left: Side;
  readonly right: Side | null;
  /** How the other operand enters the derivative; null for a derivative of 1 or -1. */
  readonly scale: 'factor' | 'divisor' | null;
}

const twoSided: Readonly<Record<string, TwoSided>> = {
  add: {
    left: (w, y, b) => apply(w, 'subtract', y, b),
    right: (w, y, a) => apply(w, 'subtract', y, a),
    scale: null,
  },
  subtract: {
    left: (w, y, b) => apply(w, 'add', y, b),
    right: (w, y, a) => apply(w, 'subtract', a, y),
    scale: null,
  },
  multiply: {
    left: (w, y, b) => apply(w, 'divide', y, b),
    right: (w, y, a) => apply(w, 'divide', y, a),
    scale: 'factor',
  },
  divide: { left: (w, y, b) => apply(w, 'multiply', y, b), right: null, scale: 'divisor' },
};

const undoTwoSided =
  ({ left, right, scale }: TwoSided): Rule =>
  (course, equation, is) => {
    const [a, b] = is.arguments;
    const [needsA, needsB] = [a, b].map((side) => dependsOnInput(course, side));
    const [knownA, knownB] = [
      needsB ? available(course, a) : null,
      needsA ? available(course, b) : null,
    ];
    if (knownA !== null && knownB !== null)
      return usedTwice(`\`${textOf(needsA ? a.span : b.span)}\``, is.span);
    const [of, other, side] = knownB !== null ? [a, knownB, left] : [b, knownA, right];
    if (other === null) return undoTriangular(course, equation) ?? 'later';
    if (side === null) return notInvertible(is, `\`${textOf(b.span)}\` is what it divides by`);
    const w = writerOf(course, is);
    if (scale !== null) {
      const factor = knownB !== null ? b : a;
      const wrong = addScale(course, w, equation, factor, scale);
      if (wrong !== null) return wrong;
    }
    return continueWith(course, equation, of, side(w, equation.known, other));
  };

// ---- rearrangements -----------------------------------------------------------------------------------------------

const rearrangement =
  (back: (w: Writer, y: TypedExpression, of: TypedExpression) => TypedExpression): Rule =>
  (course, { known, frame }, is) => {
    const [of] = is.arguments;
    if (!batchFirst(course, shapeOf(is)) || !batchFirst(course, shapeOf(of)))
      return movedBatch(course, is);
    course.agenda.push({ known: back(writerOf(course, is), known, of), is: of, frame });
    return 'done';
  };

/** Neither argument axis of `transpose` and `reverse` may be one of the batch. */
const behindBatch =
  (axes: number, rule: Rule): Rule =>
  (course, equation, is) =>
    shapeOf(is).length - axes < course.batch.length
      ? movedBatch(course, is)
      : rule(course, equation, is);

const reshaped: Rule = rearrangement((w, y, of) => {
  const sizes = shapeOf(of).flatMap((axis) => (axis.kind === 'size' ? [axis.size] : []));
  return apply(w, 'reshape', y, sizesOf(w, sizes));
});

const undoReshape: Rule = (course, equation, is) => {
  const [of] = is.arguments;
  return shapeOf(of).some((axis) => axis.kind === 'pack')
    ? notInvertible(is, 'the number of axes of its operand is not known')
    : reshaped(course, equation, is);
};

const undoConcat: Rule = (course, { known, frame }, is) => {
  const w = writerOf(course, is);
  const whole = localOf(w, hold(course, known, 'y'));
  const axis = shapeOf(is).length - 1;
  if (axis < course.batch.length) return movedBatch(course, is);
  let from: Dim = zero;
  for (const part of is.arguments) {
    const last = shapeOf(part)[axis];
    if (last.kind !== 'size') return 'done';
    const to = add(from, last.size);
    course.agenda.push({ known: cutOf(w, whole, axis, from, to, last.size), is: part, frame });
    from = to;
  }
  return 'done';
};

const undoHalves: Rule = (course, { known, frame }, is) => {
  const [of] = is.arguments;
  if (shapeOf(of).length <= course.batch.length) return movedBatch(course, is);
  const w = writerOf(course, is);
  const whole = apply(w, 'concat', fieldOf(w, known, 0), fieldOf(w, known, 1));
  course.agenda.push({ known: whole, is: of, frame });
  return 'done';
};

/** Stacks have a new axis in front: there is no batch before it. */
const undoStack: Rule = (course, { known, frame }, is) => {
  const w = writerOf(course, is);
  if (course.batch.length > 0) return movedBatch(course, is);
  const parts = apply(w, 'unstack', known);
  is.arguments.forEach((part, i) =>
    course.agenda.push({ known: fieldOf(w, parts, i), is: part, frame }),
  );
  return 'done';
};

const undoUnstack: Rule = (course, { known, frame }, is) => {
  const w = writerOf(course, is);
  if (course.batch.length > 0) return movedBatch(course, is);
  const count = is.type.kind === 'tuple' ? is.type.fields.length : 0;
  const fields = Array.from({ length: count }, (_, i) => fieldOf(w, known, i));
  course.agenda.push({ known: apply(w, 'stack', ...fields), is: is.arguments[0], frame });
  return 'done';
};

const matmul: Rule = (_, __, is) =>
  report(bijectors.E0479, { span: is.span, data: { matrix: textOf(is.arguments[1].span) } });

// ---- the table ----------------------------------------------------------------------------------------------------

const mapped = <T>(table: Readonly<Record<string, T>>, rule: (entry: T) => Rule) =>
  Object.fromEntries(Object.entries(table).map(([name, entry]) => [name, rule(entry)]));

const rules: Readonly<Record<string, Rule>> = {
  ...mapped(monotone, undoMonotone),
  ...mapped(twoSided, undoTwoSided),
  real: rearrangement((_, y) => y),
  float: rearrangement((_, y) => y),
  reverse: behindBatch(
    1,
    rearrangement((w, y) => apply(w, 'reverse', y)),
  ),
  transpose: behindBatch(
    2,
    rearrangement((w, y) => apply(w, 'transpose', y)),
  ),
  reshape: undoReshape,
  flatten: undoReshape,
  concat: undoConcat,
  halves: undoHalves,
  stack: undoStack,
  unstack: undoUnstack,
  matmul,
};

const many = 'several inputs give the same value';
const reasons: Readonly<Record<string, string>> = {
  abs: 'x and -x give the same value',
  max: many,
  min: many,
  clamp: many,
  floor: many,
  ceil: many,
  round: many,
  sign: many,
  sin: many,
  cos: many,
  tan: many,
  sum: 'a sum does not tell its terms',
  mean: 'a mean does not tell its terms',
  softmax: 'adding a number to all elements does not change it',
  logsoftmax: 'adding a number to all elements does not change it',
  pad: 'it adds elements that are always 0',
  dilate: 'it adds elements that are always 0',
  power: 'its derivative is 0 at 0',
  stop: 'its derivative is taken as 0',
};

export function undoBuiltin(course: Course, equation: Equation, is: Builtin): Outcome {
  const { name } = is.builtin;
  const rule = rules[name];
  return rule === undefined
    ? notInvertible(is, reasons[name] ?? 'no inverse of it is known')
    : rule(course, equation, is);
}

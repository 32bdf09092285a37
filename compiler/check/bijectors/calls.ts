// Calls of other bijectors on the way from x to y: back by their inverses, with their own log-determinants.

import { textOf } from '../../../grammar/source.ts';
import { noBindings, substituteType } from '../substitute.ts';
import type { TypedExpression } from '../typed.ts';
import type { Type } from '../types.ts';
import { mainFunction } from '../callables.ts';
import type { FunctionInfo } from '../context.ts';
import { localOf } from './construct.ts';
import { available, hold, writerOf, type Course, type Equation, type Outcome } from './course.ts';
import { addLogdet } from './terms.ts';
import { notInvertible } from './refusals.ts';

type CallExpression = Extract<TypedExpression, { kind: 'call' }>;

/** Whether an expression is `f(x)` or `f.inverse(x)` of a bijector f. No member of a bijector but the derived one is called `inverse`. */
export const isBijectorCall = (expression: TypedExpression): expression is CallExpression =>
  expression.kind === 'call' &&
  expression.callee.kind === 'function' &&
  (expression.callee.function.name === null || expression.callee.function.name === 'inverse') &&
  expression.callee.function.owner?.keyword === 'bijector';

/** What undoes a call, and the log-determinants of both ways. */
interface Way {
  readonly back: FunctionInfo;
  readonly forwards: FunctionInfo;
  readonly backwards: FunctionInfo;
}

function wayOf(course: Course, { callee }: CallExpression): Way | null {
  const model = callee.kind === 'function' ? callee.function.owner : null;
  const info = model === null ? undefined : course.context.session.models.get(model);
  const derived = info?.derived() ?? null;
  const main = info === undefined ? null : mainFunction(info);
  if (derived === null || main === null || callee.kind !== 'function') return null;
  const { inverse, logdet, inverseLogdet } = derived;
  return callee.function === inverse.typed
    ? { back: main, forwards: inverseLogdet, backwards: logdet }
    : { back: inverse, forwards: logdet, backwards: inverseLogdet };
}

/** The call of a derived function of the same layer, with the sizes that `is` has. */
const calling = (
  { callee, bindings, span }: CallExpression,
  { typed }: FunctionInfo,
  given: readonly TypedExpression[],
  type: Type,
): TypedExpression => ({
  kind: 'call',
  callee: {
    kind: 'function',
    function: typed,
    owner: callee.kind === 'function' ? callee.owner : null,
  },
  bindings,
  arguments: given,
  type,
  span,
});

/** The axes of the batch of the bijector that is called, as they are in this call. */
function logdetType({ callee, bindings }: CallExpression, logdet: FunctionInfo): Type {
  const owner = callee.kind === 'function' ? callee.owner : null;
  const own = owner?.type.kind === 'instance' ? owner.type.bindings : noBindings;
  return substituteType(substituteType(logdet.result(), own), bindings);
}

export function undoBijector(course: Course, equation: Equation, is: CallExpression): Outcome {
  const { known, frame } = equation;
  const { callee } = is;
  const name = textOf(is.span).split('(')[0];
  if (!isBijectorCall(is) || callee.kind !== 'function')
    return notInvertible(
      is,
      `\`${name}\` is a function, and not a bijector`,
      `if it has an inverse, write it as a \`bijector\`; if not, apply it to a part of the input that goes on unchanged`,
    );
  if (frame !== null && frame.length > 0)
    return notInvertible(is, 'it stands in index notation: call it on a line of its own');
  const way = wayOf(course, is);
  if (way === null) return 'broken';
  const [of, ...others] = is.arguments;
  const given = others.map((other) => available(course, other));
  const all = given.filter((other) => other !== null);
  if (all.length < given.length) return 'later';
  const w = writerOf(course, is);
  const back = localOf(w, hold(course, known, 'y'));
  const type = logdetType(is, way.forwards);
  const term = {
    forwards: calling(is, way.forwards, is.arguments, type),
    backwards: calling(is, way.backwards, [back, ...all], type),
  };
  const wrong = addLogdet(course, w, term, is);
  if (wrong !== null) return wrong;
  course.agenda.push({
    known: calling(is, way.back, [back, ...all], of.type),
    is: of,
    frame,
  });
  return 'done';
}

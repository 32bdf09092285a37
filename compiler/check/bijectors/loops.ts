// `for` loops on the way from x to y: the way back runs through the layers, or the numbers, in the opposite order. Each round is undone by
// a course of its own, from what the round gives to what it was given; its terms are carried along as a sum.

import { comprehension, apply, indicesOf, localOf, numberOf, type Writer } from './construct.ts';
import {
  available,
  backStatements,
  counted,
  localsIn,
  newCourse,
  writerOf,
  type Course,
  type Outcome,
} from './course.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { real, tensor } from '../convert.ts';
import { mapParts } from '../parts.ts';
import type { Carry, Local, TypedBody, TypedExpression, TypedStatement } from '../typed.ts';
import { hoisted } from './hoist.ts';
import { notInvertible } from './refusals.ts';
import { totalOf } from './terms.ts';

export type Loop = Extract<TypedStatement, { kind: 'for' }>;

/** `expression` with `to` in the place of the local `from`. */
function renamed(expression: TypedExpression, from: Local, to: Local): TypedExpression {
  if (expression.kind === 'local' && expression.local === from) return { ...expression, local: to };
  const mapped = mapParts(expression, (part) => renamed(part, from, to));
  if (mapped.kind !== 'derivative' || mapped.by.kind !== 'local') return mapped;
  return mapped.by.local === from ? { ...mapped, by: { ...mapped.by, local: to } } : mapped;
}

/** One round as a body: every update of the carry is a name of its own, the last of them the result. Null for updates inside other statements. */
function roundOf(loop: Loop, carry: Carry, w: Writer): TypedBody | null {
  let current = carry.inside;
  const statements: TypedStatement[] = [];
  for (const statement of loop.body) {
    if (statement.kind !== 'let') {
      if (localsIn(statement).includes(carry.inside) && current !== carry.inside) return null;
      statements.push(statement);
      continue;
    }
    const value = renamed(statement.value, carry.inside, current);
    if (statement.local !== carry.inside) {
      statements.push({ ...statement, value });
      continue;
    }
    current = { ...carry.inside };
    statements.push({ ...statement, local: current, value });
  }
  return { statements, result: localOf(w, current) };
}

const letOf = (local: Local, value: TypedExpression): TypedStatement => ({
  kind: 'let',
  local,
  value,
  span: value.span,
});

/** A carry that adds one term a round, and the update that does so. */
function summing(
  w: Writer,
  course: Course,
  term: TypedExpression,
): { readonly carry: Carry; readonly update: TypedStatement } {
  const axes = indicesOf(course.batch).map((index) => [index]);
  const zero = numberOf(w, 0);
  const type = tensor(real, course.batch);
  const inside: Local = { name: 'logdet', type, span: w.span };
  const carry = {
    initial: axes.length === 0 ? zero : comprehension(w, axes, zero),
    inside,
    after: { ...inside },
  };
  return { carry, update: letOf(inside, apply(w, 'add', localOf(w, inside), term)) };
}

/** The carry of a loop that has one; a refusal for other loops. */
function onlyCarry(loop: Loop, w: Writer): Carry | Diagnostic {
  const at: TypedExpression = localOf(w, loop.variable);
  const [carry, ...others] = loop.carries;
  if (carry === undefined || others.length > 0 || loop.stacked.length > 0)
    return notInvertible(at, 'a loop is undone where it carries one value and stacks none');
  if (loop.until !== null)
    return notInvertible(at, 'the way back does not know in which round it ended');
  return carry;
}

/** The carry of a loop has the value `value` after it. */
export function undoLoop(course: Course, loop: Loop, value: TypedExpression): Outcome {
  const w = writerOf(course, loop);
  const carry = onlyCarry(loop, w);
  if ('code' in carry) return carry;
  const round = roundOf(loop, carry, w);
  if (round === null)
    return notInvertible(localOf(w, loop.variable), 'its carry changes inside another statement');
  const bound = new Set([loop.variable, carry.inside, ...loop.body.flatMap(localsBound)]);
  for (const local of loop.body.flatMap(localsIn))
    if (!bound.has(local) && available(course, localOf(w, local)) === null) return 'later';
  const forward = hoisted(round);
  const inner = newCourse(course.context, carry.inside, course.batch, forward, course.follow);
  const back: Local = { ...carry.inside, name: `${carry.inside.name}'` };
  inner.agenda.push({ known: localOf(w, back), is: forward.result, frame: null });
  if (!course.follow(inner)) return 'broken';
  const before: Local = { ...back };
  const update = letOf(back, localOf(w, carry.inside));
  const reversed: Loop = {
    ...loop,
    down: !loop.down,
    carries: [{ initial: value, inside: back, after: before }],
    body: [...inner.statements, update],
  };
  course.statements.push(reversed);
  course.known.add(before);
  course.undone.add(loop);
  if (inner.terms.length > 0) {
    const forwards = summing(w, course, totalOf(w, inner, 'forwards'));
    course.counting.set(loop, {
      ...loop,
      carries: [carry, forwards.carry],
      body: [
        ...counted(inner, forward.statements),
        forwards.update,
        letOf(carry.inside, forward.result),
      ],
    });
    const backwards = summing(w, course, totalOf(w, inner, 'backwards'));
    course.counting.set(reversed, {
      ...reversed,
      carries: [...reversed.carries, backwards.carry],
      body: [...counted(inner, backStatements(inner, forward)), backwards.update, update],
    });
    course.terms.push({
      forwards: localOf(w, forwards.carry.after),
      backwards: localOf(w, backwards.carry.after),
    });
  }
  course.agenda.push({ known: localOf(w, before), is: carry.initial, frame: null });
  return 'done';
}

const localsBound = (statement: TypedStatement): readonly Local[] =>
  statement.kind === 'let' ? [statement.local] : [];

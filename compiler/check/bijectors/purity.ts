// A bijector gives the same on every call: nothing in it draws or updates a state, nor does what it calls.

import type { Span } from '../../../grammar/source.ts';
import { textOf } from '../../../grammar/source.ts';
import { bijectors } from '../../diagnostics/bijectors.ts';
import { report, type Diagnostic } from '../../diagnostics/diagnostic.ts';
import { partsOf } from '../parts.ts';
import type { TypedBody, TypedExpression, TypedFunction, TypedStatement } from '../typed.ts';
import { expressionsOf, innerOf } from './course.ts';

interface Effect {
  readonly verb: 'draws' | 'updates a state';
  readonly span: Span;
}

function effectOfStatement(
  statement: TypedStatement,
  seen: Set<TypedFunction>,
): { readonly effect: Effect; readonly at: Span } | null {
  const { span } = statement;
  if (statement.kind === 'draw') return { effect: { verb: 'draws', span }, at: span };
  if (statement.kind === 'update') return { effect: { verb: 'updates a state', span }, at: span };
  for (const inner of innerOf(statement)) {
    const found = effectOfStatement(inner, seen);
    if (found !== null) return found;
  }
  for (const expression of expressionsOf(statement)) {
    const found = effectOfExpression(expression, seen);
    if (found !== null) return found;
  }
  return null;
}

function effectOfExpression(
  expression: TypedExpression,
  seen: Set<TypedFunction>,
): { readonly effect: Effect; readonly at: Span } | null {
  if (expression.kind === 'call' && expression.callee.kind === 'function') {
    const called = expression.callee.function;
    if (!seen.has(called)) {
      seen.add(called);
      const body = called.body();
      const inside = body === null ? null : effectIn(body, seen);
      if (inside !== null) return { effect: inside.effect, at: expression.span };
    }
  }
  for (const part of partsOf(expression)) {
    const found = effectOfExpression(part, seen);
    if (found !== null) return found;
  }
  return null;
}

function effectIn(
  { statements, result }: TypedBody,
  seen: Set<TypedFunction>,
): { readonly effect: Effect; readonly at: Span } | null {
  for (const statement of statements) {
    const found = effectOfStatement(statement, seen);
    if (found !== null) return found;
  }
  return effectOfExpression(result, seen);
}

/** A refusal of a body that is no function; null for one that is. */
export function impure(body: TypedBody): Diagnostic | null {
  const found = effectIn(body, new Set());
  if (found === null) return null;
  const { effect, at } = found;
  return report(bijectors.E0478, {
    span: at,
    data: { what: textOf(at), verb: effect.verb },
    related: at === effect.span ? [] : [{ span: effect.span, reason: 'here' }],
  });
}

// The body of a bijector with a name for every value on the way: what a bijector is called on, and what index notation reads. So each is
// computed once, however many of the derived expressions use it.

import { freeIndex } from '../derivatives.ts';
import { mapParts } from '../map-parts.ts';
import type { Local, TypedBody, TypedExpression, TypedStatement } from '../typed.ts';
import { isBijectorCall } from './calls.ts';

export function hoisted({ statements, result }: TypedBody): TypedBody {
  const out: TypedStatement[] = [];
  for (const statement of statements) {
    if (statement.kind === 'let') out.push({ ...statement, value: named(statement.value, out) });
    else out.push(statement);
  }
  const last = named(result, out);
  return { statements: out, result: last };
}

const isWhole = (value: TypedExpression): boolean =>
  value.kind !== 'local' && value.kind !== 'tuple' && freeIndex(value, new Set()) === null;

/** `expression` with such values named by statements in `out`. */
function named(expression: TypedExpression, out: TypedStatement[]): TypedExpression {
  const name = (value: TypedExpression): TypedExpression => {
    const inner = named(value, out);
    if (!isWhole(inner) || inner.type.kind !== 'tensor') return inner;
    const { type, span } = inner;
    const local: Local = { name: 'z', type, span };
    out.push({ kind: 'let', local, value: inner, span });
    return { kind: 'local', local, type, span };
  };
  if (isBijectorCall(expression)) {
    const [first, ...others] = expression.arguments;
    return { ...expression, arguments: [name(first), ...others.map((a) => named(a, out))] };
  }
  if (expression.kind === 'read' && isComputed(expression.target))
    return { ...expression, target: name(expression.target) };
  return mapParts(expression, (part) => named(part, out));
}

/** Parameters and constants have names already. */
const isComputed = ({ kind }: TypedExpression): boolean =>
  kind === 'call' || kind === 'builtin' || kind === 'comprehension' || kind === 'read';

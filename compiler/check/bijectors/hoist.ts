// The body of a bijector with a name for every value on the way: what a bijector is called on, what index notation reads, and whose fields are
// taken. So each is computed once, however many of the derived expressions use it.

import { freeIndex } from '../derivatives.ts';
import { mapParts } from '../parts.ts';
import type { Local, TypedBody, TypedExpression, TypedStatement } from '../typed.ts';
import { isBijectorCall } from './calls.ts';

/** The statements so far, and the names of the expressions that have one. */
interface Hoisting {
  readonly out: TypedStatement[];
  readonly names: Map<TypedExpression, TypedExpression>;
}

export function hoisted({ statements, result }: TypedBody): TypedBody {
  const hoisting: Hoisting = { out: [], names: new Map() };
  const { out } = hoisting;
  for (const statement of statements) {
    if (statement.kind === 'let')
      out.push({ ...statement, value: named(statement.value, hoisting) });
    else out.push(statement);
  }
  const last = named(result, hoisting);
  return { statements: out, result: last };
}

const isWhole = (value: TypedExpression): boolean =>
  value.kind !== 'local' && value.kind !== 'tuple' && freeIndex(value, new Set()) === null;

/** `expression` under a name. */
function nameOf(expression: TypedExpression, hoisting: Hoisting): TypedExpression {
  const { out, names } = hoisting;
  const known = names.get(expression);
  if (known !== undefined) return known;
  const value = named(expression, hoisting);
  if (!isWhole(value)) return value;
  const { type, span } = value;
  const local: Local = { name: 'z', type, span };
  out.push({ kind: 'let', local, value, span });
  const name: TypedExpression = { kind: 'local', local, type, span };
  names.set(expression, name);
  return name;
}

/** `expression` with such values named. */
function named(expression: TypedExpression, hoisting: Hoisting): TypedExpression {
  if (isBijectorCall(expression)) {
    const [first, ...others] = expression.arguments;
    const given = [nameOf(first, hoisting), ...others.map((a) => named(a, hoisting))];
    return { ...expression, arguments: given };
  }
  const reads = expression.kind === 'read' || expression.kind === 'project';
  if (reads && isComputed(expression.target))
    return { ...expression, target: nameOf(expression.target, hoisting) };
  return mapParts(expression, (part) => named(part, hoisting));
}

/** Parameters and constants have names already. */
const isComputed = ({ kind }: TypedExpression): boolean =>
  kind === 'call' || kind === 'builtin' || kind === 'comprehension' || kind === 'read';

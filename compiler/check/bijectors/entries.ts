// The entries of a matrix in its three parts: before the diagonal (column < row), on it, and behind it. Conditions that compare the two
// indices are decided in each, so that a matrix is seen to be triangular.

import { mapParts, substituteIndex } from '../parts.ts';
import type { Index, Local, TypedExpression } from '../typed.ts';
import { apply, indexOf, numberOf, type Writer } from './construct.ts';

export interface Entries {
  readonly before: TypedExpression;
  readonly diagonal: TypedExpression;
  readonly behind: TypedExpression;
}

type Builtin = Extract<TypedExpression, { kind: 'builtin' }>;

/** What each comparison says where the left side is less, equal, greater. */
const comparisons: Readonly<Record<string, readonly [boolean, boolean, boolean]>> = {
  less: [true, false, false],
  less_equal: [true, true, false],
  equal: [false, true, false],
  not_equal: [true, false, true],
  greater_equal: [false, true, true],
  greater: [false, false, true],
};

interface Place {
  readonly row: Index;
  readonly column: Index;
  /** 0: column < row; 1: equal; 2: column > row. */
  readonly order: 0 | 1 | 2;
  readonly definitions: ReadonlyMap<Local, TypedExpression>;
}

export const isZero = (expression: TypedExpression): boolean =>
  expression.kind === 'number' && expression.value === 0;

const isOne = (expression: TypedExpression): boolean =>
  expression.kind === 'number' && expression.value === 1;

/** a + b, without zeros. */
export const sumOf = (w: Writer, a: TypedExpression, b: TypedExpression): TypedExpression => {
  if (isZero(a)) return b;
  return isZero(b) ? a : apply(w, 'add', a, b);
};

const plainIndex = (expression: TypedExpression): Index | null => {
  if (expression.kind === 'convert') return plainIndex(expression.value);
  return expression.kind === 'index' ? expression.index : null;
};

/** The truth of a condition at a place; null where it does not follow from the order. */
function decided(condition: TypedExpression, place: Place): boolean | null {
  if (condition.kind === 'boolean') return condition.value;
  if (condition.kind !== 'builtin') return null;
  const { name } = condition.builtin;
  const [a, b] = condition.arguments;
  if (name === 'not' || name === 'and' || name === 'or') {
    const [left, right] = condition.arguments.map((part) => decided(part, place));
    if (name === 'not') return left === null ? null : !left;
    const absorbing = name === 'or';
    if (left === absorbing || right === absorbing) return absorbing;
    return left === null || right === null ? null : !absorbing;
  }
  const outcomes = comparisons[name];
  const [left, right] = outcomes === undefined ? [null, null] : [plainIndex(a), plainIndex(b)];
  if (left === place.column && right === place.row) return outcomes[place.order];
  if (left === place.row && right === place.column) return outcomes[2 - place.order];
  return null;
}

/** `W[o, i]` of a matrix that index notation defines, by its definition. */
function unfolded(expression: TypedExpression, place: Place): TypedExpression {
  if (expression.kind !== 'read') return expression;
  const { target, slots } = expression;
  const definition = target.kind === 'local' ? place.definitions.get(target.local) : target;
  if (definition?.kind !== 'comprehension') return expression;
  const { axes, body } = definition;
  let result = body;
  for (const [i, slot] of slots.entries()) {
    const [index, ...others] = axes[i] ?? [];
    if (slot.kind !== 'at' || index === undefined || others.length > 0 || index.pack !== null)
      return expression;
    result = substituteIndex(result, index, slot.at);
  }
  return axes.length === slots.length ? result : expression;
}

/** The expression at a place, conditions decided and zeros dropped. */
function simplified(w: Writer, expression: TypedExpression, place: Place): TypedExpression {
  const again = (of: TypedExpression): TypedExpression => simplified(w, of, place);
  if (expression.kind === 'convert') {
    const value = again(expression.value);
    return value.kind === 'number' ? numberOf(w, value.value) : { ...expression, value };
  }
  if (expression.kind === 'dim' && expression.dim.terms.length === 0) return numberOf(w, 0);
  if (expression.kind === 'if') {
    const truth = decided(expression.condition, place);
    if (truth !== null) return again(truth ? expression.then : expression.else);
  }
  if (expression.kind === 'read') {
    const body = unfolded(expression, place);
    if (body === expression) return expression;
    const simple = again(body);
    // Without a decision the read itself is shorter.
    return simple.kind === 'number' || mentionsChoice(body) ? simple : expression;
  }
  if (expression.kind !== 'builtin') return expression;
  if (expression.builtin.name === 'ind') {
    const truth = decided(expression.arguments[0], place);
    return truth === null ? expression : numberOf(w, truth ? 1 : 0);
  }
  return withoutZeros(w, mapParts(expression, again) as Builtin);
}

const mentionsChoice = (expression: TypedExpression): boolean =>
  expression.kind === 'if' ||
  (expression.kind === 'builtin' &&
    (expression.builtin.name === 'ind' || expression.arguments.some(mentionsChoice))) ||
  (expression.kind === 'convert' && mentionsChoice(expression.value));

function withoutZeros(w: Writer, expression: Builtin): TypedExpression {
  const [a, b] = expression.arguments;
  switch (expression.builtin.name) {
    case 'multiply':
      if (isZero(a) || isZero(b)) return numberOf(w, 0);
      if (isOne(a)) return b;
      return isOne(b) ? a : expression;
    case 'divide':
      return isZero(a) || isOne(b) ? a : expression;
    case 'add':
      if (isZero(a)) return b;
      return isZero(b) ? a : expression;
    case 'subtract':
      return isZero(b) ? a : expression;
    case 'negate':
      return isZero(a) ? a : expression;
    default:
      return expression;
  }
}

export function entriesOf(
  w: Writer,
  expression: TypedExpression,
  row: Index,
  column: Index,
  definitions: ReadonlyMap<Local, TypedExpression>,
): Entries {
  const at = (order: Place['order']): TypedExpression =>
    simplified(w, expression, { row, column, order, definitions });
  return {
    before: at(0),
    diagonal: substituteIndex(at(1), column, indexOf(w, row)),
    behind: at(2),
  };
}

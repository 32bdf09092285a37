// Which settings of an optimizer may vary from step to step, as a learning rate does: those that decide nothing when the program is
// built.

import type { Span } from '../../grammar/source.ts';
import { partsOf } from './parts.ts';
import type { Local, TypedExpression, TypedModel, TypedStatement } from './typed.ts';

/** The expressions of an optimizer whose values are fixed when the program is built. */
function* fixedExpressions(model: TypedModel): Generator<TypedExpression> {
  for (const { body } of model.functions) yield* conditionsOf(body()?.statements ?? []);
  for (const { initial } of model.states) yield initial;
  for (const { value } of model.constants) yield value;
  for (const { value } of model.layers) yield* value.values.values();
}

function* conditionsOf(statements: readonly TypedStatement[]): Generator<TypedExpression> {
  for (const statement of statements) {
    if (statement.kind !== 'if') continue;
    yield statement.condition;
    yield* conditionsOf([...statement.then, ...statement.else]);
  }
}

const mentions = (expression: TypedExpression, locals: ReadonlySet<Local>): boolean =>
  expression.kind === 'local'
    ? locals.has(expression.local)
    : partsOf(expression).some((part) => mentions(part, locals));

/** Where the value of a hyper-parameter has to be known when the program is built; null where it may vary. */
export function fixedUse(model: TypedModel, setting: Local): Span | null {
  const varying = new Set([setting]);
  // A default may be computed from a setting before it.
  for (const parameter of model.hyperParameters) {
    if (parameter.kind !== 'value' || parameter.default === null) continue;
    if (mentions(parameter.default, varying)) varying.add(parameter.local);
  }
  for (const expression of fixedExpressions(model))
    if (mentions(expression, varying)) return expression.span;
  return null;
}

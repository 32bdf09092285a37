// Functions as values: whether a function, a layer or a builtin takes and gives what a function type says.

import type { Span } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import { proveEqual } from '../dims/prove.ts';
import { solve } from '../dims/solve.ts';
import { sameType } from './assign.ts';
import { callBuiltin } from './builtin-calls.ts';
import { targetOf } from './callables.ts';
import { broken, type Callable, type Context } from './context.ts';
import { converts } from './convert.ts';
import { matchTypes, newMatching } from './match.ts';
import { describe, showType } from './show.ts';
import { substituteType } from './substitute.ts';
import type { TypedExpression } from './typed.ts';
import type { FunctionType, Type } from './types.ts';

/** The result of calling `callable` with values of the types that `wanted` gives; null where they do not fit. */
function resultFor(
  context: Context,
  callable: Callable,
  wanted: FunctionType,
  span: Span,
): Type | null {
  const needed = callable.parameters.filter((p) => p.default === null).length;
  const count = wanted.parameters.length;
  if (count < needed || count > callable.parameters.length) return null;
  const matching = newMatching(callable.quantified, false);
  for (const [i, { type }] of wanted.parameters.entries()) {
    const parameter = callable.parameters[i];
    const place = { span, parameter: parameter.name, declared: parameter.span };
    if (parameter.dim !== null) return null;
    if (matchTypes(matching, parameter.type, type, place, null) !== null) return null;
  }
  const solution = solve(matching.equations, matching.dims, context.assumptions);
  const proved = solution.residual.every(
    ({ left, right }) => proveEqual(left, right, context.assumptions).kind === 'proved',
  );
  if (!proved) return null;
  return substituteType(callable.result, { dims: solution.bindings, packs: matching.bound });
}

function resultOfRule(
  context: Context,
  value: Extract<TypedExpression, { kind: 'builtin-function' }>,
  wanted: FunctionType,
  span: Span,
): Type | null {
  const silent = { ...context, report: () => {} };
  const placeholders = wanted.parameters.map(({ name, type }): TypedExpression => ({
    kind: 'local',
    local: { name: name ?? '_', type, span },
    type,
    span,
  }));
  const call = callBuiltin(silent, value.builtin, placeholders, span);
  return call.type.kind === 'unknown' ? null : call.type;
}

const gives = (context: Context, result: Type, wanted: Type): boolean =>
  result.kind === 'tensor' && wanted.kind === 'tensor'
    ? converts(result.base, wanted.base) &&
      sameType({ ...result, base: wanted.base }, wanted, context.assumptions)
    : sameType(result, wanted, context.assumptions);

/** `value` where a function of type `wanted` is needed; broken after a report. */
export function fitFunction(
  context: Context,
  value: TypedExpression,
  wanted: FunctionType,
  span: Span,
): TypedExpression {
  const target = targetOf(context, value, 'this');
  const result =
    target !== null
      ? resultFor(context, target.callable, wanted, span)
      : value.kind === 'builtin-function'
        ? resultOfRule(context, value, wanted, span)
        : null;
  if (result !== null && gives(context, result, wanted.result)) return value;
  const callable = target !== null || value.kind === 'builtin-function';
  context.report(
    report(callable ? types.E0133 : types.E0121, {
      span,
      data: { found: describe(value.type), expected: showType(wanted) },
    }),
  );
  return broken(span);
}

// Calls of builtins with a type rule of their own, and of the operators, which are builtins too.

import type { Span } from '../../grammar/source.ts';
import type { Builtin } from '../builtins/builtin.ts';
import { builtins } from '../builtins/registry.ts';
import { exactQuotient, proveAtMost, proveEqual } from '../dims/prove.ts';
import { solve } from '../dims/solve.ts';
import { callableOfBuiltin } from './callables.ts';
import { broken, isBroken, type Context } from './context.ts';
import { convertTo, real } from './convert.ts';
import { builtinOfEach } from './each.ts';
import { matchTypes, newMatching } from './match.ts';
import { reportMismatch, reportSizes } from './mismatch.ts';
import { showShape, showType } from './show.ts';
import { noBindings, substituteType } from './substitute.ts';
import type { TypedExpression } from './typed.ts';

/** A builtin by its name; that it exists is the compiler's own affair. */
export function builtinNamed(name: string): Builtin {
  const found = builtins[name];
  if (found === undefined) throw new Error(`there is no builtin ${name}`);
  return found;
}

/** A call of a builtin with typed arguments, by its rule or its signature; broken after a report. */
export function callBuiltin(
  context: Context,
  builtin: Builtin,
  given: readonly TypedExpression[],
  span: Span,
): TypedExpression {
  if (given.some(isBroken)) return broken(span);
  const ofParams = builtinOfEach(context, builtin, given, span, (of, values) =>
    callBuiltin(context, of, values, span),
  );
  if (ofParams !== null) return ofParams;
  if (builtin.rule === null) return callBySignature(context, builtin, given, span);
  let reported = false;
  const result = builtin.rule({
    name: builtin.name,
    span,
    arguments: given,
    report: (diagnostic) => {
      reported ||= diagnostic.severity === 'error';
      context.report(diagnostic);
    },
    toReal: (value) => convertTo(value, real),
    sameSize: (a, b) => {
      const trial = context.notation?.trial ?? null;
      if (trial === null) return proveEqual(a, b, context.assumptions);
      return { kind: 'proved' };
    },
    atMost: (a, b) => proveAtMost(a, b, context.assumptions),
    exactQuotient: (a, b) => {
      const quotient = exactQuotient(a, b, context.assumptions);
      return quotient.kind === 'exact' ? quotient.dim : null;
    },
    showShape,
    showType,
  });
  if (result === null || reported) return broken(span);
  return {
    kind: 'builtin',
    builtin,
    bindings: result.bindings ?? noBindings,
    arguments: result.arguments ?? given,
    data: result.data ?? null,
    type: result.type,
    span,
  };
}

/** For operators with a signature, which take their operands by position. */
function callBySignature(
  context: Context,
  builtin: Builtin,
  given: readonly TypedExpression[],
  span: Span,
): TypedExpression {
  const callable = callableOfBuiltin(context, builtin);
  if (given.length !== callable.parameters.length) return broken(span);
  const matching = newMatching(callable.quantified, (context.notation?.trial ?? null) !== null);
  for (const [i, value] of given.entries()) {
    const { type, name } = callable.parameters[i];
    const place = { span: value.span, parameter: name, declared: null };
    const mismatch = matchTypes(matching, type, value.type, place, value);
    if (mismatch === null) continue;
    reportMismatch(context, callable, mismatch, place);
    return broken(span);
  }
  const solution = solve(matching.equations, matching.dims, context.assumptions);
  const bindings = { dims: solution.bindings, packs: matching.bound };
  for (const equation of solution.residual) {
    const answer = proveEqual(equation.left, equation.right, context.assumptions);
    if (answer.kind === 'proved' || (context.notation?.trial ?? null) !== null) continue;
    const original = matching.equations.find((e) => e.origin === equation.origin) ?? equation;
    reportSizes(context, { callable, bindings, equations: matching.equations }, original, answer);
    return broken(span);
  }
  const converted = given.map((value, i) => {
    const wanted = substituteType(callable.parameters[i].type, bindings);
    return wanted.kind === 'tensor' ? convertTo(value, wanted.base) : value;
  });
  return {
    kind: 'builtin',
    builtin,
    bindings,
    arguments: converted,
    data: null,
    type: substituteType(callable.result, bindings),
    span,
  };
}

// Calls: the sizes of a signature are solved from the arguments, what cannot be solved is proved, and what `where` demands
// is checked. Equations are collected before any is judged, so the order of arguments never matters.

import type { Span } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { sizes, types } from '../diagnostics/types-and-shapes.ts';
import { dimOf, isConstant, isDefined } from '../dims/arithmetic.ts';
import type { Dim, DimVar, PackVar } from '../dims/dim.ts';
import { proveEqual } from '../dims/prove.ts';
import { sizesOf } from '../dims/linear.ts';
import { showDim } from '../dims/show.ts';
import type { Shape } from '../dims/shape.ts';
import { solve, type Equation } from '../dims/solve.ts';
import { matchArguments, type Given } from './arguments.ts';
import { assign, differ, outOfRange } from './assign.ts';
import { broken, isBroken, type Callable, type Context } from './context.ts';
import { convertTo, intScalar, sizeOfExpression } from './convert.ts';
import { toSize } from './dimensions.ts';
import { eachOf, takesEach, type Each } from './each.ts';
import { fitFunction } from './function-values.ts';
import { matchTypes, newMatching, type Matching, type SizeOrigin } from './match.ts';
import { reportMismatch, reportSizes } from './mismatch.ts';
import { withStructures } from './params.ts';
import { demandMinimum } from './minimum.ts';
import { demand } from './requirements.ts';
import { substituteDefault, substituteType } from './substitute.ts';
import { describe } from './show.ts';
import type { TypedExpression } from './typed.ts';
import type { Bindings, ParamsType, Type } from './types.ts';

export interface BoundCall {
  readonly bindings: Bindings;
  readonly arguments: readonly TypedExpression[];
  readonly result: Type;
  /** Where parameters of a layer were given for one tensor of any shape: the call is of each. */
  readonly each: Each | null;
}

/** An argument of `n: dim`, as the expression of a size; null after a report. */
function sizeArgument(context: Context, given: Given): TypedExpression | null {
  if (given.value !== null) {
    const size = sizeOfExpression(given.value);
    if (size !== null) return { kind: 'dim', dim: size, type: intScalar, span: given.span };
    if (!isBroken(given.value))
      context.report(
        report(types.E0121, {
          span: given.blame,
          data: { found: describe(given.value.type), expected: 'a size' },
        }),
      );
    return null;
  }
  const size = given.node === null ? null : toSize(context, given.node);
  return size === null ? null : { kind: 'dim', dim: size, type: intScalar, span: given.span };
}

/** The arguments, typed, in the order of the parameters; null where one is broken. */
function typeArguments(
  context: Context,
  callable: Callable,
  slots: readonly (Given | null)[],
): (TypedExpression | null)[] {
  return callable.parameters.map((parameter, i) => {
    const given = slots[i];
    if (given === null) return parameter.default?.() ?? null;
    if (parameter.dim !== null) return sizeArgument(context, given);
    if (given.value !== null) return isBroken(given.value) ? null : given.value;
    if (given.node === null) return null;
    const value = context.session.rules.expression(context, given.node, parameter.type);
    return isBroken(value) ? null : value;
  });
}

/** Whether sizes of the structure are still to be found. */
const isOpen = ({ of }: ParamsType, { dims }: Matching): boolean =>
  of.kind === 'instance' &&
  [...of.bindings.dims.values()].some((size) => sizesOf(size).some((v) => dims.has(v)));

/** Equations of all arguments but functions; whether every one fits so far. */
function collect(
  context: Context,
  callable: Callable,
  slots: readonly (Given | null)[],
  values: readonly (TypedExpression | null)[],
  matching: Matching,
): boolean {
  let good = true;
  for (const [i, parameter] of callable.parameters.entries()) {
    const value = values[i];
    if (value === null) {
      good = false;
      continue;
    }
    if (parameter.type.kind === 'function' || slots[i] === null || parameter.dim !== null) continue;
    if (parameter.type.kind === 'params' && !isOpen(parameter.type, matching)) {
      if (differ(context, value.type, parameter.type, slots[i].blame)) {
        good = false;
        continue;
      }
    }
    const place = {
      span: slots[i].blame,
      parameter: parameter.name,
      declared: parameter.span,
    };
    const mismatch = matchTypes(matching, parameter.type, value.type, place, value);
    if (mismatch === null) continue;
    reportMismatch(context, callable, mismatch, place);
    good = false;
  }
  return good;
}

/** Proves what solving left over. */
function discharge(
  context: Context,
  callable: Callable,
  bindings: Bindings,
  values: readonly (TypedExpression | null)[],
  matching: Matching,
  residual: readonly Equation<SizeOrigin>[],
): boolean {
  let good = true;
  const reported = new Set<Span>();
  for (const equation of residual) {
    const trial = context.notation?.trial ?? null;
    if (trial !== null) {
      trial.equations.push({
        ...equation,
        origin: { span: equation.origin.span, reason: () => `\`${callable.name}\` takes it` },
      });
      continue;
    }
    const answer = proveEqual(equation.left, equation.right, context.assumptions);
    if (answer.kind === 'proved') continue;
    good = false;
    const original = matching.equations.find((e) => e.origin === equation.origin) ?? equation;
    if (reported.has(original.origin.span)) continue;
    reported.add(original.origin.span);
    if (structuresDiffer(context, callable, bindings, values, original.origin)) continue;
    reportSizes(context, { callable, bindings, equations: matching.equations }, original, answer);
  }
  return good;
}

/** Reports parameters of a layer that do not fit, path by path rather than by a size of the model. */
function structuresDiffer(
  context: Context,
  callable: Callable,
  bindings: Bindings,
  values: readonly (TypedExpression | null)[],
  { parameter, span }: SizeOrigin,
): boolean {
  const at = callable.parameters.findIndex(({ name }) => name === parameter);
  const value = values[at] ?? null;
  if (value?.type.kind !== 'params') return false;
  return differ(context, value.type, substituteType(callable.parameters[at].type, bindings), span);
}

function bindingsOf(
  callable: Callable,
  values: readonly (TypedExpression | null)[],
  solved: ReadonlyMap<DimVar, Dim>,
  packs: ReadonlyMap<PackVar, Shape>,
): Bindings {
  const dims = new Map(solved);
  for (const [i, { dim }] of callable.parameters.entries()) {
    const value = values[i];
    if (dim !== null && value?.kind === 'dim') dims.set(dim, value.dim);
  }
  return { dims, packs };
}

/** Sizes that a use chose have to be at least their least value. */
function checkMinimums(context: Context, callable: Callable, bindings: Bindings, span: Span): void {
  for (const [v, size] of bindings.dims)
    demandMinimum(context, span, size, v.minimum, `it is \`${v.name}\` of \`${callable.name}\``);
}

/** The known sizes of `dim` parameters, before the other arguments are matched. */
function givenSizes(
  callable: Callable,
  values: readonly (TypedExpression | null)[],
): { dims: Map<DimVar, Dim>; good: boolean } {
  const dims = new Map<DimVar, Dim>();
  let good = true;
  for (const [i, { dim }] of callable.parameters.entries()) {
    const value = values[i];
    if (dim === null) continue;
    if (value?.kind === 'dim' && isDefined(value.dim)) dims.set(dim, value.dim);
    else good = false;
  }
  return { dims, good };
}

const mergeBindings = (a: Bindings, b: Bindings): Bindings =>
  a.dims.size === 0 && a.packs.size === 0
    ? b
    : { dims: new Map([...a.dims, ...b.dims]), packs: new Map([...a.packs, ...b.packs]) };

/** Checks the arguments of a call; null after a report. */
export function bindCall(
  context: Context,
  declared: Callable,
  given: readonly Given[],
  span: Span,
): BoundCall | null {
  const slots = matchArguments(context, declared, given, span);
  if (slots === null) {
    // Mistakes inside arguments are worth a report of their own.
    for (const { node } of given)
      if (node !== null) context.session.rules.expression(context, node, null);
    return null;
  }
  const typed = typeArguments(context, declared, slots);
  const callable = withStructures(context, declared, typed);
  if (callable === null) return null;
  const each = eachArguments(context, callable, typed);
  if (each === 'refused') return null;
  const values = each === null ? typed : each.arguments;
  const trial = (context.notation?.trial ?? null) !== null;
  const matching = newMatching(callable.quantified, trial);
  const fixed = givenSizes(callable, values);
  for (const [v, size] of fixed.dims) {
    matching.equations.push({
      left: dimOf(v),
      right: size,
      origin: sizeOrigin(callable, slots, v, span),
    });
  }
  let good = collect(context, callable, slots, values, matching) && fixed.good;
  if (!good) return null;
  const solution = solve(matching.equations, matching.dims, context.assumptions);
  const bindings = bindingsOf(callable, values, solution.bindings, matching.bound);
  good = discharge(context, callable, bindings, values, matching, solution.residual) && good;
  if (!good) return null;
  const all = mergeBindings(callable.owner, bindings);
  if (!trial) {
    checkMinimums(context, callable, bindings, span);
    demand(context, span, callable.name, callable.requirements, all);
  }
  const converted = values.map((value, i) =>
    value === null ? null : convertArgument(context, callable, i, value, slots[i], bindings, all),
  );
  const whole = converted.filter((value) => value !== null);
  if (whole.length !== converted.length || whole.some(isBroken)) return null;
  const result = substituteType(callable.result, bindings);
  checkResult(context, span, result);
  return { bindings, arguments: whole, result, each };
}

/** The arguments where some are parameters of a layer and a tensor is taken; null where that is not so. */
function eachArguments(
  context: Context,
  callable: Callable,
  values: readonly (TypedExpression | null)[],
): Each | 'refused' | null {
  const known = values.filter((value) => value !== null);
  const some = callable.parameters.some(
    ({ type }, i) => type.kind === 'tensor' && values[i]?.type.kind === 'params',
  );
  if (!some || known.length < values.length) return null;
  return takesEach(context, callable, values) ? eachOf(context, known) : 'refused';
}

/** A tensor with a size that is a number below 1 cannot be. */
function checkResult(context: Context, span: Span, result: Type): void {
  if (result.kind === 'tuple')
    for (const field of result.fields) checkResult(context, span, field.type);
  if (result.kind !== 'tensor') return;
  for (const axis of result.shape) {
    const known = axis.kind === 'size' ? isConstant(axis.size) : null;
    if (known !== null && known < 1 && axis.kind === 'size')
      context.report(
        report(sizes.E0112, {
          span,
          data: { size: showDim(axis.size), least: 1, values: null },
          help: 'the result would be empty: the input is too small',
        }),
      );
  }
}

function convertArgument(
  context: Context,
  callable: Callable,
  at: number,
  value: TypedExpression,
  given: Given | null,
  bindings: Bindings,
  all: Bindings,
): TypedExpression | null {
  const parameter = callable.parameters[at];
  if (given === null) return substituteDefault(value, all);
  if (parameter.dim !== null) return value;
  const wanted = substituteType(parameter.type, bindings);
  if (wanted.kind === 'function') return fitFunction(context, value, wanted, given.blame);
  if (wanted.kind === 'tuple' && value.type.kind === 'instance')
    return assign(context, value, wanted, null);
  if (wanted.kind === 'tensor' && value.type.kind === 'tensor') {
    // The shapes agree: the equations said so.
    if (wanted.base.kind !== 'fin') return convertTo(value, wanted.base);
    if ((context.notation?.trial ?? null) !== null) return value;
    if (value.type.base.kind === 'fin' && value.type.base.size.key === wanted.base.size.key)
      return value;
    const fitted = assign(context, value, wanted, () => {
      if (!outOfRange(context, value, wanted))
        context.report(
          report(types.E0121, {
            span: given.blame,
            data: { found: describe(value.type), expected: describe(wanted) },
          }),
        );
    });
    return isBroken(fitted) ? broken(value.span) : fitted;
  }
  return value;
}

function sizeOrigin(
  callable: Callable,
  slots: readonly (Given | null)[],
  v: DimVar,
  span: Span,
): SizeOrigin {
  const at = callable.parameters.findIndex((p) => p.dim === v);
  return {
    span: slots[at]?.blame ?? span,
    parameter: v.name,
    declared: null,
    pattern: [],
    actual: [],
    expectedAxis: null,
    actualAxis: null,
  };
}

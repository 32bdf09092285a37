// The parameters of a layer as a value: `params(net)`, calls with other parameters, and what a signature that names the
// parameters of one of its functions means at a call.

import type { Expression, NamedBase } from '../../grammar/ast.ts';
import { textOf, type Span } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { paramsDiagnostics } from '../diagnostics/params.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import type { Given } from './arguments.ts';
import { differ } from './assign.ts';
import { broken, isBroken, lookUp, unknownType, type Callable, type Context } from './context.ts';
import { describe } from './show.ts';
import { leavesOf, structureOf } from './structures.ts';
import type { Local, TypedExpression } from './typed.ts';
import type { ParamsType, Type } from './types.ts';
import { singleLayer } from './values.ts';

/** The type of all parameters of a layer, or of the layer that a function belongs to; null where there are none. */
export function paramsTypeOf(value: TypedExpression): ParamsType | null {
  const { type } = value;
  if (type.kind === 'instance')
    return leavesOf(structureOf(type)).length === 0 ? null : { kind: 'params', of: type };
  if (value.kind === 'function') return value.owner === null ? null : paramsTypeOf(value.owner);
  if (value.kind === 'with') return paramsTypeOf(value.target);
  return value.kind === 'local' && type.kind === 'function'
    ? { kind: 'params', of: { kind: 'function-parameter', local: value.local } }
    : null;
}

const nameOf = (value: TypedExpression): string =>
  value.type.kind === 'tensor' ? describe(value.type) : `\`${textOf(value.span)}\``;

const reportNone = (context: Context, value: TypedExpression, span: Span): void =>
  context.report(report(paramsDiagnostics.E0460, { span, data: { what: nameOf(value) } }));

/** The type `params(net)`, or `params(Dense(n, m))` of any layer of that model; unknown after a report. */
export function paramsType(context: Context, { arguments: given, span }: NamedBase): Type {
  const [first] = given ?? [];
  if (given?.length !== 1 || first.name !== null) {
    reportCount(context, given?.length ?? 0, span);
    return unknownType;
  }
  return paramsOfModel(context, first.value) ?? paramsOf(context, first.value) ?? unknownType;
}

/** Of a model with its sizes; null where it is none. */
function paramsOfModel(context: Context, node: Expression): Type | null {
  const callee = node.kind === 'call' ? node.callee : node;
  const entity = callee.kind === 'name' ? lookUp(context.scope, callee.text) : null;
  if (entity?.kind !== 'model') return null;
  const made = context.session.rules.instantiate(
    context,
    entity.info,
    node.kind === 'call' ? node.arguments : [],
    node.span,
  );
  if (made === null) return unknownType;
  const value: TypedExpression = { kind: 'tuple', items: [], type: made.type, span: node.span };
  const type = paramsTypeOf(value);
  if (type === null) reportNone(context, value, node.span);
  return type ?? unknownType;
}

function reportCount(context: Context, found: number, span: Span): void {
  const data = { callee: '`params`', expected: '1 argument', found };
  context.report(report(types.E0123, { span, data, help: 'it is used so: `params(net)`' }));
}

/** The type of `params(net)` by its argument; null after a report. */
function paramsOf(context: Context, node: Expression): ParamsType | null {
  const value = singleLayer(context, context.session.rules.expression(context, node, null));
  if (isBroken(value)) return null;
  const type = paramsTypeOf(value);
  if (type === null) reportNone(context, value, node.span);
  return type;
}

/** `params(net)`; broken after a report. */
export function checkParams(
  context: Context,
  given: readonly Given[],
  span: Span,
): TypedExpression {
  const [first] = given;
  if (given.length !== 1 || first.name !== null) {
    reportCount(context, given.length, span);
    return broken(span);
  }
  const { node, blame } = first;
  const value =
    node === null
      ? (first.value ?? broken(span))
      : singleLayer(context, context.session.rules.expression(context, node, null));
  if (isBroken(value)) return broken(span);
  const type = paramsTypeOf(value);
  if (type !== null) return { kind: 'params', of: value, type, span };
  reportNone(context, value, blame);
  return broken(span);
}

/** `callee`, run with the parameters that `node` gives; broken after a report. */
export function withParams(
  context: Context,
  callee: TypedExpression,
  node: Expression,
): TypedExpression {
  const params = context.session.rules.expression(context, node, null);
  if (isBroken(callee) || isBroken(params)) return broken(callee.span);
  const wanted = paramsTypeOf(callee);
  if (wanted === null) {
    const data = { name: textOf(callee.span) };
    const table = callee.type.kind === 'instance' ? null : paramsDiagnostics.E0462;
    if (table === null) reportNone(context, callee, callee.span);
    else context.report(report(table, { span: callee.span, data }));
    return broken(callee.span);
  }
  if (params.type.kind !== 'params') {
    const data = {
      found: describe(params.type),
      expected: `parameters of \`${textOf(callee.span)}\``,
    };
    context.report(report(types.E0121, { span: params.span, data }));
    return broken(callee.span);
  }
  if (differ(context, params.type, wanted, params.span)) return broken(callee.span);
  if (callee.kind === 'function' && callee.owner !== null) {
    const { owner } = callee;
    const target = {
      kind: 'with' as const,
      target: owner,
      params,
      type: owner.type,
      span: owner.span,
    };
    return { ...callee, owner: target };
  }
  return { kind: 'with', target: callee, params, type: callee.type, span: callee.span };
}

// ---- signatures that name parameters of their functions -----------------------------------------------------------

type Owners = ReadonlyMap<Local, ParamsType['of']>;

/** The functions among the parameters whose own parameters a type names. */
function functionsIn(type: Type): readonly Local[] {
  if (type.kind === 'tuple') return type.fields.flatMap((field) => functionsIn(field.type));
  return type.kind === 'params' && type.of.kind === 'function-parameter' ? [type.of.local] : [];
}

function withOwners(type: Type, owners: Owners): Type {
  if (type.kind === 'tuple')
    return {
      ...type,
      fields: type.fields.map((field) => ({ ...field, type: withOwners(field.type, owners) })),
    };
  if (type.kind !== 'params' || type.of.kind !== 'function-parameter') return type;
  return { kind: 'params', of: owners.get(type.of.local) ?? type.of };
}

/** The callable with `params(f)` of a function f that it takes replaced by that of the argument; null after a report. */
export function withStructures(
  context: Context,
  callable: Callable,
  values: readonly (TypedExpression | null)[],
): Callable | null {
  const all = [...callable.parameters.map(({ type }) => type), callable.result];
  const named = new Set(all.flatMap(functionsIn));
  if (named.size === 0) return callable;
  const owners = new Map<Local, ParamsType['of']>();
  for (const [i, { local }] of callable.parameters.entries()) {
    const value = values[i];
    if (local === null || value === null || !named.has(local)) continue;
    const type = paramsTypeOf(value);
    if (type === null) {
      reportNone(context, value, value.span);
      return null;
    }
    owners.set(local, type.of);
  }
  return {
    ...callable,
    parameters: callable.parameters.map((p) => ({ ...p, type: withOwners(p.type, owners) })),
    result: withOwners(callable.result, owners),
  };
}

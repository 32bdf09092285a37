// Functions: the signature at once, the body when someone asks, so that order and broken bodies never matter.

import type { Block, Expression, FunctionDeclaration } from '../../grammar/ast.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { programs } from '../diagnostics/programs.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import { assign, sizeNotes } from './assign.ts';
import {
  isBroken,
  lookUp,
  newScope,
  once,
  unknownType,
  type Body,
  type Context,
  type FunctionInfo,
  type ModelInfo,
  type Module,
  type Signature,
} from './context.ts';
import { followDerivatives } from './differentiability.ts';
import { makeRule } from './rules.ts';
import { describe, showType } from './show.ts';
import { noSignature, readSignature } from './signatures.ts';
import type { TypedBody, TypedExpression } from './typed.ts';
import { typedFunction } from './typed-function.ts';
import type { Type } from './types.ts';
import { singleLayer } from './values.ts';

const isBlock = (body: Expression | Block): body is Block => body.kind === 'block';

/** The declared types of the results that a body may assign by name. */
function namedResults(signature: Signature): ReadonlyMap<string, Type> {
  const { result, resultNames } = signature;
  if (result === null) return new Map();
  const first = resultNames[0] ?? null;
  if (resultNames.length === 1 && first !== null) return new Map([[first, result]]);
  if (result.kind !== 'tuple') return new Map();
  return new Map(
    result.fields.flatMap((field): [string, Type][] =>
      field.name === null ? [] : [[field.name, field.type]],
    ),
  );
}

/** `value` as the declared result. */
function asResult(
  context: Context,
  value: TypedExpression,
  declared: Type | null,
): TypedExpression {
  const single = singleLayer(context, value);
  if (declared === null || isBroken(single)) return single;
  return assign(context, single, declared, (found, wanted) =>
    context.report(
      report(types.E0131, {
        span: single.span,
        data: { found: describe(found), declared: showType(wanted) },
        notes: sizeNotes(context, found, wanted),
      }),
    ),
  );
}

/** The result of a block without `return`: the locals that have the names of the results. */
function resultByName(
  context: Context,
  node: FunctionDeclaration,
  signature: Signature,
): TypedExpression | null {
  const named = [...namedResults(signature)];
  const missing = named.length === 0 || signature.resultNames.some((name) => name === null);
  const span = node.result?.span ?? node.name?.span ?? node.span;
  if (missing) {
    context.report(report(types.E0132, { span }));
    return null;
  }
  const items = named.map(([name, type]): TypedExpression | null => {
    const entity = lookUp(context.scope, name);
    const own = entity?.kind === 'local' && context.scope.names.has(name);
    if (entity?.kind === 'broken') return null;
    if (!own) {
      context.report(
        report(types.E0132, {
          span,
          help: `assign \`${name}\``,
          related:
            entity?.kind === 'half-bound'
              ? [{ span: entity.span, reason: 'assigned in one branch only' }]
              : [],
        }),
      );
      return null;
    }
    const value: TypedExpression = {
      kind: 'local',
      local: entity.local,
      type: entity.local.type,
      span: entity.span,
    };
    return assign(context, value, type, null);
  });
  const known = items.filter((item) => item !== null);
  if (known.length !== items.length || known.some(isBroken)) return null;
  const [only] = known;
  if (signature.result?.kind !== 'tuple' || signature.resultNames.length === 1) return only;
  return { kind: 'tuple', items: known, type: signature.result, span };
}

function checkBlock(
  context: Context,
  node: FunctionDeclaration,
  block: Block,
  signature: Signature,
): TypedBody | null {
  const body: Body = { results: namedResults(signature), loop: null };
  const statements = context.session.rules.statements(context, body, block.statements);
  if (block.result !== null) {
    const assigned = [...body.results.keys()].find((name) => context.scope.names.has(name));
    if (assigned !== undefined)
      context.report(report(types.E0137, { span: block.result.span, data: { name: assigned } }));
    const value = context.session.rules.expression(context, block.result, signature.result);
    const result = asResult(context, value, signature.result);
    return isBroken(result) ? null : { statements, result };
  }
  const result = resultByName(context, node, signature);
  return result === null ? null : { statements, result };
}

/** The body with the variables of its derivatives marked. */
function withVariables(context: Context, body: TypedBody, signature: Signature): TypedBody {
  const parameters = signature.parameters.map(({ local }) => local);
  const course = { steps: body.statements, result: body.result, parameters };
  return { ...body, statements: followDerivatives(context, course, 'function') };
}

function checkBody(
  outer: Context,
  node: FunctionDeclaration,
  signature: Signature,
  info: FunctionInfo,
): TypedBody | null {
  const context: Context = {
    ...outer,
    scope: newScope('function', signature.scope),
    assumptions: signature.assumptions,
    user: info,
    stateType:
      outer.model?.typed.keyword === 'optimizer' ? (signature.parameters[0]?.type ?? null) : null,
  };
  for (const [name, entity] of signature.scope.names) context.scope.names.set(name, entity);
  if (isBlock(node.body)) {
    const body = checkBlock(context, node, node.body, signature);
    return body === null ? null : withVariables(context, body, signature);
  }
  if (node.body.kind === 'error') return null;
  const value = context.session.rules.expression(context, node.body, signature.result);
  const result = asResult(context, value, signature.result);
  return isBroken(result) ? null : withVariables(context, { statements: [], result }, signature);
}

/** Inputs and results of an entry point are tensors whose ranks are known. */
function checkExported(context: Context, node: FunctionDeclaration, signature: Signature): void {
  const refuse = (span: FunctionDeclaration['span'], what: string, type: Type): void =>
    context.report(report(programs.E0412, { span, data: { what, found: describe(type) } }));
  const isTensor = (type: Type): boolean =>
    type.kind === 'unknown' ||
    (type.kind === 'tensor' && type.shape.every((axis) => axis.kind === 'size'));
  const input = signature.parameters.find((parameter) => !isTensor(parameter.type));
  if (input !== undefined) {
    refuse(input.span, `\`${input.name}\``, input.type);
    return;
  }
  const { result } = signature;
  if (result === null || node.result === null) return;
  const parts = result.kind === 'tuple' ? result.fields.map((field) => field.type) : [result];
  const wrong = parts.find((type) => !isTensor(type));
  if (wrong !== undefined) refuse(node.result.span, 'the result', wrong);
}

/** A function of a module or model; `outer` is the context of the definitions around it. */
export function makeFunction(
  node: FunctionDeclaration,
  owner: ModelInfo | null,
  module: Module,
  outer: () => Context,
): FunctionInfo {
  const signature = once(
    () => {
      const { parameters, where, result } = node;
      const read = readSignature(outer(), { parameters, where, result, scope: 'function' });
      if (node.exported) checkExported(outer(), node, read);
      return read;
    },
    () => noSignature('function'),
  );
  const body: () => TypedBody | null = once(
    () => checkBody(outer(), node, signature(), info),
    () => null,
  );
  const result = (): Type => signature().result ?? body()?.result.type ?? unknownType;
  const rule = once(
    () => {
      const [own] = owner === null ? (module.rules.get(node.name?.text ?? '') ?? []) : [];
      return own === undefined ? null : makeRule(outer(), info, own);
    },
    () => null,
  );
  const { span, documentation, exported } = node;
  const name = node.name?.text ?? null;
  const own = { name, span, documentation, exported, owner: owner?.typed ?? null, body, rule };
  const typed = typedFunction(own, signature, result);
  const info: FunctionInfo = { node, module, owner, typed, signature, result };
  return info;
}

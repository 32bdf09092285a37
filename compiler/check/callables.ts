// What can be called: functions, layers, function-typed values and the builtins that have a signature, all as one thing.

import type { FunctionDeclaration } from '../../grammar/ast.ts';
import { parse } from '../../grammar/parse.ts';
import type { Builtin } from '../builtins/builtin.ts';
import { noAssumptions } from '../dims/assumptions.ts';
import {
  newScope,
  unknownType,
  type Callable,
  type Context,
  type FunctionInfo,
  type ModelInfo,
  type Signature,
} from './context.ts';
import { readSignature } from './signatures.ts';
import { noBindings, substituteType } from './substitute.ts';
import type { Callee, TypedExpression } from './typed.ts';
import type { Bindings, FunctionType, InstanceType, Type } from './types.ts';

export interface Target {
  readonly callable: Callable;
  readonly callee: Callee | { readonly kind: 'builtin'; readonly builtin: Builtin };
}

const ownerBindings = (owner: TypedExpression | null): Bindings =>
  owner?.type.kind === 'instance' ? owner.type.bindings : noBindings;

function fromSignature(
  name: string,
  signature: Signature,
  result: Type,
  owner: Bindings,
  layer: Callable['layer'],
): Callable {
  return {
    name,
    parameters: signature.parameters.map((parameter) => ({
      name: parameter.name,
      type: substituteType(parameter.type, owner),
      declared: parameter.type,
      dim: parameter.dim,
      local: parameter.local,
      span: parameter.span,
      default: parameter.default,
    })),
    quantified: signature.quantified,
    requirements: signature.requirements,
    owner,
    result: substituteType(result, owner),
    layer,
  };
}

/** The layer that an instance is, where it is one of a declaration. */
const layerOf = (owner: TypedExpression | null): Callable['layer'] => {
  if (owner?.kind === 'layer') return owner.layer;
  return owner?.kind === 'element' || owner?.kind === 'with' ? layerOf(owner.target) : null;
};

export const callableOfFunction = (
  info: FunctionInfo,
  name: string,
  owner: TypedExpression | null,
): Callable =>
  fromSignature(name, info.signature(), info.result(), ownerBindings(owner), layerOf(owner));

const callableOfType = (type: FunctionType, name: string): Callable => ({
  name,
  parameters: type.parameters.map((parameter) => ({
    name: parameter.name,
    type: parameter.type,
    declared: parameter.type,
    dim: null,
    local: null,
    span: null,
    default: null,
  })),
  quantified: type.quantified,
  requirements: [],
  owner: noBindings,
  result: type.result,
  layer: null,
});

/** The function without a name: what calling a layer runs. */
export const mainFunction = (info: ModelInfo): FunctionInfo | null =>
  info.functions().find(({ node }) => node.name === null) ?? null;

const builtinCallables = new WeakMap<Builtin, Callable>();

/** The signature of a builtin that has one, read once. */
export function callableOfBuiltin(context: Context, builtin: Builtin): Callable {
  const known = builtinCallables.get(builtin);
  if (known !== undefined) return known;
  const source = { path: `builtin ${builtin.name}`, text: `${builtin.signature} = 0` };
  const { file, problems } = parse(source);
  const node = file.declarations.find(
    (declaration): declaration is FunctionDeclaration => declaration.kind === 'fn',
  );
  if (node === undefined || problems.length > 0)
    throw new Error(`the signature of ${builtin.name} does not parse: ${builtin.signature}`);
  const outer: Context = {
    ...context,
    scope: newScope('module', null),
    assumptions: noAssumptions,
    model: null,
    user: null,
    notation: null,
    stateType: null,
    report: (diagnostic) => {
      throw new Error(`the signature of ${builtin.name}: ${diagnostic.message}`);
    },
  };
  const { parameters, where, result } = node;
  const signature = readSignature(outer, { parameters, where, result, scope: 'function' });
  const { name } = builtin;
  const made = fromSignature(name, signature, signature.result ?? unknownType, noBindings, null);
  // Its signature is no text of the user's.
  const callable = { ...made, parameters: made.parameters.map((p) => ({ ...p, span: null })) };
  builtinCallables.set(builtin, callable);
  return callable;
}

function targetOfInstance(
  context: Context,
  value: TypedExpression,
  type: InstanceType,
  name: string,
): Target | null {
  const info = context.session.models.get(type.model);
  const main = info === undefined ? null : mainFunction(info);
  if (main === null) return null;
  return {
    callable: callableOfFunction(main, name, value),
    callee: { kind: 'function', function: main.typed, owner: value },
  };
}

/** What calling `value` runs; null where it cannot be called, or by a type rule of its own only. */
export function targetOf(context: Context, value: TypedExpression, name: string): Target | null {
  if (value.kind === 'function') {
    const info = context.session.functions.get(value.function);
    if (info === undefined) return null;
    const { owner } = value;
    return {
      callable: callableOfFunction(info, name, owner),
      callee: { kind: 'function', function: value.function, owner },
    };
  }
  if (value.kind === 'builtin-function')
    return value.builtin.rule !== null
      ? null
      : {
          callable: callableOfBuiltin(context, value.builtin),
          callee: { kind: 'builtin', builtin: value.builtin },
        };
  if (value.type.kind === 'instance') return targetOfInstance(context, value, value.type, name);
  if (value.type.kind === 'function')
    return { callable: callableOfType(value.type, name), callee: { kind: 'value', value } };
  return null;
}

/** The type of a callable as a value. */
export const functionType = (callable: Callable): FunctionType => ({
  kind: 'function',
  quantified: callable.quantified,
  parameters: callable.parameters.map(({ name, type }) => ({ name, type })),
  result: callable.result,
});

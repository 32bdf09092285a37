// Models and optimizers: hyper-parameters, members, and what a layer of them is.

import type {
  Argument,
  ConstDeclaration,
  Expression,
  LayerDeclaration,
  Member,
  ModelDeclaration,
  ParamDeclaration,
  StateDeclaration,
} from '../../grammar/ast.ts';
import { textOf, type Span } from '../../grammar/source.ts';
import { distributions } from '../builtins/random.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { programs } from '../diagnostics/programs.ts';
import { suggest } from '../diagnostics/suggest.ts';
import { sizes, types } from '../diagnostics/types-and-shapes.ts';
import { noAssumptions } from '../dims/assumptions.ts';
import type { Dim } from '../dims/dim.ts';
import { givenOf, matchArguments } from './arguments.ts';
import { assign } from './assign.ts';
import { bindCall } from './calls.ts';
import {
  isBroken,
  newScope,
  once,
  recordUse,
  unknownType,
  type Callable,
  type Context,
  type Entity,
  type FunctionInfo,
  type HyperSignature,
  type ModelInfo,
  type Module,
  type Scope,
} from './context.ts';
import { converts, convertTo, isScalar, realScalar, sizeOfExpression } from './convert.ts';
import { toSize } from './dimensions.ts';
import { makeFunction } from './functions.ts';
import { resolvePath } from './paths.ts';
import { demandMinimum } from './requirements.ts';
import { describe, showType } from './show.ts';
import { declare, readSignature } from './signatures.ts';
import { isStatic } from './static.ts';
import { noBindings } from './substitute.ts';
import type {
  HyperParameter,
  Instantiation,
  Local,
  TypedConstant,
  TypedExpression,
  TypedLayer,
  TypedModel,
  TypedParameter,
  TypedState,
} from './typed.ts';
import { toType } from './types-from-syntax.ts';
import type { Type } from './types.ts';

// ---- members ------------------------------------------------------------------------------------------------------

/** A number fills a tensor; otherwise the value has the declared type. */
function initialValue(context: Context, node: Expression, wanted: Type): TypedExpression | null {
  const value = context.session.rules.expression(context, node, wanted);
  if (isBroken(value)) return null;
  if (wanted.kind === 'tensor' && isScalar(value.type) && converts(value.type.base, wanted.base))
    return convertTo(value, wanted.base);
  const fitted = assign(context, value, wanted, (found) =>
    context.report(
      report(programs.E0413, {
        span: node.span,
        data: { found: describe(found), shape: showType(wanted) },
      }),
    ),
  );
  return isBroken(fitted) ? null : fitted;
}

/** `~ normal(0, he(n))`, `~ uniform` */
function drawn(
  context: Context,
  node: Expression,
  wanted: Type,
): TypedParameter['initialiser'] | null {
  const callee = node.kind === 'call' ? node.callee : node;
  const given = node.kind === 'call' ? node.arguments : [];
  const distribution = callee.kind === 'name' ? distributions[callee.text] : undefined;
  if (callee.kind === 'error') return null;
  if (distribution === undefined) {
    const near = callee.kind === 'name' ? suggest(callee.text, Object.keys(distributions)) : null;
    context.report(
      report(programs.E0413, {
        span: node.span,
        data: { found: `\`${textOf(callee.span)}\``, shape: showType(wanted) },
        help:
          near === null
            ? `distributions are ${Object.keys(distributions)
                .map((name) => `\`${name}\``)
                .join(', ')}`
            : `did you mean \`${near}\`?`,
        fix: near === null ? [] : [{ span: callee.span, newText: near }],
      }),
    );
    return null;
  }
  const callable: Callable = {
    name: distribution.name,
    parameters: distribution.parameters.map(({ name, default: value }) => ({
      name,
      type: realScalar,
      declared: realScalar,
      dim: null,
      span: null,
      default:
        value === null
          ? null
          : () => ({ kind: 'number', value, type: realScalar, span: node.span }),
    })),
    quantified: [],
    requirements: [],
    owner: noBindings,
    result: wanted,
    layer: null,
  };
  const bound = bindCall(context, callable, given.map(givenOf), node.span);
  return bound === null
    ? null
    : { kind: 'draw', distribution: distribution.name, arguments: bound.arguments };
}

function makeParameter(context: Context, node: ParamDeclaration): TypedParameter | null {
  const type = toType(context, node.type);
  if (type.kind === 'unknown') return null;
  if (type.kind !== 'tensor' || type.base.kind !== 'real') {
    context.report(
      report(types.E0121, {
        span: node.type.span,
        data: { found: describe(type), expected: 'a tensor of reals, which learns' },
      }),
    );
    return null;
  }
  const name = node.name.text;
  const initialiser =
    node.initialiser === '~' ? drawn(context, node.value, type) : valued(context, node.value, type);
  // Its type is enough for those who use it.
  return { name, span: node.span, type, initialiser: initialiser ?? zeroInitialiser(node.span) };
}

function valued(
  context: Context,
  node: Expression,
  wanted: Type,
): TypedParameter['initialiser'] | null {
  const value = initialValue(context, node, wanted);
  return value === null ? null : { kind: 'value', value };
}

const zeroInitialiser = (span: Span): TypedParameter['initialiser'] => ({
  kind: 'value',
  value: { kind: 'number', value: 0, type: realScalar, span },
});

/** `state mu: [n] = 0`; in an optimizer without a type, which is that of the parameter it serves. */
export function makeState(context: Context, node: StateDeclaration): TypedState | null {
  const isOptimizer = context.model?.node.keyword === 'optimizer';
  if (node.type === null && isOptimizer) {
    const initial = initialValue(context, node.value, realScalar);
    return initial === null ? null : { name: node.name.text, span: node.span, type: null, initial };
  }
  const declared = node.type === null ? null : toType(context, node.type);
  if (declared?.kind === 'unknown') return null;
  if (declared === null) {
    const initial = context.session.rules.expression(context, node.value, null);
    if (isBroken(initial)) return null;
    return { name: node.name.text, span: node.span, type: initial.type, initial };
  }
  const initial = initialValue(context, node.value, declared);
  if (initial === null) return null;
  return { name: node.name.text, span: node.span, type: declared, initial };
}

export function makeConstant(context: Context, node: ConstDeclaration): TypedConstant | null {
  const declared = node.type === null ? null : toType(context, node.type);
  const value = context.session.rules.expression(context, node.value, declared);
  if (isBroken(value)) return null;
  const fitted = declared === null ? value : assign(context, value, declared, null);
  if (isBroken(fitted)) return null;
  return { name: node.name.text, span: node.span, type: fitted.type, value: fitted };
}

/** `dim m = 2 * n` */
export const makeDim = (context: Context, node: ConstDeclaration): Dim | null => {
  const size = toSize(context, node.value);
  if (size === null) return null;
  return demandMinimum(context, node.value.span, size, 0, 'sizes are not negative') ? size : null;
};

// ---- layers -------------------------------------------------------------------------------------------------------

/** `layer steps[L] = Coupling(d, h)` */
export function makeLayer(context: Context, node: LayerDeclaration): TypedLayer | null {
  const count = node.count === null ? null : toSize(context, node.count);
  if (node.count !== null) {
    if (count === null) return null;
    if (!demandMinimum(context, node.count.span, count, 1, 'an array of layers is not empty'))
      return null;
  }
  const value = instantiateExpression(context, node.value);
  if (value === null) return null;
  const layer: TypedLayer = { name: node.name.text, span: node.span, count, value };
  context.session.declarations.set(layer, node);
  return layer;
}

/** `MLP(784, 10)`, where only a model with its hyper-parameters can stand; null after a report. */
export function instantiateExpression(
  context: Context,
  node: Expression,
  wanted: 'model' | 'optimizer' = 'model',
): Instantiation | null {
  if (node.kind === 'error') return null;
  const table = wanted === 'model' ? programs.E0408 : programs.E0409;
  const callee = node.kind === 'call' ? node.callee : node;
  const parts =
    callee.kind === 'name'
      ? [{ text: callee.text, span: callee.span }]
      : callee.kind === 'member' && callee.target.kind === 'name'
        ? [{ text: callee.target.text, span: callee.target.span }, callee.name]
        : null;
  if (parts === null) {
    const value = context.session.rules.expression(context, node, null);
    if (!isBroken(value))
      context.report(report(table, { span: node.span, data: { found: describe(value.type) } }));
    return null;
  }
  const entity = resolvePath(context, { parts, span: callee.span });
  if (entity === null || entity.kind === 'broken') return null;
  if (
    entity.kind !== 'model' ||
    (entity.info.node.keyword === 'optimizer') !== (wanted === 'optimizer')
  ) {
    context.report(
      report(table, {
        span: node.span,
        data: { found: `\`${textOf(callee.span)}\`, ${entityWord(entity)}` },
      }),
    );
    return null;
  }
  return instantiate(context, entity.info, node.kind === 'call' ? node.arguments : [], node.span);
}

const entityWords: Readonly<Partial<Record<Entity['kind'], string>>> = {
  function: 'a function',
  layer: 'a layer',
  type: 'a type',
  constant: 'a constant',
  dim: 'a size',
  local: 'a value',
};

function entityWord(entity: Entity): string {
  if (entity.kind === 'model')
    return entity.info.node.keyword === 'optimizer' ? 'an optimizer' : 'a model';
  return entityWords[entity.kind] ?? 'something else';
}

/** A model with its hyper-parameters; null after a report. */
export function instantiate(
  context: Context,
  model: ModelInfo,
  given: readonly Argument[],
  span: Span,
): Instantiation | null {
  recordUse(context, model, span);
  const name = model.node.name.text;
  const signature = model.signature();
  const callable: Callable = {
    name,
    parameters: signature.parameters.map((parameter) => ({
      ...parameter,
      declared: parameter.type,
    })),
    quantified: signature.quantified,
    requirements: signature.requirements,
    owner: noBindings,
    result: unknownType,
    layer: null,
  };
  const bound = bindCall(context, callable, given.map(givenOf), span);
  if (bound === null) return null;
  const slots = matchArguments(
    { ...context, report: () => {} },
    callable,
    given.map(givenOf),
    span,
  );
  const values = new Map<Local, TypedExpression>();
  let good = true;
  for (const [i, parameter] of signature.parameters.entries()) {
    const value = bound.arguments[i];
    if (parameter.dim === null) values.set(parameter.local, value);
    if (parameter.dim !== null || slots?.[i] == null) continue;
    if (isStatic(value, context.session.isStaticLocal)) continue;
    good = false;
    context.report(
      report(sizes.E0115, {
        span: value.span,
        data: { what: `\`${parameter.name}\``, why: 'is a hyper-parameter' },
      }),
    );
  }
  if (!good) return null;
  return { type: { kind: 'instance', model: model.typed, bindings: bound.bindings }, values };
}

// ---- models -------------------------------------------------------------------------------------------------------

const emptySignature = (): HyperSignature => ({
  parameters: [],
  quantified: [],
  requirements: [],
  assumptions: noAssumptions,
  scope: newScope('model', null),
});

/** Hyper-parameters are known when the program is built: numbers, truth values, functions, layers. */
function checkHyperTypes(context: Context, signature: HyperSignature): void {
  for (const { type, span, local } of signature.parameters) {
    context.session.staticLocals.add(local);
    const fits =
      type.kind === 'unknown' ||
      type.kind === 'function' ||
      type.kind === 'instance' ||
      isScalar(type);
    if (!fits)
      context.report(
        report(types.E0121, {
          span,
          data: {
            found: describe(type),
            expected: 'a number, a truth value, a size, a function or a layer',
          },
          help: 'tensors are `param`, `state` or `const`',
        }),
      );
  }
}

interface Members {
  readonly scope: Scope;
  readonly functions: readonly FunctionInfo[];
  readonly parameters: () => readonly TypedParameter[];
  readonly states: () => readonly TypedState[];
  readonly layers: () => readonly TypedLayer[];
  readonly constants: () => readonly TypedConstant[];
}

const present = <T>(items: readonly (() => T | null)[]): readonly T[] =>
  items.map((item) => item()).filter((item) => item !== null);

/** Declares every member; each is computed when first asked for. */
function declareMembers(context: Context, info: ModelInfo): Members {
  const parameters: (() => TypedParameter | null)[] = [];
  const states: (() => TypedState | null)[] = [];
  const layers: (() => TypedLayer | null)[] = [];
  const constants: (() => TypedConstant | null)[] = [];
  const functions: FunctionInfo[] = [];
  const cycle = (name: { readonly text: string; readonly span: Span }) => (): null => {
    reportCycle(context, name);
    return null;
  };
  const add: {
    readonly [K in Member['kind']]: (node: Extract<Member, { kind: K }>) => Entity | null;
  } = {
    param: (node) => {
      const get = once(() => makeParameter(context, node), cycle(node.name));
      parameters.push(get);
      return { kind: 'parameter', get, span: node.name.span };
    },
    state: (node) => {
      const get = once(() => makeState(context, node), cycle(node.name));
      states.push(get);
      return { kind: 'state', get, span: node.name.span };
    },
    layer: (node) => {
      const get = once(() => makeLayer(context, node), cycle(node.name));
      layers.push(get);
      return { kind: 'layer', get, span: node.name.span };
    },
    const: (node) => {
      if (node.keyword === 'dim') {
        const get = once(() => makeDim(context, node), cycle(node.name));
        return { kind: 'lazy-dim', get, span: node.name.span };
      }
      const get = once(() => makeConstant(context, node), cycle(node.name));
      constants.push(get);
      return { kind: 'constant', get, span: node.name.span };
    },
    fn: (node) => {
      const made = makeFunction(node, info, context.module, () => context);
      context.session.functions.set(made.typed, made);
      functions.push(made);
      return node.name === null ? null : { kind: 'function', info: made, span: node.name.span };
    },
    error: () => null,
  };
  let main: Span | null = null;
  for (const member of info.node.members) {
    // The table's type ties each rule to its kind; TypeScript cannot follow that through an indexed call.
    const entity = (add[member.kind] as (node: Member) => Entity | null)(member);
    if (member.kind === 'fn' && member.name === null) {
      const head: Span = { ...member.span, end: member.body.span.start };
      if (main !== null)
        context.report(
          report(programs.E0419, {
            span: head,
            related: [{ span: main, reason: 'here first' }],
          }),
        );
      main ??= head;
    }
    if (entity !== null && member.kind !== 'error' && member.name !== null)
      declare(context, member.name, entity);
  }
  return {
    scope: context.scope,
    functions,
    parameters: () => present(parameters),
    states: () => present(states),
    layers: () => present(layers),
    constants: () => present(constants),
  };
}

/** Reports a value that is defined by itself. */
export function reportCycle(
  context: Context,
  name: { readonly text: string; readonly span: Span },
): void {
  context.report(report(programs.E0420, { span: name.span, data: { name: name.text } }));
}

/** A model of a module; `outer` is the context of the module. */
export function makeModel(node: ModelDeclaration, module: Module, outer: () => Context): ModelInfo {
  const signature = once((): HyperSignature => {
    const context = outer();
    const { parameters, where } = node;
    const read = readSignature(context, { parameters, where, result: null, scope: 'model' });
    checkHyperTypes(context, read);
    return read;
  }, emptySignature);
  const inside = once(
    (): Context => ({
      ...outer(),
      scope: newScope('model', signature().scope),
      assumptions: signature().assumptions,
      model: info,
      user: info,
    }),
    outer,
  );
  const members = once(
    (): Members => declareMembers(inside(), info),
    (): Members => ({
      scope: inside().scope,
      functions: [],
      parameters: () => [],
      states: () => [],
      layers: () => [],
      constants: () => [],
    }),
  );
  const typed: TypedModel = {
    keyword: node.keyword === 'optimizer' ? 'optimizer' : 'model',
    name: node.name.text,
    span: node.span,
    documentation: node.documentation,
    get hyperParameters() {
      return signature().parameters.map((parameter): HyperParameter => {
        const value = parameter.default?.() ?? null;
        if (parameter.dim === null)
          return { kind: 'value', local: parameter.local, default: value };
        const size = value === null ? null : sizeOfExpression(value);
        return { kind: 'dim', variable: parameter.dim, default: size };
      });
    },
    get assumptions() {
      return signature().assumptions;
    },
    get parameters() {
      return members().parameters();
    },
    get states() {
      return members().states();
    },
    get layers() {
      return members().layers();
    },
    get constants() {
      return members().constants();
    },
    get functions() {
      return members().functions.map((made) => made.typed);
    },
  };
  const info: ModelInfo = {
    node,
    module,
    typed,
    signature,
    members: () => members().scope,
    functions: () => members().functions,
  };
  return info;
}

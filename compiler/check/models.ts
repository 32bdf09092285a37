// Models and optimizers: hyper-parameters, and members that are computed when first asked for.

import type { Member, ModelDeclaration } from '../../grammar/ast.ts';
import { type Span } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { programs } from '../diagnostics/programs.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import { noAssumptions } from '../dims/assumptions.ts';
import {
  newScope,
  once,
  type Context,
  type Entity,
  type FunctionInfo,
  type HyperSignature,
  type ModelInfo,
  type Module,
  type Scope,
} from './context.ts';
import { isScalar, sizeOfExpression } from './convert.ts';
import { makeFunction } from './functions.ts';
import { describe } from './show.ts';
import { declare, readSignature } from './signatures.ts';
import type {
  HyperParameter,
  TypedConstant,
  TypedLayer,
  TypedModel,
  TypedParameter,
  TypedState,
} from './typed.ts';
import { makeConstant, makeDim, makeParameter, makeState } from './members.ts';
import { makeLayer } from './layers.ts';

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

// Models, optimizers, schedules and decision processes: hyper-parameters, and members that are computed when first asked for.

import type { Expression, Member } from '../../grammar/ast.ts';
import { type Span } from '../../grammar/source.ts';
import { bijectors } from '../diagnostics/bijectors.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { programs } from '../diagnostics/programs.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import type { Dim } from '../dims/dim.ts';
import { derive } from './bijectors/derive.ts';
import {
  newScope,
  once,
  type Context,
  type Derived,
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
import { declare, noSignature, readSignature } from './signatures.ts';
import { isTabulated } from './static.ts';
import type {
  HyperParameter,
  TypedCheck,
  TypedConstant,
  TypedLayer,
  TypedModel,
  TypedParameter,
  TypedState,
} from './typed.ts';
import { valueConditions } from './requirements.ts';
import {
  checkRows,
  definesTables,
  demandParts,
  makeCheck,
  makeSpace,
  makeTable,
  mdpTables,
} from './tables.ts';
import { makeConstant, makeDim, makeParameter, makeState } from './members.ts';
import { makeLayer } from './layers.ts';

/** Hyper-parameters are known when the program is built: numbers, truth values, functions, layers, records of tables. */
function checkHyperTypes(context: Context, signature: HyperSignature, tabulated: boolean): void {
  for (const { type, span, local } of signature.parameters) {
    context.session.staticLocals.add(local);
    const fits =
      type.kind === 'unknown' ||
      type.kind === 'function' ||
      (type.kind === 'tuple' && !tabulated) ||
      type.kind === 'instance' ||
      isScalar(type);
    if (!fits)
      context.report(
        report(types.E0121, {
          span,
          data: {
            found: describe(type),
            expected: 'a number, a truth value, a size, a function, a layer or a record of tables',
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
  readonly checks: () => readonly TypedCheck[];
  readonly derived: Derived | null;
  readonly rowSum: () => number | null;
}

const noMembers = (scope: Scope): Members => ({
  scope,
  functions: [],
  parameters: () => [],
  states: () => [],
  layers: () => [],
  constants: () => [],
  checks: () => [],
  derived: null,
  rowSum: () => null,
});

const present = <T>(items: readonly (() => T | null)[]): readonly T[] =>
  items.map((item) => item()).filter((item) => item !== null);

/** What stands in the braces of some model. */
type AnyMember = ModelInfo['node']['members'][number];

interface Lists {
  readonly parameters: (() => TypedParameter | null)[];
  readonly states: (() => TypedState | null)[];
  readonly layers: (() => TypedLayer | null)[];
  readonly constants: (() => TypedConstant | null)[];
  readonly checks: (() => TypedCheck | null)[];
  readonly functions: FunctionInfo[];
}

type Adders<K extends AnyMember['kind']> = {
  readonly [L in K]: (node: Extract<AnyMember, { kind: L }>) => Entity | null;
};

const cycle =
  (context: Context, name: { readonly text: string; readonly span: Span }) => (): null => {
    reportCycle(context, name);
    return null;
  };

/** The rules for members of models: what each declares under its name. */
const memberRules = (context: Context, info: ModelInfo, lists: Lists): Adders<Member['kind']> => ({
  param: (node) => {
    const get = once(() => makeParameter(context, node), cycle(context, node.name));
    lists.parameters.push(get);
    return { kind: 'parameter', get, span: node.name.span };
  },
  state: (node) => {
    const get = once(() => makeState(context, node), cycle(context, node.name));
    lists.states.push(get);
    return { kind: 'state', get, span: node.name.span };
  },
  layer: (node) => {
    const get = once(() => makeLayer(context, node), cycle(context, node.name));
    lists.layers.push(get);
    return { kind: 'layer', get, span: node.name.span };
  },
  const: (node) => {
    if (node.keyword === 'dim') {
      const get = once(() => makeDim(context, node), cycle(context, node.name));
      return { kind: 'lazy-dim', get, span: node.name.span };
    }
    const get = once(() => makeConstant(context, node), cycle(context, node.name));
    lists.constants.push(get);
    return { kind: 'constant', get, span: node.name.span };
  },
  fn: (node) => {
    const made = makeFunction(node, info, context.module, () => context);
    context.session.functions.set(made.typed, made);
    lists.functions.push(made);
    return node.name === null ? null : { kind: 'function', info: made, span: node.name.span };
  },
  error: () => null,
});

/** The rules for what only schedules and decision processes have. A binding declares its names itself. */
function tableRules(
  context: Context,
  { constants, checks }: Lists,
): Adders<Exclude<AnyMember['kind'], Member['kind']>> {
  const spaces = { states: (): Dim | null => null, actions: (): Dim | null => null };
  const declared = once(
    () => mdpTables(spaces.states(), spaces.actions()),
    () => new Map(),
  );
  return {
    bind: (node) => {
      const good = definesTables(context, node);
      for (const [i, target] of node.targets.entries()) {
        const { name } = target;
        const get = once(
          () => makeTable(context, target, node.values[i], declared().get(name.text) ?? null),
          cycle(context, name),
        );
        if (good) constants.push(get);
        const { span } = name;
        declare(context, name, good ? { kind: 'constant', get, span } : { kind: 'broken', span });
      }
      return null;
    },
    check: ({ conditions }) => {
      for (const condition of conditions) checks.push(checkOf(context, condition));
      return null;
    },
    space: (node) => {
      const get = once(() => makeSpace(context, node), cycle(context, node.name));
      spaces[node.keyword] = get;
      return { kind: 'lazy-dim', get, span: node.name.span };
    },
  };
}

const checkOf = (context: Context, condition: Expression): (() => TypedCheck | null) =>
  once(
    () => makeCheck(context, condition),
    () => null,
  );

/** Declares every member; each is computed when first asked for. */
function declareMembers(context: Context, info: ModelInfo): Members {
  const lists: Lists = {
    parameters: [],
    states: [],
    layers: [],
    constants: [],
    checks: [],
    functions: [],
  };
  const add = { ...memberRules(context, info, lists), ...tableRules(context, lists) };
  let main: Span | null = null;
  for (const member of info.node.members) {
    // The table's type ties each rule to its kind; TypeScript cannot follow that through an indexed call.
    const entity = (add[member.kind] as (node: AnyMember) => Entity | null)(member);
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
    if (entity !== null && 'name' in member && member.name !== null)
      declare(context, member.name, entity);
  }
  if (isTabulated(info.typed)) {
    const { where, parameters } = info.node;
    for (const condition of valueConditions(where, parameters))
      lists.checks.push(checkOf(context, condition));
    demandParts(context, info);
  }
  return {
    scope: context.scope,
    functions: lists.functions,
    parameters: () => present(lists.parameters),
    states: () => present(lists.states),
    layers: () => present(lists.layers),
    constants: () => present(lists.constants),
    checks: () => present(lists.checks),
    derived:
      info.typed.keyword === 'bijector' ? declareDerived(context, info, lists.functions) : null,
    rowSum: once(
      () => checkRows(context),
      () => null,
    ),
  };
}

/** `inverse` and `logdet` of a bijector are members too. */
function declareDerived(
  context: Context,
  { node }: ModelInfo,
  functions: readonly FunctionInfo[],
): Derived | null {
  const main = functions.find((made) => made.node.name === null);
  if (main === undefined) {
    const why = 'it has no function without a name';
    context.report(report(bijectors.E0470, { span: node.name.span, data: { why } }));
    return null;
  }
  const derived = derive(context, main);
  for (const [text, made] of [
    ['inverse', derived.inverse],
    ['logdet', derived.logdet],
  ] as const) {
    const known = context.scope.names.get(text);
    if (known !== undefined)
      context.report(report(bijectors.E0471, { span: known.span, data: { name: text } }));
    context.scope.names.set(text, { kind: 'function', info: made, span: node.name.span });
  }
  return derived;
}

/** Reports a value that is defined by itself. */
export function reportCycle(
  context: Context,
  name: { readonly text: string; readonly span: Span },
): void {
  context.report(report(programs.E0420, { span: name.span, data: { name: name.text } }));
}

/** The hyper-parameters, and what `where` says of sizes; conditions on the values of a schedule are checked when these are known. */
function readHead(context: Context, node: ModelInfo['node']): HyperSignature {
  const { parameters } = node;
  const later = node.kind === 'model' ? [] : valueConditions(node.where, parameters);
  const where = node.where.filter((condition) => !later.includes(condition));
  const read = readSignature(context, { parameters, where, result: null, scope: 'model' });
  checkHyperTypes(context, read, node.kind !== 'model');
  return read;
}

/** A model of a module; `outer` is the context of the module. */
export function makeModel(
  node: ModelInfo['node'],
  module: Module,
  outer: () => Context,
): ModelInfo {
  const signature = once(
    (): HyperSignature => readHead(outer(), node),
    () => noSignature('model'),
  );
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
    (): Members => noMembers(inside().scope),
  );
  const typed: TypedModel = {
    keyword: node.kind === 'model' ? node.keyword : node.kind,
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
    get checks() {
      return members().checks();
    },
    get rowSum() {
      return members().rowSum();
    },
  };
  const info: ModelInfo = {
    node,
    module,
    typed,
    signature,
    members: () => members().scope,
    functions: () => members().functions,
    derived: () => members().derived,
  };
  return info;
}

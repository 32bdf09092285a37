// The checker: names, types, sizes, index notation. In: the text of a file. Out: a typed program and diagnostics; the
// elaborator runs only where there are no errors.

import type { Source } from '../../grammar/source.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { names } from '../diagnostics/names.ts';
import type { FunctionInfo, Host, ModelInfo, Module, Session } from './context.ts';
import { checkExpression } from './expressions.ts';
import { fitFunction } from './function-values.ts';
import { instantiate } from './layers.ts';
import { isLibrary, loadModule, moduleContext } from './modules.ts';
import { checkOptimizer } from './optimizers.ts';
import { checkStatements } from './statements.ts';
import { paramsType } from './params.ts';
import { checkRuleTarget } from './rules.ts';
import { isTabulated } from './static.ts';
import type { TypedConstant, TypedProgram } from './typed.ts';

export interface CheckResult {
  /** Null only where the file has no meaning at all. */
  readonly program: TypedProgram | null;
  /** In the order of the files, then of the text. */
  readonly diagnostics: readonly Diagnostic[];
  /** The main file and everything it imports. */
  readonly sources: readonly Source[];
}

/** Computes everything that is computed on demand, so that all of it is checked. */
function checkModule(session: Session, module: Module): void {
  const context = moduleContext(session, module);
  for (const entity of module.scope.names.values()) {
    if (entity.kind === 'constant' || entity.kind === 'lazy-dim' || entity.kind === 'type')
      entity.get();
  }
  for (const layer of module.layers) layer();
  for (const info of module.functions) checkFunction(info);
  for (const info of module.models) {
    const { typed } = info;
    info.signature().parameters.forEach((parameter) => parameter.default?.());
    for (const entity of info.members().names.values())
      if (
        entity.kind === 'parameter' ||
        entity.kind === 'state' ||
        entity.kind === 'layer' ||
        entity.kind === 'constant' ||
        entity.kind === 'lazy-dim'
      )
        entity.get();
    for (const made of info.functions()) checkFunction(made);
    info.derived()?.inverse.typed.body();
    void [typed.checks, typed.rowSum];
    if (typed.keyword === 'optimizer') checkOptimizer(context, info);
  }
  for (const rules of module.rules.values())
    for (const rule of rules) checkRuleTarget(context, rule, rules[0]);
  for (const train of module.trains) train();
}

function checkFunction(info: FunctionInfo): void {
  info.signature().parameters.forEach((parameter) => parameter.default?.());
  info.typed.body();
  info.typed.rule();
}

// ---- recursion ----------------------------------------------------------------------------------------------------

type User = FunctionInfo | ModelInfo;

const nameOf = (user: User): string => user.node.name?.text ?? 'fn';

/** Functions belong to the model they stand in: a layer of the model uses them. */
const usersOf = (user: User): readonly User[] =>
  'functions' in user ? [user, ...user.functions()] : [user];

/** Reports each circle of definitions that use each other once. */
function checkRecursion(session: Session): void {
  const state = new Map<User, 'open' | 'done'>();
  const visit = (user: User, path: readonly User[]): void => {
    state.set(user, 'open');
    for (const part of usersOf(user))
      for (const [used, span] of session.uses.get(part) ?? []) {
        const known = state.get(used);
        if (known === undefined) visit(used, [...path, used]);
        if (known !== 'open') continue;
        const circle = [...path.slice(path.indexOf(used)), used];
        session.diagnostics.push(
          report(names.E0215, {
            span,
            data: { name: nameOf(used), path: circle.map(nameOf).join(' -> ') },
          }),
        );
      }
    state.set(user, 'done');
  };
  for (const user of session.uses.keys()) if (!state.has(user)) visit(user, [user]);
}

/** The schedules and decision processes that constants of a file hold. */
const tablesOf = ({ scope }: Module): readonly TypedConstant[] =>
  [...scope.names.values()].flatMap((entity): readonly TypedConstant[] => {
    const constant = entity.kind === 'constant' ? entity.get() : null;
    const isTables = constant?.type.kind === 'instance' && isTabulated(constant.type.model);
    return constant !== null && isTables ? [constant] : [];
  });

const baseName = (path: string): string => (path.split('/').at(-1) ?? path).replace(/\.dlg$/, '');

/** Checks a program and everything it imports. */
export function check(main: Source, host: Host): CheckResult {
  const staticLocals: Session['staticLocals'] = new Set();
  const session: Session = {
    host,
    diagnostics: [],
    modules: new Map(),
    sources: [],
    functions: new Map(),
    models: new Map(),
    rules: {
      expression: checkExpression,
      statements: checkStatements,
      instantiate,
      paramsType,
      fitFunction,
    },
    staticLocals,
    declarations: new Map(),
    ended: new Map(),
    isStaticLocal: (local) => staticLocals.has(local),
    uses: new Map(),
  };
  const module = loadModule(session, main, true);
  // Of the library, only what the program uses.
  for (const other of session.modules.values())
    if (other !== null && (other === module || !isLibrary(other.path))) checkModule(session, other);
  checkRecursion(session);
  const program: TypedProgram = {
    name: baseName(main.path),
    tables: tablesOf(module),
    layers: module.layers.map((layer) => layer()).filter((layer) => layer !== null),
    exports: module.functions.filter((info) => info.node.exported).map((info) => info.typed),
    trains: module.trains.map((train) => train()).filter((train) => train !== null),
    functions: module.functions.map((info) => info.typed),
    models: module.models.map((info) => info.typed),
  };
  return { program, diagnostics: inOrder(session), sources: session.sources };
}

/** By file, then by place; the same report at the same place once. */
function inOrder(session: Session): readonly Diagnostic[] {
  const order = new Map(session.sources.map((source, i) => [source, i]));
  const place = ({ span }: Diagnostic): readonly [number, number, number] =>
    span === null ? [-1, 0, 0] : [order.get(span.source) ?? 0, span.start, span.end];
  const seen = new Set<string>();
  return session.diagnostics
    .filter((diagnostic) => {
      const key = `${diagnostic.code} ${place(diagnostic).join(' ')}`;
      const first = !seen.has(key);
      seen.add(key);
      return first;
    })
    .sort((a, b) => {
      const [x, y] = [place(a), place(b)];
      return x[0] - y[0] || x[1] - y[1] || x[2] - y[2];
    });
}

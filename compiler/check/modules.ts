// Files: reading imports, and declaring what each file defines. A file's names are its own; imports without `as` stand in a
// scope behind them.

import type {
  ConstDeclaration,
  Declaration,
  Identifier,
  ImportDeclaration,
  ObserveStep,
  Step,
  TypeDeclaration,
} from '../../grammar/ast.ts';
import { parse, type ParseResult } from '../../grammar/parse.ts';
import type { Source } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { names } from '../diagnostics/names.ts';
import { fromSyntaxProblem } from '../diagnostics/syntax.ts';
import { noAssumptions } from '../dims/assumptions.ts';
import {
  newScope,
  exportedNames,
  once,
  unknownType,
  type Context,
  type Entity,
  type ModelInfo,
  type Module,
  type Session,
} from './context.ts';
import { makeFunction } from './functions.ts';
import { makeLayer } from './layers.ts';
import { makeConstant, makeDim } from './members.ts';
import { makeModel, reportCycle } from './models.ts';
import { declare } from './signatures.ts';
import { makeTracked } from './track.ts';
import { makeTrain } from './train.ts';
import type { TypedLayer } from './typed.ts';
import type { Type } from './types.ts';
import { toType } from './types-from-syntax.ts';

/** `std/nn` -> `std/nn.dlg`; `./blocks.dlg` relative to the file that imports it. */
function resolveImport(importer: string, path: string): string {
  if (!path.startsWith('.')) return path.endsWith('.dlg') ? path : `${path}.dlg`;
  const parts = importer.split('/').slice(0, -1);
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else parts.push(part);
  }
  const absolute = importer.startsWith('/') && parts[0] !== '' ? '/' : '';
  const joined = `${absolute}${parts.join('/')}`;
  return joined.endsWith('.dlg') ? joined : `${joined}.dlg`;
}

/** The context of a module's top level. */
export const moduleContext = (session: Session, module: Module): Context => ({
  session,
  module,
  scope: module.scope,
  assumptions: noAssumptions,
  model: null,
  user: null,
  notation: null,
  stateType: null,
  report: (diagnostic) => session.diagnostics.push(diagnostic),
});

/** Files of the standard library; they come with the compiler and are checked by its own tests. */
export const isLibrary = (path: string): boolean => path.startsWith('std/');

/** The library's files as last read, parsed: most programs of a session import the same few. */
const parsedLibrary = new Map<string, { readonly source: Source; readonly result: ParseResult }>();

function parseLibrary(source: Source): { readonly source: Source; readonly result: ParseResult } {
  const known = parsedLibrary.get(source.path);
  if (known?.source.text === source.text) return known;
  const parsed = { source, result: parse(source) };
  parsedLibrary.set(source.path, parsed);
  return parsed;
}

/** Parses a file and declares its names, after those of its imports. */
export function loadModule(session: Session, text: Source, isMain: boolean): Module {
  const { source, result } = isLibrary(text.path)
    ? parseLibrary(text)
    : { source: text, result: parse(text) };
  const imports = newScope('module', null);
  const module: Module = {
    path: source.path,
    source,
    scope: newScope('module', imports),
    layers: [],
    functions: [],
    models: [],
    trains: [],
    rules: new Map(),
  };
  session.sources.push(source);
  session.modules.set(source.path, null);
  const { file, problems } = result;
  session.diagnostics.push(...problems.map(fromSyntaxProblem));
  const context = moduleContext(session, module);
  const brought = new Map<string, string>();
  for (const declaration of file.declarations)
    if (declaration.kind === 'import') readImport(context, declaration, brought);
  for (const declaration of file.declarations)
    if (declaration.kind !== 'import' && declaration.kind !== 'error')
      declareAt(context, declaration, isMain);
  session.modules.set(source.path, module);
  return module;
}

/** The module that an import names; null after a report. */
function importedModule(context: Context, node: ImportDeclaration): Module | null {
  const { session, module } = context;
  const path = resolveImport(module.path, node.path.value);
  const known = session.modules.get(path);
  if (known === null) {
    context.report(report(names.E0205, { span: node.path.span, data: { path: node.path.value } }));
    return null;
  }
  if (known !== undefined) return known;
  const text = session.host.read(path);
  if (text !== null) return loadModule(session, { path, text }, false);
  context.report(report(names.E0204, { span: node.path.span, data: { path: node.path.value } }));
  return null;
}

function readImport(context: Context, node: ImportDeclaration, brought: Map<string, string>): void {
  const imported = importedModule(context, node);
  if (node.alias !== null) {
    const entity: Entity =
      imported === null
        ? { kind: 'broken', span: node.span }
        : { kind: 'module', module: imported, span: node.alias.span };
    declare(context, node.alias, entity);
    return;
  }
  const scope = context.module.scope.parent;
  if (imported === null || scope === null) return;
  for (const [name, entity] of exportedNames(imported)) {
    const known = scope.names.get(name);
    const first = brought.get(name);
    if (known !== undefined && known !== entity && first !== undefined) {
      context.report(
        report(names.E0206, {
          span: node.path.span,
          data: { name, first, second: node.path.value },
        }),
      );
      continue;
    }
    scope.names.set(name, entity);
    brought.set(name, node.path.value);
  }
}

function constantEntity(context: Context, node: ConstDeclaration): Entity {
  const cycle = (): null => {
    reportCycle(context, node.name);
    return null;
  };
  if (node.keyword === 'dim')
    return {
      kind: 'lazy-dim',
      get: once(() => makeDim(context, node), cycle),
      span: node.name.span,
    };
  return {
    kind: 'constant',
    get: once(() => makeConstant(context, node), cycle),
    span: node.name.span,
  };
}

function typeEntity(context: Context, node: TypeDeclaration): Entity {
  const get = once(
    (): Type => toType(context, node.type),
    (): Type => {
      reportCycle(context, node.name);
      return unknownType;
    },
  );
  return { kind: 'type', get, span: node.name.span };
}

function declareModel(context: Context, node: ModelInfo['node']): void {
  const info = makeModel(node, context.module, () => context);
  context.session.models.set(info.typed, info);
  context.module.models.push(info);
  declare(context, node.name, { kind: 'model', info, span: node.name.span });
}

/** The `track` steps of a train block, those inside its blocks included. */
const tracksIn = (step: Step): readonly ObserveStep[] => {
  if (step.kind === 'repeat') return step.steps.flatMap(tracksIn);
  return step.kind === 'observe' && step.keyword === 'track' ? [step] : [];
};

/** A layer of the file, made when someone asks. */
function declareLayer(context: Context, name: Identifier, make: () => TypedLayer | null): void {
  const get = once(make, () => {
    reportCycle(context, name);
    return null;
  });
  context.module.layers.push(get);
  declare(context, name, { kind: 'layer', get, span: name.span });
}

type Declarer<K extends Declaration['kind']> = (
  context: Context,
  node: Extract<Declaration, { readonly kind: K }>,
  isMain: boolean,
) => void;

const declarers: { readonly [K in Declaration['kind']]: Declarer<K> } = {
  import: () => {},
  error: () => {},
  const: (context, node) => {
    const entity = constantEntity(context, node);
    declare(context, node.name, entity);
  },
  type: (context, node) => {
    declare(context, node.name, typeEntity(context, node));
  },
  fn: (context, node) => {
    const info = makeFunction(node, null, context.module, () => context);
    context.session.functions.set(info.typed, info);
    context.module.functions.push(info);
    if (node.name !== null)
      declare(context, node.name, { kind: 'function', info, span: node.name.span });
  },
  layer: (context, node) => declareLayer(context, node.name, () => makeLayer(context, node)),
  model: declareModel,
  schedule: declareModel,
  mdp: declareModel,
  jvp: (context, node) => {
    const { rules } = context.module;
    rules.set(node.name.text, [...(rules.get(node.name.text) ?? []), node]);
  },
  train: (context, node, isMain) => {
    const get = once(
      () => makeTrain(context, node),
      () => null,
    );
    if (!isMain) return;
    context.module.trains.push(get);
    // A moving average is a layer of the file.
    for (const step of node.steps.flatMap(tracksIn))
      declareLayer(context, step.name, () => makeTracked(context, step));
  },
};

function declareAt(context: Context, node: Declaration, isMain: boolean): void {
  // The table's type ties each rule to its kind; TypeScript cannot follow that through an indexed call.
  const rule = declarers[node.kind] as (
    context: Context,
    node: Declaration,
    isMain: boolean,
  ) => void;
  rule(context, node, isMain);
}

// Types as written, to types: names of sizes are looked up, and bound where they are new in a signature.

import type {
  Expression,
  FunctionType as FunctionTypeNode,
  NamedBase,
  Path,
  PackNode,
  RecordType,
  TensorType as TensorTypeNode,
  TypeNode,
} from '../../grammar/ast.ts';
import { walk } from '../../grammar/walk.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { names } from '../diagnostics/names.ts';
import { suggest } from '../diagnostics/suggest.ts';
import { sizes as sizeTable, types } from '../diagnostics/types-and-shapes.ts';
import { dimOf, isConstant, pack as newPack, variable } from '../dims/arithmetic.ts';
import type { DimVar, PackVar } from '../dims/dim.ts';
import { linearIn, sizesOf } from '../dims/linear.ts';
import type { Axis, Shape } from '../dims/shape.ts';
import {
  lookUp,
  newScope,
  unknownType,
  visibleNames,
  type Context,
  type Entity,
  type Scope,
} from './context.ts';
import { bool, int, real, tensor } from './convert.ts';
import { toSize } from './dimensions.ts';
import { resolvePath } from './paths.ts';
import { mdpType } from './records.ts';
import type { Base, Type } from './types.ts';

/** Sizes that a signature binds, as they are found. */
export type Binder = (variable: DimVar | PackVar) => void;

// ---- names of sizes -----------------------------------------------------------------------------------------------

type SizeNode = Expression | PackNode;

/** The sizes and packs that a type writes, those of function types inside it left out: they bind their own. */
function sizesIn(node: TypeNode): SizeNode[] {
  switch (node.kind) {
    case 'tensor-type':
      return [
        ...(node.base?.kind === 'fin-base' ? [node.base.size] : []),
        ...(node.base?.kind === 'named-base' ? sizeArguments(node.base) : []),
        ...(node.shape?.dimensions ?? []),
      ];
    case 'record-type':
      return node.fields.flatMap((field) => sizesIn(field.type));
    case 'function-type':
    case 'error':
      return [];
  }
}

/** The sizes of a model; of `params(Dense(n, m))` those of the model inside, and `params(net)` has none. */
function sizeArguments({ path, arguments: given }: NamedBase): readonly Expression[] {
  const values = (given ?? []).map((argument) => argument.value);
  if (!isParams(path)) return values;
  return values.flatMap((value) =>
    value.kind === 'call' ? value.arguments.map((argument) => argument.value) : [],
  );
}

const isParams = ({ parts }: Path): boolean => parts.length === 1 && parts[0].text === 'params';

/** What can never be a size does not hide one: a dimension may have the name of some function elsewhere. */
const neverSizes: ReadonlySet<Entity['kind']> = new Set(['function', 'model', 'type', 'module']);

const isNewName = (scope: Scope, name: string): boolean => {
  const entity = lookUp(scope, name);
  return entity === null || neverSizes.has(entity.kind);
};

/** The names inside an expression that nothing in scope means. */
function newNamesIn(scope: Scope, node: SizeNode): { text: string; node: Expression | PackNode }[] {
  if (node.kind === 'pack')
    return isNewName(scope, node.name.text) ? [{ text: node.name.text, node }] : [];
  const found: { text: string; node: Expression }[] = [];
  walk(node, (child) => {
    // `m.S`: what `m` means is known once the parameters are.
    if ('kind' in child && (child.kind === 'call' || child.kind === 'member')) return false;
    if ('kind' in child && child.kind === 'name' && isNewName(scope, child.text))
      found.push({ text: child.text, node: child });
    return true;
  });
  return found;
}

/** Binds the names that stand alone as a size, or as a pack, in the types of parameters. */
function bindBareNames(context: Context, nodes: readonly TypeNode[], bind: Binder): void {
  for (const node of nodes.flatMap(sizesIn)) {
    if (node.kind === 'pack') {
      if (!isNewName(context.scope, node.name.text)) continue;
      const pack = newPack(node.name.text);
      context.scope.names.set(pack.name, { kind: 'pack', pack, span: node.span });
      bind(pack);
    } else if (node.kind === 'name' && node.text !== '_' && isNewName(context.scope, node.text)) {
      const size = variable(node.text);
      context.scope.names.set(size.name, { kind: 'dim', dim: dimOf(size), span: node.span });
      bind(size);
    }
  }
}

/** Binds names that occur in arithmetic only, where the arithmetic determines them: `[2 * n]`. */
function bindInArithmetic(context: Context, nodes: readonly TypeNode[], bind: Binder): void {
  const sizes = nodes.flatMap(sizesIn).filter((node) => node.kind !== 'name');
  for (let progress = true; progress;) {
    progress = false;
    for (const node of sizes) {
      if (node.kind === 'pack') continue;
      const unbound = newNamesIn(context.scope, node);
      const name = unbound[0]?.text;
      if (name === undefined || name === '_' || unbound.some((u) => u.text !== name)) continue;
      const size = variable(name);
      const scope = newScope('function', context.scope);
      const entity: Entity = { kind: 'dim', dim: dimOf(size), span: unbound[0].node.span };
      scope.names.set(name, entity);
      const dim = toSize({ ...context, scope, report: () => {} }, node);
      if (dim === null || !sizesOf(dim).includes(size) || linearIn(dim, size) === null) continue;
      context.scope.names.set(name, entity);
      bind(size);
      progress = true;
    }
  }
}

/** Reports the names that nothing determines, once each, and makes their uses silent. */
export function refuseNewNames(context: Context, nodes: readonly TypeNode[]): void {
  for (const size of nodes.flatMap(sizesIn))
    for (const { text, node } of newNamesIn(context.scope, size)) {
      if (text === '_' || !isNewName(context.scope, text)) continue;
      const candidates = visibleNames(context.scope).filter((name) => {
        const kind = lookUp(context.scope, name)?.kind;
        return kind === 'dim' || kind === 'pack' || kind === 'lazy-dim';
      });
      const near = suggest(text, candidates);
      context.report(
        report(sizeTable.E0111, {
          span: node.span,
          data: { name: text, suggestion: near },
          help:
            node.kind !== 'pack'
              ? null
              : near === null
                ? 'name a pack of a parameter'
                : `did you mean \`..${near}\`?`,
        }),
      );
      context.scope.names.set(text, { kind: 'broken', span: node.span });
    }
}

/** Binds all names that are new in the types of parameters; what remains unknown is reported. */
export function bindNames(context: Context, nodes: readonly TypeNode[], bind: Binder): void {
  bindBareNames(context, nodes, bind);
  bindInArithmetic(context, nodes, bind);
  refuseNewNames(context, nodes);
}

// ---- types --------------------------------------------------------------------------------------------------------

/** The type that `node` writes; `bind` takes the fresh size of each `_`, and is null where `_` has no meaning. */
export function toType(context: Context, node: TypeNode, bind: Binder | null = null): Type {
  switch (node.kind) {
    case 'error':
      return unknownType;
    case 'tensor-type':
      return tensorOf(context, node, bind);
    case 'record-type':
      return recordOf(context, node, bind);
    case 'function-type':
      return functionOf(context, node);
  }
}

function recordOf(context: Context, node: RecordType, bind: Binder | null): Type {
  const fields = node.fields.map((field) => ({
    name: field.name?.text ?? null,
    type: toType(context, field.type, bind),
  }));
  const seen = new Set<string>();
  for (const { name } of node.fields) {
    if (name === null) continue;
    if (seen.has(name.text))
      context.report(report(names.E0202, { span: name.span, data: { name: name.text } }));
    seen.add(name.text);
  }
  return { kind: 'tuple', fields };
}

function functionOf(context: Context, node: FunctionTypeNode): Type {
  const quantified: (DimVar | PackVar)[] = [];
  const bind: Binder = (v) => quantified.push(v);
  const inside = { ...context, scope: newScope('function', context.scope) };
  const nodes = node.parameters.map((parameter) => parameter.type);
  bindNames(inside, nodes, bind);
  refuseNewNames(inside, [node.result]);
  const parameters = node.parameters.map((parameter) => ({
    name: parameter.name?.text ?? null,
    type: toType(inside, parameter.type, bind),
  }));
  return { kind: 'function', quantified, parameters, result: toType(inside, node.result) };
}

function axisOf(context: Context, node: SizeNode, bind: Binder | null): Axis | null {
  if (node.kind === 'pack') {
    const entity = lookUp(context.scope, node.name.text);
    if (entity?.kind === 'pack') return { kind: 'pack', pack: entity.pack };
    if (entity?.kind === 'broken') return null;
    context.report(report(names.E0201, { span: node.span, data: { name: `..${node.name.text}` } }));
    return null;
  }
  if (node.kind === 'name' && node.text === '_' && bind !== null) {
    const any = variable('_');
    bind(any);
    return { kind: 'size', size: dimOf(any) };
  }
  const size = toSize(context, node);
  if (size === null) return null;
  const known = isConstant(size);
  if (known !== null && known < 1) {
    context.report(
      report(sizeTable.E0112, {
        span: node.span,
        data: { size: String(known), least: 1, values: null },
        help: 'axes have at least one element',
      }),
    );
    return null;
  }
  return { kind: 'size', size };
}

/** The shape that `node` writes; null after a report. */
function shapeOf(
  context: Context,
  dimensions: readonly SizeNode[],
  bind: Binder | null,
): Shape | null {
  const [first, second] = dimensions.filter((node) => node.kind === 'pack');
  if (first !== undefined && second !== undefined) {
    context.report(
      report(sizeTable.E0116, {
        span: second.span,
        data: { first: first.name.text, second: second.name.text },
      }),
    );
    return null;
  }
  const axes = dimensions.map((node) => axisOf(context, node, bind));
  const known = axes.filter((axis) => axis !== null);
  return known.length === axes.length ? known : null;
}

function baseOf(context: Context, node: TensorTypeNode): Base | null | 'named' {
  const { base } = node;
  if (base === null) return real;
  if (base.kind === 'named-base') return 'named';
  if (base.kind === 'fin-base') {
    const size = toSize(context, base.size);
    return size === null ? null : { kind: 'fin', size };
  }
  if (base.name === 'real') return real;
  if (base.name === 'int') return int;
  if (base.name === 'bool') return bool;
  context.report(report(types.E0136, { span: base.span, data: { what: base.name } }));
  return null;
}

/** Any decision process: its number of states and of actions are bound by the signature. */
function mdpOf(bind: Binder): Type {
  const [states, actions] = ['S', 'A'].map((name) => {
    const size = variable(name);
    bind(size);
    return dimOf(size);
  });
  return mdpType(states, actions);
}

function tensorOf(context: Context, node: TensorTypeNode, bind: Binder | null): Type {
  const isMdp = node.base?.kind === 'scalar-base' && node.base.name === 'mdp';
  if (isMdp && node.shape === null && bind !== null) return mdpOf(bind);
  const shape = node.shape === null ? [] : shapeOf(context, node.shape.dimensions, bind);
  const base = baseOf(context, node);
  if (base === 'named' && node.base?.kind === 'named-base')
    return namedOf(context, node.base, node);
  return base === null || base === 'named' || shape === null ? unknownType : tensor(base, shape);
}

/** A record or another type defined by `type`, or a model with its sizes. */
function namedOf(context: Context, base: NamedBase, node: TensorTypeNode): Type {
  if (isParams(base.path) && lookUp(context.scope, 'params') === null && node.shape === null)
    return context.session.rules.paramsType(context, base);
  const entity = resolvePath(context, base.path);
  if (entity === null || entity.kind === 'broken') return unknownType;
  const name = base.path.parts.map((part) => part.text).join('.');
  if (node.shape !== null || (entity.kind !== 'type' && entity.kind !== 'model')) {
    context.report(report(names.E0213, { span: node.span, data: { name } }));
    return unknownType;
  }
  if (entity.kind === 'type') return entity.get() ?? unknownType;
  const made = context.session.rules.instantiate(
    context,
    entity.info,
    base.arguments ?? [],
    base.span,
    'type',
  );
  return made?.type ?? unknownType;
}

/** Whether a parameter's type is `dim`: such parameters are sizes themselves. */
export const isDimType = (node: TypeNode): boolean =>
  node.kind === 'tensor-type' &&
  node.shape === null &&
  node.base?.kind === 'scalar-base' &&
  node.base.name === 'dim';

// Names and members as values.

import type { MemberExpression, NameExpression } from '../../grammar/ast.ts';
import { textOf, type Span } from '../../grammar/source.ts';
import { builtins, namedNumbers } from '../builtins/registry.ts';
import { report, type Diagnostic } from '../diagnostics/diagnostic.ts';
import { indices } from '../diagnostics/indices.ts';
import { loops } from '../diagnostics/loops.ts';
import { names as nameTable } from '../diagnostics/names.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import { showDim } from '../dims/show.ts';
import { callableOfFunction, functionType, mainFunction, targetOf } from './callables.ts';
import {
  broken,
  exportedNames,
  isBroken,
  recordUse,
  unknownType,
  visibleNames,
  type Context,
  type Entity,
  type FunctionInfo,
  type ModelInfo,
  type Scope,
} from './context.ts';
import { boolScalar, intScalar, realScalar, tensor } from './convert.ts';
import { reportNoMember, reportUnknown } from './paths.ts';
import { layerCount } from './reads.ts';
import { describe } from './show.ts';
import { noBindings, substituteSize, substituteType } from './substitute.ts';
import type { TypedExpression } from './typed.ts';
import type { InstanceType, Type } from './types.ts';

const notValues: Readonly<Partial<Record<Entity['kind'], string>>> = {
  pack: 'a pack of sizes',
  model: 'a model',
  type: 'a type',
  module: 'an imported file',
};

/** The instance whose function runs. */
const selfOf = (model: ModelInfo, span: Span): TypedExpression => ({
  kind: 'self',
  type: { kind: 'instance', model: model.typed, bindings: noBindings },
  span,
});

/** A definition as a value; `owner` is the layer it is a member of. */
export function valueOf(
  context: Context,
  entity: Entity,
  owner: TypedExpression | null,
  name: string,
  span: Span,
): TypedExpression {
  const bindings = owner?.type.kind === 'instance' ? owner.type.bindings : noBindings;
  const typed = (type: Type): Type => substituteType(type, bindings);
  switch (entity.kind) {
    case 'local':
      if (entity.size !== undefined)
        return { kind: 'dim', dim: entity.size, type: intScalar, span };
      return { kind: 'local', local: entity.local, type: entity.local.type, span };
    case 'dim':
      return { kind: 'dim', dim: substituteSize(entity.dim, bindings), type: intScalar, span };
    case 'lazy-dim': {
      const size = entity.get();
      return size === null
        ? broken(span)
        : { kind: 'dim', dim: substituteSize(size, bindings), type: intScalar, span };
    }
    case 'index':
      return {
        kind: 'index',
        index: entity.index,
        type: tensor({ kind: 'fin', size: entity.index.range }),
        span,
      };
    case 'constant': {
      const constant = entity.get();
      return constant === null
        ? broken(span)
        : { kind: 'constant', constant, owner, type: typed(constant.type), span };
    }
    case 'layer': {
      const layer = entity.get();
      return layer === null
        ? broken(span)
        : { kind: 'layer', layer, owner, type: typed(layer.value.type), span };
    }
    case 'parameter': {
      const parameter = entity.get();
      return parameter === null || owner === null
        ? broken(span)
        : { kind: 'parameter', parameter, owner, type: typed(parameter.type), span };
    }
    case 'state': {
      const state = entity.get();
      if (state === null) return broken(span);
      const type = state.type ?? context.stateType ?? unknownType;
      return { kind: 'state', state, owner, type: typed(type), span };
    }
    case 'function':
      return functionValue(context, entity.info, owner, name, span);
    case 'broken':
      return broken(span);
    default:
      context.report(noValue(entity, name, span));
      return broken(span);
  }
}

/** The report of a name that stands for no value here. */
function noValue(entity: Entity, name: string, span: Span): Diagnostic {
  const related = (reason: string) => [{ span: entity.span, reason }];
  if (entity.kind === 'half-bound')
    return report(nameTable.E0217, {
      span,
      data: { name, place: entity.place },
      related: related('assigned here'),
    });
  if (entity.kind === 'stacked')
    return report(loops.E0452, { span, data: { name }, related: related('stacked here') });
  const what = notValues[entity.kind] ?? 'a definition';
  return report(nameTable.E0212, { span, data: { name, what }, related: related('defined here') });
}

function functionValue(
  context: Context,
  info: FunctionInfo,
  owner: TypedExpression | null,
  name: string,
  span: Span,
): TypedExpression {
  recordUse(context, info, span);
  const type = functionType(callableOfFunction(info, name, owner));
  return { kind: 'function', function: info.typed, owner, type, span };
}

const scopeOf = (context: Context, name: string): Scope | null => {
  for (let scope: Scope | null = context.scope; scope !== null; scope = scope.parent)
    if (scope.names.has(name)) return scope;
  return null;
};

function builtinValue(context: Context, name: string, span: Span): TypedExpression | null {
  const builtin = builtins[name];
  if (builtin !== undefined) {
    const value = { kind: 'builtin-function', builtin, type: unknownType, span } as const;
    if (builtin.rule !== null)
      return {
        ...value,
        type: { kind: 'function', quantified: [], parameters: [], result: unknownType },
      };
    const target = targetOf(context, value, name);
    return target === null ? value : { ...value, type: functionType(target.callable) };
  }
  const number = namedNumbers[name];
  if (number !== undefined) return { kind: 'number', value: number, type: realScalar, span };
  return name === 'training' ? { kind: 'training', type: boolScalar, span } : null;
}

/** Reports the use of an index behind the end of its binder, in the same statement. */
function reportEndedIndex(context: Context, node: NameExpression): boolean {
  const ended = context.session.ended.get(node.text);
  if (ended === undefined || ended.source !== node.span.source || ended.end > node.span.start)
    return false;
  const between = ended.source.text.slice(ended.end, node.span.start);
  if (/[^=<>!]=[^=]|[{}]/.test(between)) return false;
  const binder = textOf(ended).replace(/\].*$/s, ']');
  context.report(
    report(indices.E0301, {
      span: node.span,
      data: { name: node.text, scope: `\`${binder}\`` },
      related: [{ span: ended, reason: 'its scope is this product' }],
      help: `bracket what belongs to it: \`${binder} (...)\``,
    }),
  );
  return true;
}

/** A name as a value. */
export function checkName(context: Context, node: NameExpression): TypedExpression {
  const scope = scopeOf(context, node.text);
  const entity = scope?.names.get(node.text);
  if (scope === null || entity === undefined) {
    const builtin = builtinValue(context, node.text, node.span);
    if (builtin !== null) return builtin;
    if (reportEndedIndex(context, node)) return broken(node.span);
    const candidates = [...visibleNames(context.scope), ...Object.keys(builtins)];
    reportUnknown(context, node, candidates);
    return broken(node.span);
  }
  const member =
    scope.kind === 'model' &&
    context.model !== null &&
    entity.kind !== 'local' &&
    entity.kind !== 'dim' &&
    entity.kind !== 'lazy-dim';
  const owner = member && context.model !== null ? selfOf(context.model, node.span) : null;
  return valueOf(context, entity, owner, node.text, node.span);
}

/** A layer, and not an array of them; broken after a report. */
export function singleLayer(context: Context, value: TypedExpression): TypedExpression {
  const count = layerCount(value);
  if (count === null) return value;
  context.report(
    report(nameTable.E0222, {
      span: value.span,
      data: { name: textOf(value.span), count: showDim(count) },
    }),
  );
  return broken(value.span);
}

// ---- members ------------------------------------------------------------------------------------------------------

function instanceMember(
  context: Context,
  node: MemberExpression,
  owner: TypedExpression,
  type: InstanceType,
): TypedExpression {
  const info = context.session.models.get(type.model);
  const members = info?.members();
  // The sizes of its head are members too: `net.n`.
  const names = new Map([...(members?.parent?.names ?? []), ...(members?.names ?? [])]);
  const entity = names.get(node.name.text);
  if (entity === undefined || entity.kind === 'local') {
    const candidates = [...names].filter(([, e]) => e.kind !== 'local');
    reportNoMember(
      context,
      `\`${textOf(node.target.span)}\``,
      node.name,
      candidates.map(([name]) => name),
    );
    return broken(node.span);
  }
  return valueOf(context, entity, owner, node.name.text, node.span);
}

/** `f.inverse.logdet`, `f.inverse.inverse`: the inverse of a bijector is one; null for any other function. */
function inverseMember(
  context: Context,
  node: MemberExpression,
  target: TypedExpression,
): TypedExpression | null {
  if (target.kind !== 'function' || target.function.owner === null) return null;
  const info = context.session.models.get(target.function.owner);
  const derived = info?.derived() ?? null;
  if (info === undefined || derived?.inverse.typed !== target.function) return null;
  const main = mainFunction(info);
  const members = new Map([
    ['logdet', derived.inverseLogdet],
    ['inverse', main],
  ]);
  const found = members.get(node.name.text) ?? null;
  if (found !== null) return functionValue(context, found, target.owner, node.name.text, node.span);
  reportNoMember(context, `\`${textOf(node.target.span)}\``, node.name, members.keys());
  return broken(node.span);
}

/** `net.enc`, `pose.R`, `nn.relu` */
export function checkMember(context: Context, node: MemberExpression): TypedExpression {
  if (node.target.kind === 'name') {
    const entity = scopeOf(context, node.target.text)?.names.get(node.target.text);
    if (entity?.kind === 'module') {
      const members = exportedNames(entity.module);
      const found = members.get(node.name.text);
      if (found !== undefined) return valueOf(context, found, null, node.name.text, node.span);
      reportNoMember(context, `\`${node.target.text}\``, node.name, members.keys());
      return broken(node.span);
    }
  }
  const target = singleLayer(context, context.session.rules.expression(context, node.target, null));
  if (isBroken(target)) return broken(node.span);
  const { type } = target;
  if (type.kind === 'instance') return instanceMember(context, node, target, type);
  if (type.kind === 'tuple') {
    const size = type.spaces?.get(node.name.text);
    if (size !== undefined) return { kind: 'dim', dim: size, type: intScalar, span: node.span };
    const field = type.fields.findIndex((f) => f.name === node.name.text);
    if (field >= 0)
      return { kind: 'project', target, field, type: type.fields[field].type, span: node.span };
    const candidates = type.fields.flatMap((f) => (f.name === null ? [] : [f.name]));
    reportNoMember(context, 'this record', node.name, candidates);
    return broken(node.span);
  }
  const ofInverse = inverseMember(context, node, target);
  if (ofInverse !== null) return ofInverse;
  context.report(
    report(types.E0121, {
      span: node.target.span,
      data: { found: describe(type), expected: 'a layer, a schedule or a record' },
    }),
  );
  return broken(node.span);
}

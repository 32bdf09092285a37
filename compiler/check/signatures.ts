// Heads of functions, models and train blocks: what parameters bind, what `where` demands, what the result is.

import type { Expression, Field, Parameter, TypeNode } from '../../grammar/ast.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { names } from '../diagnostics/names.ts';
import { suggest } from '../diagnostics/suggest.ts';
import { sizes } from '../diagnostics/types-and-shapes.ts';
import { dimOf, variable } from '../dims/arithmetic.ts';
import { noAssumptions } from '../dims/assumptions.ts';
import type { DimVar, PackVar } from '../dims/dim.ts';
import { textOf } from '../../grammar/source.ts';
import { walk } from '../../grammar/walk.ts';
import { assign } from './assign.ts';
import {
  broken,
  lookUp,
  newScope,
  once,
  unknownType,
  type Context,
  type ScopeKind,
  type Signature,
  type SignatureParameter,
} from './context.ts';
import { intScalar } from './convert.ts';
import { toSize } from './dimensions.ts';
import { assumeAll, requirementsOf } from './requirements.ts';
import { bindNames, isDimType, refuseNewNames, toType } from './types-from-syntax.ts';
import type { Local, TypedExpression } from './typed.ts';
import type { Type } from './types.ts';

export interface Head {
  readonly parameters: readonly Parameter[];
  readonly where: readonly Expression[];
  readonly result: Field | null;
  readonly scope: ScopeKind;
}

/** Whether `where` says that a size may be 0: `padding >= 0`. */
function mayBeZero(name: string, where: readonly Expression[]): boolean {
  const isName = (node: Expression): boolean => node.kind === 'name' && node.text === name;
  const isZero = (node: Expression): boolean => node.kind === 'number' && Number(node.text) === 0;
  return where.some(
    (node) =>
      node.kind === 'compare' &&
      node.relations.some((relation, i) => {
        const [left, right] = [node.operands[i], node.operands[i + 1]];
        return (
          (relation === '>=' && isName(left) && isZero(right)) ||
          (relation === '<=' && isZero(left) && isName(right))
        );
      }),
  );
}

/** Declares a name in the innermost scope, unless it is there or hides a member of the model. */
export function declare(
  context: Context,
  name: { readonly text: string; readonly span: Parameter['span'] },
  entity: NonNullable<ReturnType<typeof lookUp>>,
): boolean {
  const { scope } = context;
  const head = scope.kind === 'model' && scope.parent?.kind === 'model' ? scope.parent : null;
  const known = scope.names.get(name.text) ?? head?.names.get(name.text);
  if (known !== undefined && known.kind !== 'half-bound') {
    context.report(
      report(names.E0202, {
        span: name.span,
        data: { name: name.text },
        related: [{ span: known.span, reason: 'here first' }],
      }),
    );
    return false;
  }
  if (context.scope.kind === 'function' && hidesMember(context, name)) return false;
  context.scope.names.set(name.text, entity);
  return true;
}

const memberWords: Readonly<Record<string, string>> = {
  parameter: 'a parameter',
  state: 'a state',
  layer: 'a layer',
  constant: 'a constant',
  dim: 'a size',
  'lazy-dim': 'a size',
  local: 'a hyper-parameter',
  function: 'a function',
};

function hidesMember(
  context: Context,
  name: { readonly text: string; readonly span: Parameter['span'] },
): boolean {
  for (let scope = context.scope.parent; scope !== null; scope = scope.parent) {
    const found = scope.names.get(name.text);
    if (found === undefined || scope.kind !== 'model') continue;
    const what = memberWords[found.kind];
    if (what === undefined) return false;
    context.report(
      report(names.E0216, {
        span: name.span,
        data: { name: name.text, what },
        related: [{ span: found.span, reason: 'declared here' }],
      }),
    );
    return true;
  }
  return false;
}

function defaultOf(context: Context, node: Expression | null, type: Type, isDim: boolean) {
  if (node === null) return null;
  return once(
    (): TypedExpression => {
      if (isDim) {
        const size = toSize(context, node);
        return size === null
          ? broken(node.span)
          : { kind: 'dim', dim: size, type: intScalar, span: node.span };
      }
      const value = context.session.rules.expression(context, node, type);
      return assign(context, value, type, null);
    },
    () => broken(node.span),
  );
}

/** What is known where a head cannot be read. */
export const noSignature = (scope: ScopeKind): Signature => ({
  parameters: [],
  quantified: [],
  requirements: [],
  assumptions: noAssumptions,
  result: unknownType,
  resultNames: [null],
  scope: newScope(scope, null),
});

/** Reads a head; its names stand in the scope of the signature it returns. */
export function readSignature(outer: Context, head: Head): Signature {
  const quantified: (DimVar | PackVar)[] = [];
  const scope = newScope(head.scope, outer.scope);
  let context: Context = { ...outer, scope };
  const dims = new Map<Parameter, DimVar>();
  for (const parameter of head.parameters) {
    if (!isDimType(parameter.type)) continue;
    const size = variable(parameter.name.text, mayBeZero(parameter.name.text, head.where) ? 0 : 1);
    const entity = { kind: 'dim', dim: dimOf(size), span: parameter.name.span } as const;
    if (!declare(context, parameter.name, entity)) continue;
    dims.set(parameter, size);
    quantified.push(size);
  }
  const types = head.parameters.filter((p) => !isDimType(p.type)).map((p) => p.type);
  const bind = (v: DimVar | PackVar): void => {
    quantified.push(v);
  };
  bindNames(context, types, bind);
  const requirements = requirementsOf(
    context,
    head.where,
    new Set(head.parameters.filter((p) => !isDimType(p.type)).map((p) => p.name.text)),
  );
  context = { ...context, assumptions: assumeAll(outer.assumptions, requirements) };
  const parameters = head.parameters.map((parameter): SignatureParameter => {
    const size = dims.get(parameter) ?? null;
    const isDim = isDimType(parameter.type);
    const type = isDim ? intScalar : toType(context, parameter.type, bind);
    const local: Local = { name: parameter.name.text, type, span: parameter.name.span };
    if (!isDim)
      declare(context, parameter.name, { kind: 'local', local, span: parameter.name.span });
    return {
      name: local.name,
      type,
      dim: size,
      local,
      span: parameter.span,
      default: defaultOf(context, parameter.default, type, isDim),
    };
  });
  if (head.result !== null) refuseNewNames(context, [head.result.type]);
  const result = head.result === null ? null : toType(context, head.result.type);
  warnOfLonelySizes(context, head, quantified);
  return {
    parameters,
    quantified,
    requirements,
    assumptions: context.assumptions,
    result,
    resultNames: head.result === null ? [null] : resultNames(head.result),
    scope,
  };
}

/** `-> y: [B]` gives ["y"]; a record gives the names of its fields. */
function resultNames(field: Field): readonly (string | null)[] {
  if (field.name !== null) return [field.name.text];
  if (field.type.kind !== 'record-type') return [null];
  return field.type.fields.map((f) => f.name?.text ?? null);
}

// ---- sizes used once ----------------------------------------------------------------------------------------------

/** How often each name of a size occurs in the types and conditions of a head. */
function occurrences(head: Head): Map<string, number> {
  const counts = new Map<string, number>();
  const count = (text: string): void => {
    counts.set(text, (counts.get(text) ?? 0) + 1);
  };
  const nodes: (TypeNode | Expression)[] = [
    ...head.parameters.map((parameter) => parameter.type),
    ...(head.result === null ? [] : [head.result.type]),
    ...head.where,
  ];
  for (const node of nodes)
    walk(node, (child) => {
      if ('kind' in child && child.kind === 'name') count(child.text);
    });
  return counts;
}

/** A size bound and used once is fine, unless another one has nearly its name. */
function warnOfLonelySizes(
  context: Context,
  head: Head,
  quantified: readonly (DimVar | PackVar)[],
): void {
  const counts = occurrences(head);
  const dims = quantified.filter((v) => v.kind === 'variable' && v.name !== '_');
  const parameters = new Set(head.parameters.map((parameter) => parameter.name.text));
  const told = new Set<string>();
  for (const { name } of dims) {
    if (told.has(name)) continue;
    if (counts.get(name) !== 1 || name.length < 2 || parameters.has(name)) continue;
    const others: string[] = dims.filter((v) => v.name !== name).map((v) => v.name);
    for (let scope = context.scope.parent; scope !== null; scope = scope.parent)
      for (const [text, entity] of scope.names)
        if (entity.kind === 'dim' || entity.kind === 'lazy-dim') others.push(text);
    const near = suggest(name, others);
    const entity = lookUp(context.scope, name);
    if (near === null || entity === null) continue;
    told.add(near);
    context.report(
      report(sizes.E0117, {
        span: entity.span,
        data: { name, suggestion: near },
        fix: textOf(entity.span) === name ? [{ span: entity.span, newText: near }] : [],
      }),
    );
  }
}

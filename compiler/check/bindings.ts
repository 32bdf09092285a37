// Bindings: `y = e`, `a, b = f(x)`, `y[i] = e`, `mu <- e`, `e: [B] ~ normal(0, 1)`, one rule for each operator.

import type { Bind, Expression, Target } from '../../grammar/ast.ts';
import type { Span } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { indices } from '../diagnostics/indices.ts';
import { programs } from '../diagnostics/programs.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import { assign, sameType, sizeNotes, type Complain } from './assign.ts';
import { checkComprehension } from './comprehensions.ts';
import { broken, isBroken, lookUp, type Body, type Context, type Entity } from './context.ts';
import { checkDraw } from './draws.ts';
import { reportUnknown } from './paths.ts';
import { describe, showType } from './show.ts';
import { checkPut, putsAtPlaces } from './puts.ts';
import { declare } from './signatures.ts';
import type { Local, TypedExpression, TypedStatement } from './typed.ts';
import { toType } from './types-from-syntax.ts';
import type { Type } from './types.ts';
import { singleLayer } from './values.ts';

export const breakName = (context: Context, target: Target): void => {
  if (!context.scope.names.has(target.name.text))
    context.scope.names.set(target.name.text, { kind: 'broken', span: target.name.span });
};

/** The type that a target declares, or that the signature declares for a result of that name. */
export function declaredType(context: Context, body: Body, target: Target): Type | null {
  const result = body.results.get(target.name.text) ?? null;
  if (target.type === null) return result;
  const type = toType(context, target.type);
  if (result !== null && !sameType(type, result, context.assumptions))
    context.report(
      report(types.E0131, {
        span: target.type.span,
        data: { found: showType(type), declared: showType(result) },
      }),
    );
  return type;
}

/** The value of a target, of its declared type where it has one. */
export function valueFor(
  context: Context,
  target: Target,
  node: Expression,
  declared: Type | null,
): TypedExpression {
  const value =
    target.slots === null
      ? singleLayer(context, context.session.rules.expression(context, node, declared))
      : checkComprehension(
          context,
          target.slots,
          node,
          declared?.kind === 'tensor' ? declared : null,
          { ...target.span, end: node.span.end },
        );
  if (declared === null) return value;
  return assign(context, value, declared, (found, wanted) =>
    context.report(
      report(types.E0131, {
        span: target.slots === null ? node.span : target.span,
        data: { found: describe(found), declared: showType(wanted) },
        notes: sizeNotes(context, found, wanted),
      }),
    ),
  );
}

/** Declares a local of that value; nothing where the value is broken. */
export function bindLocal(
  context: Context,
  target: Target,
  value: TypedExpression,
  declared: Type | null,
): readonly TypedStatement[] {
  if (isBroken(value)) {
    // The declared type is enough for what follows.
    if (declared !== null && declared.kind !== 'unknown') {
      const local: Local = { name: target.name.text, type: declared, span: target.name.span };
      declare(context, target.name, { kind: 'local', local, span: target.name.span });
    } else {
      declare(context, target.name, { kind: 'broken', span: target.name.span });
    }
    return [];
  }
  const local: Local = { name: target.name.text, type: value.type, span: target.name.span };
  const size = value.kind === 'dim' ? { size: value.dim } : {};
  const entity: Entity = { kind: 'local', local, ...size, span: target.name.span };
  if (!declare(context, target.name, entity)) return [];
  return [{ kind: 'let', local, value, span: target.span }];
}

export const localValue = (local: Local, span: Span): TypedExpression => ({
  kind: 'local',
  local,
  type: local.type,
  span,
});

/** The values of several targets from one tuple: a hidden local holds it. */
function takeApart(
  context: Context,
  node: Bind,
): {
  readonly before: readonly TypedStatement[];
  readonly values: readonly TypedExpression[];
} | null {
  const [source] = node.values;
  const value = context.session.rules.expression(context, source, null);
  if (isBroken(value)) return null;
  const { type } = value;
  if (type.kind !== 'tuple' || type.fields.length !== node.targets.length) {
    const values = type.kind === 'tuple' ? `a tuple of ${type.fields.length}` : describe(type);
    context.report(
      report(types.E0128, { span: source.span, data: { names: node.targets.length, values } }),
    );
    return null;
  }
  if (value.kind === 'tuple') return { before: [], values: value.items };
  const name = node.targets.map((target) => target.name.text).join(', ');
  const local: Local = { name, type, span: node.span };
  const before: TypedStatement[] = [{ kind: 'let', local, value, span: source.span }];
  const values = type.fields.map((f, field): TypedExpression => ({
    kind: 'project',
    target: localValue(local, source.span),
    field,
    type: f.type,
    span: source.span,
  }));
  return { before, values };
}

function checkEquation(context: Context, body: Body, node: Bind): readonly TypedStatement[] {
  if (node.targets.length === node.values.length) {
    const typed = node.targets.map((target, i) => {
      const declared = declaredType(context, body, target);
      return { target, declared, value: valueFor(context, target, node.values[i], declared) };
    });
    return typed.flatMap(({ target, value, declared }) =>
      bindLocal(context, target, value, declared),
    );
  }
  if (node.values.length !== 1) {
    context.report(
      report(types.E0128, {
        span: node.span,
        data: { names: node.targets.length, values: `${node.values.length} values` },
      }),
    );
    for (const target of node.targets) breakName(context, target);
    return [];
  }
  const apart = takeApart(context, node);
  if (apart === null) {
    for (const target of node.targets) breakName(context, target);
    return [];
  }
  const after = node.targets.flatMap((target, i) => {
    const declared = declaredType(context, body, target);
    if (target.slots !== null) {
      context.report(
        report(indices.E0313, { span: target.span, data: { found: target.name.text } }),
      );
      breakName(context, target);
      return [];
    }
    const value =
      declared === null ? apart.values[i] : assign(context, apart.values[i], declared, null);
    return bindLocal(context, target, value, declared);
  });
  return [...apart.before, ...after];
}

/** `mu <- e`: the state and its type; null after a report. */
function stateTarget(context: Context, target: Target): TypedExpression | null {
  const entity = lookUp(context.scope, target.name.text);
  if (entity === null) {
    reportUnknown(context, target.name, context.scope.names.keys());
    return null;
  }
  if (entity.kind === 'broken') return null;
  if (entity.kind !== 'state') {
    context.report(
      report(programs.E0405, {
        span: target.name.span,
        data: { name: target.name.text },
        related: [{ span: entity.span, reason: 'defined here' }],
      }),
    );
    return null;
  }
  const node = { kind: 'name', text: target.name.text, span: target.name.span } as const;
  const value = context.session.rules.expression(context, node, null);
  return isBroken(value) ? null : value;
}

/** The right side of `<-`, with what its left side says of it. */
function nextValue(
  context: Context,
  target: Target,
  current: TypedExpression | null,
  node: Expression,
  complain: Complain,
): TypedExpression {
  const { slots, span } = target;
  if (slots === null) return context.session.rules.expression(context, node, current?.type ?? null);
  if (current === null) return broken(span);
  if (putsAtPlaces(context, slots)) return checkPut(context, target, current, node, complain);
  const wanted = current.type.kind === 'tensor' ? current.type : null;
  return checkComprehension(context, slots, node, wanted, span);
}

function checkUpdate(context: Context, node: Bind): readonly TypedStatement[] {
  const apart =
    node.values.length === 1 && node.targets.length > 1 ? takeApart(context, node) : null;
  if (apart === null && node.values.length !== node.targets.length) {
    if (node.values.length > 1)
      context.report(
        report(types.E0128, {
          span: node.span,
          data: { names: node.targets.length, values: `${node.values.length} values` },
        }),
      );
    return [];
  }
  const updates = node.targets.map((target, i): TypedStatement | null => {
    const state = stateTarget(context, target);
    const wanted = state?.type ?? null;
    const complain =
      (span: Span): Complain =>
      (found, declared) =>
        context.report(
          report(programs.E0406, {
            span,
            data: { name: target.name.text, declared: showType(declared), found: describe(found) },
            related:
              state?.kind === 'state' ? [{ span: state.state.span, reason: 'declared here' }] : [],
          }),
        );
    const raw =
      apart !== null
        ? apart.values[i]
        : nextValue(context, target, state, node.values[i], complain(node.values[i].span));
    if (state?.kind !== 'state' || wanted === null) return null;
    const value = assign(context, raw, wanted, complain(raw.span));
    if (isBroken(value)) return null;
    return { kind: 'update', state: state.state, owner: state.owner, value, span: target.span };
  });
  return [...(apart?.before ?? []), ...updates.filter((update) => update !== null)];
}

/** One rule an operator. */
export const binds: Readonly<
  Record<Bind['operator'], (context: Context, body: Body, node: Bind) => readonly TypedStatement[]>
> = {
  '=': checkEquation,
  '<-': (context, _, node) => checkUpdate(context, node),
  '~': (context, body, node) =>
    checkDraw(context, node, declaredType(context, body, node.targets[0])),
};

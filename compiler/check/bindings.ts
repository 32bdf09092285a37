// Equations that bind names: `y = e`, `a, b = f(x)`, `y[i] = e`.

import type { Bind, Expression, Target } from '../../grammar/ast.ts';
import type { Span } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { indices } from '../diagnostics/indices.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import { assign, sameType, sizeNotes } from './assign.ts';
import { checkComprehension } from './comprehensions.ts';
import { isBroken, type Body, type Context, type Entity } from './context.ts';
import { checkOutput, isOutput, refuseOuter } from './outputs.ts';
import { describe, showType } from './show.ts';
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
export function takeApart(
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

/** `y = e`, `a, b = f(x)`, `y[i] = e` */
export function checkEquation(context: Context, body: Body, node: Bind): readonly TypedStatement[] {
  if (node.targets.length === node.values.length) {
    const typed = node.targets.map((target, i) => {
      const declared = declaredType(context, body, target);
      const { loop } = body;
      if (loop !== null && refuseOuter(context, loop, target))
        return () => (breakName(context, target), []);
      if (loop !== null && isOutput(loop, target))
        return () => checkOutput(context, loop, target, node.values[i], declared);
      const value = valueFor(context, target, node.values[i], declared);
      return () => bindLocal(context, target, value, declared);
    });
    return typed.flatMap((bind) => bind());
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

// Updates: `mu <- e` gives a state, or what a loop carries, its next value; `Q[s, a] <- e` a part of it.

import type { Bind, Expression, Target } from '../../grammar/ast.ts';
import type { Span } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { loops } from '../diagnostics/loops.ts';
import { programs } from '../diagnostics/programs.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import { assign, sizeNotes, type Complain } from './assign.ts';
import { localValue, takeApart } from './bindings.ts';
import { checkComprehension } from './comprehensions.ts';
import { broken, isBroken, lookUp, unknownType, type Context } from './context.ts';
import { reportUnknown } from './paths.ts';
import { checkPut, putsAtPlaces } from './puts.ts';
import { describe, showType } from './show.ts';
import type { Local, TypedExpression, TypedStatement } from './typed.ts';
import type { Type } from './types.ts';

/** What `<-` gives a new value: a state, or what a loop around carries. */
type Updated =
  | { readonly kind: 'state'; readonly current: Extract<TypedExpression, { kind: 'state' }> }
  | {
      readonly kind: 'carry';
      readonly current: TypedExpression;
      readonly local: Local;
      readonly updates: Type[];
    };

/** The target of `mu <- e`; null after a report. */
function updatedBy(context: Context, { name }: Target): Updated | null {
  const { text, span } = name;
  const entity = lookUp(context.scope, text);
  if (entity === null) {
    reportUnknown(context, name, context.scope.names.keys());
    return null;
  }
  if (entity.kind === 'broken') return null;
  if (entity.kind === 'local' && entity.updates !== undefined) {
    const { local, updates } = entity;
    return { kind: 'carry', current: localValue(local, span), local, updates };
  }
  if (entity.kind !== 'state') {
    const related = [{ span: entity.span, reason: 'defined here' }];
    context.report(report(programs.E0405, { span, data: { name: text }, related }));
    return null;
  }
  const current = context.session.rules.expression(context, { kind: 'name', text, span }, null);
  return current.kind === 'state' ? { kind: 'state', current } : null;
}

/** How to report a next value that does not fit. */
const complainAt =
  (context: Context, { name }: Target, updated: Updated, span: Span): Complain =>
  (found, declared) => {
    const [next, first] = [describe(found), showType(declared)];
    if (updated.kind === 'state')
      context.report(
        report(programs.E0406, {
          span,
          data: { name: name.text, declared: first, found: next },
          related: [{ span: updated.current.state.span, reason: 'declared here' }],
        }),
      );
    else
      context.report(
        report(loops.E0450, {
          span,
          data: { name: name.text, first, next },
          related: [{ span: updated.local.span, reason: 'starts here' }],
          notes: sizeNotes(context, found, declared),
        }),
      );
  };

/** The right side of `<-`, with what its left side says of it. */
function rightSide(
  context: Context,
  target: Target,
  updated: Updated | null,
  node: Expression,
): TypedExpression {
  const { slots, span } = target;
  const current = updated?.current ?? null;
  if (slots === null) return context.session.rules.expression(context, node, current?.type ?? null);
  if (updated === null || current === null) return broken(span);
  if (putsAtPlaces(context, slots))
    return checkPut(
      context,
      target,
      current,
      node,
      complainAt(context, target, updated, node.span),
    );
  const wanted = current.type.kind === 'tensor' ? current.type : null;
  return checkComprehension(context, slots, node, wanted, span);
}

export function checkUpdate(context: Context, node: Bind): readonly TypedStatement[] {
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
  const next = node.targets.flatMap((target, i) => {
    const updated = updatedBy(context, target);
    const raw =
      apart === null ? rightSide(context, target, updated, node.values[i]) : apart.values[i];
    if (updated === null) return [];
    const { current } = updated;
    const value = assign(
      context,
      raw,
      current.type,
      complainAt(context, target, updated, raw.span),
    );
    if (updated.kind === 'carry')
      updated.updates.push(raw.type, ...(isBroken(value) ? [unknownType] : []));
    return isBroken(value) ? [] : [{ updated, value, span: target.span }];
  });
  return [...(apart?.before ?? []), ...inParallel(next)];
}

/** All values are those before the statement: `a, b <- b, a` exchanges them. */
function inParallel(
  updates: readonly {
    readonly updated: Updated;
    readonly value: TypedExpression;
    readonly span: Span;
  }[],
): readonly TypedStatement[] {
  const single = updates.length === 1;
  const statements = updates.map(({ updated, value, span }) => {
    const held: Local = { name: 'next', type: value.type, span };
    const given = single ? value : localValue(held, span);
    const before: TypedStatement = { kind: 'let', local: held, value, span };
    const update: TypedStatement =
      updated.kind === 'carry'
        ? { kind: 'let', local: updated.local, value: given, span }
        : {
            kind: 'update',
            state: updated.current.state,
            owner: updated.current.owner,
            value: given,
            span,
          };
    return { before, update };
  });
  return [
    ...(single ? [] : statements.map(({ before }) => before)),
    ...statements.map(({ update }) => update),
  ];
}

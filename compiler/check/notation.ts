// Binders of index notation, `sum[i, j < t] body`: their indices, bounds and prefixes.

import type { BinderExpression, BinderIndex, Expression, Identifier } from '../../grammar/ast.ts';
import { textOf } from '../../grammar/source.ts';
import { walk } from '../../grammar/walk.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { indices } from '../diagnostics/indices.ts';
import type { Dim } from '../dims/dim.ts';
import { showDim } from '../dims/show.ts';
import { binderResult, keepsIndex } from './binders.ts';
import { broken, isBroken, lookUp, newScope, type Context, type Notation } from './context.ts';
import type { BoundIndex, Index, TypedExpression } from './typed.ts';
import { boundSize } from './left-sides.ts';
import {
  bindKnown,
  checkBody,
  newTrial,
  notationOf,
  rangesOf,
  silent,
  trialIndex,
} from './trials.ts';
import { expectRange } from './comprehensions.ts';

function binderBound(
  context: Context,
  name: Identifier,
  bound: Expression,
  inclusive: boolean,
): Dim | null {
  const value = bound.kind === 'name' ? lookUp(context.scope, bound.text) : null;
  const size = boundSize(value?.kind === 'local' ? silent(context) : context, bound, inclusive);
  if (size === null && value?.kind === 'local')
    context.report(
      report(indices.E0309, {
        span: bound.span,
        data: { name: name.text, bound: textOf(bound.span) },
      }),
    );
  return size;
}
/** Whether a bound speaks of an index around it: `j < t`. */
function mentionsIndex(context: Context, bound: Expression): boolean {
  let found = false;
  walk(bound, (child) => {
    if ('kind' in child && child.kind === 'name')
      found ||= lookUp(context.scope, child.text)?.kind === 'index';
    return !found;
  });
  return found;
}

/** The index of a binder, with its prefix; null after a report. */
function bindIndex(
  context: Context,
  binder: BinderExpression,
  item: BinderIndex,
  missing: Identifier[],
): BoundIndex | null {
  const { name, relation, bound } = item;
  const { notation } = context;
  if (notation === null) return null;
  const known = lookUp(context.scope, name.text);
  const keeps = keepsIndex(binder.binder);
  if (keeps && known?.kind === 'broken') return null;
  if (keeps && known?.kind !== 'index') {
    context.report(
      report(indices.E0315, {
        span: name.span,
        data: { binder: binder.binder, name: name.text },
      }),
    );
    return null;
  }
  if (!keeps && known?.kind === 'index') {
    context.report(
      report(indices.E0306, {
        span: name.span,
        data: { name: name.text },
        related: [{ span: known.span, reason: 'here first' }],
      }),
    );
    return null;
  }
  const isPrefix = bound !== null && mentionsIndex(context, bound);
  const limit = bound !== null && isPrefix ? prefixBound(context, name, bound) : null;
  if (isPrefix && limit === null) return null;
  const index =
    known?.kind === 'index'
      ? known.index
      : notation.trial === null
        ? bindKnown(context, notation, name)
        : trialIndex(notation.trial, name);
  if (index === null) {
    if (bound === null || isPrefix || binderBound(context, name, bound, false) !== null)
      missing.push(name);
    return null;
  }
  context.scope.names.set(name.text, { kind: 'index', index, span: name.span });
  if (limit !== null && relation !== null) {
    if (notation.trial !== null && limit.kind === 'index')
      notation.trial.fallbacks.push({
        left: index.range,
        right: limit.index.range,
        origin: { span: name.span, reason: () => 'as far as its bound' },
      });
    return { index, prefix: { relation, bound: limit } };
  }
  if (bound !== null && relation !== null && !boundBySize(context, index, item, bound)) return null;
  return { index, prefix: null };
}

function prefixBound(
  context: Context,
  name: Identifier,
  bound: Expression,
): TypedExpression | null {
  const value = context.session.rules.expression(context, bound, null);
  if (isBroken(value)) return null;
  const { type } = value;
  if (
    type.kind === 'tensor' &&
    type.shape.length === 0 &&
    (type.base.kind === 'int' || type.base.kind === 'fin')
  )
    return value;
  context.report(
    report(indices.E0309, {
      span: bound.span,
      data: { name: name.text, bound: textOf(bound.span) },
    }),
  );
  return null;
}

/** `i < n`, `i <= n`: an equation, or a check of the range that is known. */
function boundBySize(
  context: Context,
  index: Index,
  { name, relation }: BinderIndex,
  bound: Expression,
): boolean {
  const { notation } = context;
  if (relation !== '<' && relation !== '<=') {
    context.report(
      report(indices.E0309, {
        span: bound.span,
        data: { name: name.text, bound: textOf(bound.span) },
        help: 'write `<` or `<=`',
      }),
    );
    return false;
  }
  const size = binderBound(context, name, bound, relation === '<=');
  if (size === null || notation === null) return false;
  if (notation.trial === null) expectRange(context, notation, index, size, bound.span);
  else
    notation.trial.equations.push({
      left: index.range,
      right: size,
      origin: { span: bound.span, reason: () => `\`${name.text}\` runs to ${showDim(size)} here` },
    });
  return true;
}

/** Binds the indices of a binder and checks its body; `context` is in index notation. */
function checkInside(context: Context, node: BinderExpression): TypedExpression {
  const { notation } = context;
  if (notation === null) return broken(node.span);
  const bounds = new Map(notation.bounds);
  const inside: Context = {
    ...context,
    scope: newScope('notation', context.scope),
    notation: { ...notation, bounds },
  };
  const missing: Identifier[] = [];
  const bound = node.indices.map((item) => {
    const made = bindIndex(inside, node, item, missing);
    if (made === null)
      inside.scope.names.set(item.name.text, { kind: 'broken', span: item.name.span });
    else if (made.prefix !== null) bounds.set(made.index, made.prefix);
    return made;
  });
  const body = checkBody(inside, missing, notation.trialIsBroken, (c) =>
    c.session.rules.expression(c, node.body, null),
  );
  for (const { name } of node.indices) context.session.ended.set(name.text, node.span);
  const made = bound.filter((item) => item !== null);
  if (isBroken(body) || made.length !== bound.length) return broken(node.span);
  return binderResult(context, node, made, body);
}

/** `sum[i, j < t] body` */
export function checkBinder(context: Context, node: BinderExpression): TypedExpression {
  const { notation } = context;
  const known = node.indices.every(
    ({ name }) => keepsIndex(node.binder) || notation?.ranges.has(name) === true,
  );
  if (notation !== null && (notation.trial !== null || known)) return checkInside(context, node);
  const trial = newTrial('none');
  const base: Notation = {
    ...notationOf(trial),
    dots: notation?.dots ?? null,
    bounds: notation?.bounds ?? new Map(),
  };
  const trialIsBroken = isBroken(checkInside({ ...silent(context), notation: base }, node));
  const ranges = new Map([...(notation?.ranges ?? []), ...rangesOf(context, trial)]);
  return checkInside(
    { ...context, notation: { ...base, trial: null, ranges, trialIsBroken } },
    node,
  );
}

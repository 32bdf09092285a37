// What each binder of index notation makes of its body.

import type { BinderExpression, BinderName } from '../../grammar/ast.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { indices } from '../diagnostics/indices.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import { multiply, one } from '../dims/arithmetic.ts';
import { broken, type Context } from './context.ts';
import { bool, convertTo, int, real, tensor } from './convert.ts';
import { describe } from './show.ts';
import type { BoundIndex, TypedExpression } from './typed.ts';
import type { Base } from './types.ts';

/** The base that the body is converted to, and that of the result; null for a body that does not fit. */
type Rule = (
  base: Base,
  indices: readonly BoundIndex[],
) => { readonly body: Base; readonly result: Base } | null;

const numbers: Rule = (base) => {
  if (base.kind === 'bool') return null;
  const whole = base.kind === 'fin' ? int : base;
  return { body: whole, result: whole };
};

const reals: Rule = (base) => (base.kind === 'bool' ? null : { body: real, result: real });

/** The largest of values in 0..n-1 is in 0..n-1. */
const extremes: Rule = (base) => (base.kind === 'bool' ? null : { body: base, result: base });

const truths: Rule = (base) => (base.kind === 'bool' ? { body: bool, result: bool } : null);

/** The place of the extreme: an index of the binder's range, of several flattened row-major. */
const places: Rule = (base, bound) => {
  if (base.kind === 'bool') return null;
  const size = bound.map(({ index }) => index.range).reduce(multiply, one);
  return { body: base, result: { kind: 'fin', size } };
};

const rules: Readonly<Record<BinderName, Rule>> = {
  sum: numbers,
  prod: numbers,
  mean: reals,
  max: extremes,
  min: extremes,
  any: truths,
  all: truths,
  lse: reals,
  argmax: places,
  argmin: places,
  softmax: reals,
  logsoftmax: reals,
  cumsum: numbers,
  cumprod: numbers,
};

const keepers: ReadonlySet<BinderName> = new Set(['softmax', 'logsoftmax', 'cumsum', 'cumprod']);

/** Whether the result still varies along the index. */
export const keepsIndex = (binder: BinderName): boolean => keepers.has(binder);

/** The binder applied to its checked body; broken after a report. */
export function binderResult(
  context: Context,
  node: BinderExpression,
  bound: readonly BoundIndex[],
  body: TypedExpression,
): TypedExpression {
  const { type } = body;
  if (type.kind !== 'tensor' || type.shape.length > 0) {
    context.report(
      report(indices.E0314, { span: node.body.span, data: { found: describe(type) } }),
    );
    return broken(node.span);
  }
  const rule = rules[node.binder](type.base, bound);
  if (rule === null) {
    const wantsTruth = type.base.kind !== 'bool';
    context.report(
      report(types.E0121, {
        span: node.body.span,
        data: { found: describe(type), expected: wantsTruth ? 'a truth value' : 'a number' },
        help: wantsTruth
          ? `compare inside the binder, in brackets: \`${node.binder}[i] (x[i] > 0)\``
          : '`ind(c)` is 1 where c is true, else 0',
      }),
    );
    return broken(node.span);
  }
  return {
    kind: 'binder',
    binder: node.binder,
    indices: bound,
    body: convertTo(body, rule.body),
    type: tensor(rule.result),
    span: node.span,
  };
}

// One slot of a read, `x[.., t, 2*i + u, (i, j), a:b]`: what it takes of its axis, and the proof that it is in range.

import type { Expression, NameExpression, RangeSlot } from '../../grammar/ast.ts';
import { textOf } from '../../grammar/source.ts';
import { builtins } from '../builtins/registry.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { indices } from '../diagnostics/indices.ts';
import { add, isConstant, multiply, one, subtract, zero } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import { proveAtMost, proveEqual, type Answer } from '../dims/prove.ts';
import { showDim, showValuation, sourceDim } from '../dims/show.ts';
import type { Axis } from '../dims/shape.ts';
import { affineTerms, backwardsIndex, boundsOf } from './bounds.ts';
import { isBroken, lookUp, type Context } from './context.ts';
import { toSize } from './dimensions.ts';
import { describe } from './show.ts';
import type { Index, ReadSlot, TypedExpression } from './typed.ts';

const inTrial = (context: Context): boolean => (context.notation?.trial ?? null) !== null;

/** The axis that a slot reads, and how to name it. */
interface Place {
  readonly axis: Axis;
  readonly target: Expression;
  readonly name: string;
}

const axisText = (place: Place): string => `${place.name} of \`${textOf(place.target.span)}\``;

/** `t` alone: its range must be the size of the axis. */
function readAtIndex(
  context: Context,
  value: Extract<TypedExpression, { kind: 'index' }>,
  size: Dim,
  place: Place,
): boolean {
  const { index } = value;
  const trial = context.notation?.trial ?? null;
  const reason = (): string => `${axisText(place)} has size ${showDim(size)}`;
  if (trial !== null) {
    trial.equations.push({ left: index.range, right: size, origin: { span: value.span, reason } });
    return true;
  }
  const answer = proveEqual(index.range, size, context.assumptions);
  if (answer.kind === 'proved') return true;
  const { notation } = context;
  if (notation?.conflict.reported === true) return false;
  if (notation !== null) notation.conflict.reported = true;
  const origin = notation?.origins.get(index);
  const swapped = index.range.key !== size.key && isTransposed(context, index, place);
  context.report(
    report(indices.E0302, {
      span: value.span,
      data: {
        name: index.name,
        first: `0..${showDim(subtract(size, one))}`,
        second: `0..${showDim(subtract(index.range, one))}`,
      },
      related:
        origin === undefined || origin.span === value.span
          ? []
          : [{ span: origin.span, reason: origin.reason() }],
      notes:
        answer.kind === 'refuted' && answer.valuation.size > 0
          ? [`for ${showValuation(answer.valuation)} they are ${answer.right} and ${answer.left}`]
          : [],
      help: swapped
        ? `is \`${textOf(place.target.span)}\` transposed?`
        : proveAtMost(index.range, size, context.assumptions).kind === 'proved'
          ? `to read the beginning of the axis, cut it first: \`${textOf(place.target.span)}[:${sourceDim(index.range)}]\``
          : answer.kind === 'unknown'
            ? `add \`where ${sourceDim(index.range)} == ${sourceDim(size)}\` if they are equal`
            : null,
    }),
  );
  return false;
}

/** Reads that give a range where nothing else does: `n - 1 - i`, the axis backwards, and `i * p + u`, which tile it. */
function readCovering(context: Context, value: TypedExpression, size: Dim, place: Place): void {
  const trial = context.notation?.trial ?? null;
  const origin = {
    span: value.span,
    reason: () => `${axisText(place)} has size ${showDim(size)}`,
  };
  const index = backwardsIndex(value, size);
  if (index !== null) trial?.fallbacks.push({ left: index.range, right: size, origin });
  const terms = affineTerms(value);
  if (terms !== null) trial?.affine.push({ terms, size, origin });
}

/** Whether another axis of the tensor would fit the index: then the axes are probably the other way round. */
function isTransposed(context: Context, index: Index, place: Place): boolean {
  const silent = { ...context, report: () => {} };
  const target = context.session.rules.expression(silent, place.target, null);
  return (
    target.type.kind === 'tensor' &&
    target.type.shape.length > 1 &&
    target.type.shape.some(
      (axis) =>
        axis.kind === 'size' &&
        proveEqual(axis.size, index.range, context.assumptions).kind === 'proved',
    )
  );
}

const noteOf = (
  answer: Answer,
  what: (left: number, right: number) => string,
): readonly string[] =>
  answer.kind === 'refuted' && answer.valuation.size > 0
    ? [`for ${showValuation(answer.valuation)} ${what(answer.left, answer.right)}`]
    : [];

/** Any integer expression: its least and its greatest value must be places of the axis. */
function readAtInteger(
  context: Context,
  value: TypedExpression,
  size: Dim,
  node: Expression,
): boolean {
  const bounds = boundsOf(context, value);
  if (bounds === null) {
    context.report(
      report(indices.E0304, {
        span: node.span,
        data: { found: describe(value.type), size: sourceDim(size) },
        help: `declare it as \`fin(${sourceDim(size)})\`, or \`clamp(..., 0, ${sourceDim(subtract(size, one))})\` it`,
      }),
    );
    return false;
  }
  const low = proveAtMost(zero, bounds.low, context.assumptions);
  const high = proveAtMost(add(bounds.high, one), size, context.assumptions);
  if (low.kind === 'proved' && high.kind === 'proved') return true;
  const notes =
    high.kind === 'proved'
      ? noteOf(low, (_, right) => `it reaches ${right}`)
      : noteOf(high, (left, right) => `it reaches ${left - 1}, and the size is ${right}`);
  context.report(
    report(indices.E0303, {
      span: node.span,
      data: {
        index: textOf(node.span),
        least: showDim(bounds.low),
        most: showDim(bounds.high),
        size: showDim(size),
      },
      notes,
      help:
        high.kind === 'unknown'
          ? `add \`where ${sourceDim(bounds.high)} < ${sourceDim(size)}\``
          : low.kind === 'unknown'
            ? `add \`where 0 <= ${sourceDim(bounds.low)}\``
            : 'narrow the range of the index, as in `sum[i < n - 1]`, or `pad` what is read',
    }),
  );
  return false;
}

/** One place of an axis; null after a report. */
export function readAt(context: Context, node: Expression, place: Place): ReadSlot | null {
  if (place.axis.kind === 'pack') {
    context.report(
      report(indices.E0307, {
        span: node.span,
        data: {
          reason: `this stands at the pack \`..${place.axis.pack.name}\`: write \`..\` for all its axes`,
        },
      }),
    );
    return null;
  }
  const { size } = place.axis;
  if (node.kind === 'tuple') return readGroup(context, node.items, size, node, place);
  if (node.kind === 'name' && isUnboundIndex(context, node)) return null;
  const value = context.session.rules.expression(context, node, {
    kind: 'tensor',
    base: { kind: 'fin', size },
    shape: [],
  });
  if (isBroken(value)) return null;
  if (!isWholeScalar(context, value, node, size)) return null;
  if (value.kind === 'index')
    return readAtIndex(context, value, size, place) ? { kind: 'at', at: value } : null;
  if (inTrial(context)) {
    readCovering(context, value, size, place);
    return { kind: 'at', at: value };
  }
  const { type } = value;
  if (type.kind === 'tensor' && type.base.kind === 'fin' && value.kind !== 'builtin') {
    const fits = proveAtMost(type.base.size, size, context.assumptions).kind === 'proved';
    if (fits) return { kind: 'at', at: value };
  }
  return readAtInteger(context, value, size, node) ? { kind: 'at', at: value } : null;
}

/** Reports a short unknown name in an index's place as an index that nothing binds. */
function isUnboundIndex(context: Context, node: NameExpression): boolean {
  const ended = context.session.ended.get(node.text);
  const here = ended !== undefined && ended.source === node.span.source;
  if (context.notation === null || node.text.length > 2 || here) return false;
  if (lookUp(context.scope, node.text) !== null || builtins[node.text] !== undefined) return false;
  context.report(
    report(indices.E0301, {
      span: node.span,
      data: { name: node.text, scope: null },
      help: `put it on the left side, or bind it: \`sum[${node.text}]\``,
    }),
  );
  return true;
}

function isWholeScalar(
  context: Context,
  value: TypedExpression,
  node: Expression,
  size: Dim,
): boolean {
  const { type } = value;
  const whole =
    type.kind === 'tensor' &&
    type.shape.length === 0 &&
    (type.base.kind === 'int' || type.base.kind === 'fin');
  if (whole) return true;
  const many = type.kind === 'tensor' && type.shape.length > 0;
  context.report(
    report(indices.E0304, {
      span: node.span,
      data: { found: describe(type), size: sourceDim(size) },
      help: many ? 'read it by an index first, as in `E[t[b], c]`' : null,
    }),
  );
  return false;
}

/** `(i, j)`: one axis, whose size is the product of the ranges. */
function readGroup(
  context: Context,
  items: readonly Expression[],
  size: Dim,
  node: Expression,
  place: Place,
): ReadSlot | null {
  const read = items.map((item) => {
    const at = context.session.rules.expression(context, item, null);
    if (isBroken(at)) return null;
    const { type } = at;
    if (type.kind === 'tensor' && type.shape.length === 0 && type.base.kind === 'fin')
      return { at, size: type.base.size };
    context.report(report(indices.E0312, { span: item.span, data: { found: describe(type) } }));
    return null;
  });
  const known = read.filter((item) => item !== null);
  if (known.length !== read.length) return null;
  const product = known.map((item) => item.size).reduce(multiply, one);
  const trial = context.notation?.trial ?? null;
  if (trial !== null) {
    const reason = (): string => `${axisText(place)} has size ${showDim(size)}`;
    trial.equations.push({ left: product, right: size, origin: { span: node.span, reason } });
    return { kind: 'group', items: known };
  }
  const answer = proveEqual(product, size, context.assumptions);
  if (answer.kind === 'proved') return { kind: 'group', items: known };
  context.report(
    report(indices.E0310, {
      span: node.span,
      data: { group: textOf(node.span), product: showDim(product), size: showDim(size) },
      notes: noteOf(answer, (left, right) => `they are ${left} and ${right}`),
    }),
  );
  return null;
}

/** `:`, `:k`, `a:b`: the axis stays, perhaps in part. */
export function readRange(context: Context, node: RangeSlot, place: Place): ReadSlot | null {
  if (node.from === null && node.to === null) return { kind: 'keep', axes: [place.axis] };
  if (place.axis.kind === 'pack') {
    context.report(
      report(indices.E0307, {
        span: node.span,
        data: { reason: `the axes of \`..${place.axis.pack.name}\` cannot be cut` },
      }),
    );
    return null;
  }
  const { size } = place.axis;
  const from = node.from === null ? zero : toSize(context, node.from);
  const to = node.to === null ? size : toSize(context, node.to);
  if (from === null || to === null) return null;
  if (inTrial(context)) return { kind: 'range', from, to };
  const answers = [
    proveAtMost(zero, from, context.assumptions),
    proveAtMost(add(from, one), to, context.assumptions),
    proveAtMost(to, size, context.assumptions),
  ];
  const wrong = answers.find((answer) => answer.kind !== 'proved');
  if (wrong === undefined) return { kind: 'range', from, to };
  context.report(
    report(indices.E0311, {
      span: node.span,
      data: { from: showDim(from), to: showDim(to), size: showDim(size) },
      notes: noteOf(wrong, (left, right) => `that fails: ${left} > ${right}`),
      help:
        isConstant(size) === null && answers[2].kind !== 'proved'
          ? `add \`where ${sourceDim(to)} <= ${sourceDim(size)}\``
          : null,
    }),
  );
  return null;
}

// Binders of index notation: `sum[i] e`, `max[u < k] e`, `softmax[s] e` and the rest. Sums of products become contractions and
// convolutions, windowed reads pools, everything else a map and a reduction.

import type { BinderName } from '../../grammar/ast.ts';
import type { Environment, Label, TensorValue } from '../builtins/elaboration.ts';
import {
  asTensor,
  elementwise,
  labelAxis,
  reduceLabels,
  spread,
  tensorOf,
  unionOfLabels,
  varies,
} from '../builtins/labelled.ts';
import { divideByCount } from '../builtins/reductions.ts';
import type { BoundIndex, TypedExpression } from '../check/typed.ts';
import { multiply, one } from '../dims/arithmetic.ts';
import type { Builder, Comparison, Reduction } from '../ir/builder-types.ts';
import type { DType } from '../ir/tensor.ts';
import type { Context } from './context.ts';
import { wholeValue } from './draws.ts';
import { bindIndex } from './indices.ts';
import { collectProduct, productOfSum } from './products.ts';
import { finishRead } from './finish-read.ts';
import { prepareRead } from './reads.ts';
import { dtypeOfType } from './sizes.ts';
import { hasWindows, pool } from './windows.ts';

export type BinderExpression = Extract<TypedExpression, { kind: 'binder' }>;

/** A binder with its indices bound: what every rule below works on. */
interface Bound {
  readonly context: Context;
  readonly environment: Environment;
  readonly labels: readonly Label[];
  /** Where the prefix conditions hold, varying along labels; null without any. */
  readonly mask: TensorValue | null;
  readonly body: TypedExpression;
  readonly dtype: DType;
  readonly strict: boolean;
}

export function evaluateBinder(
  context: Context,
  expression: BinderExpression,
  environment: Environment,
): TensorValue {
  let inner = environment;
  const labels: Label[] = [];
  for (const { index } of expression.indices) {
    const known = inner.indices.get(index);
    if (known === undefined) {
      const bound = bindIndex(context, index, inner);
      inner = bound.environment;
      labels.push(...bound.labels);
    } else labels.push(...known);
  }
  return rules[expression.binder]({
    context,
    environment: inner,
    labels,
    mask: maskOf(context, expression.indices, inner),
    body: expression.body,
    dtype: dtypeOfType(expression.body.type),
    strict: expression.indices.some(({ prefix }) => prefix !== null && prefix.relation !== '<='),
  });
}

const directions: Readonly<Record<string, Comparison>> = {
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
  '==': 'eq',
  '!=': 'ne',
};

function maskOf(
  context: Context,
  indices: readonly BoundIndex[],
  environment: Environment,
): TensorValue | null {
  const { builder } = context;
  const masks = indices.flatMap(({ index, prefix }) => {
    if (prefix === null) return [];
    const [label] = environment.indices.get(index) ?? [];
    const position = tensorOf(builder.iota([label.size], 0), [label]);
    const bound = asTensor(builder, context.evaluate(prefix.bound, environment), 'i32');
    const direction = directions[prefix.relation];
    return [elementwise(builder, [position, bound], (a, b) => builder.compare(direction, a, b))];
  });
  if (masks.length === 0) return null;
  return masks.reduce((a, b) =>
    elementwise(builder, [a, b], (x, y) => builder.binary('and', x, y)),
  );
}

/** The body, varying along every bound label. */
function fullBody({ context, environment, body, labels, dtype }: Bound): TensorValue {
  const { builder } = context;
  const t = asTensor(builder, context.evaluate(body, environment), dtype);
  return varyAlong(builder, t, labels);
}

function varyAlong(builder: Builder, t: TensorValue, labels: readonly Label[]): TensorValue {
  if (labels.every((label) => varies(t, label))) return t;
  const union = unionOfLabels([t, { labels }]);
  return tensorOf(spread(builder, t, union, []), union);
}

/** `otherwise` where the mask is false. */
function masked(bound: Bound, t: TensorValue, otherwise: number): TensorValue {
  const { builder } = bound.context;
  if (bound.mask === null) return t;
  const none = tensorOf(builder.scalar(otherwise, t.value.dtype));
  return elementwise(builder, [bound.mask, t, none], (c, x, y) => builder.select(c, x, y));
}

/** Below every number that programs work with, and finite, so that differences of two are numbers. */
const lowest = -3.4028234663852886e38;
const lowestInteger = -(2 ** 31);

const reduction =
  (kind: Reduction, identity: (dtype: DType) => number) =>
  (bound: Bound): TensorValue =>
    reduceLabels(
      bound.context.builder,
      kind,
      masked(bound, fullBody(bound), identity(bound.dtype)),
      bound.labels,
    );

/** `max` and `min` of a read alone may be a pool. */
const extremum = (kind: 'max' | 'min'): ((bound: Bound) => TensorValue) => {
  const sign = kind === 'max' ? 1 : -1;
  const plain = reduction(kind, (dtype) =>
    dtype === 'f32' ? sign * lowest : kind === 'max' ? lowestInteger : -lowestInteger - 1,
  );
  return (bound) => pooled(bound, kind) ?? plain(bound);
};

function pooled(bound: Bound, kind: 'max' | 'min' | 'add'): TensorValue | null {
  const { context, environment, body, labels, mask, dtype } = bound;
  if (body.kind !== 'read' || mask !== null || dtype !== 'f32') return null;
  const read = prepareRead(
    context,
    wholeValue(context, body.target, environment),
    body.slots,
    environment,
  );
  if (!hasWindows(read)) return null;
  const result = pool(context.builder, kind, read, labels);
  if (result !== null) return result;
  const whole = varyAlong(context.builder, finishRead(context.builder, read), labels);
  return reduceLabels(context.builder, kind, whole, labels);
}

function sum(bound: Bound): TensorValue {
  const { context, environment, labels, mask, body, dtype } = bound;
  if (mask !== null || dtype !== 'f32') return reduction('add', () => 0)(bound);
  const product = collectProduct(context, body, environment, labels);
  return productOfSum(context, product, labels);
}

function mean(bound: Bound): TensorValue {
  const { builder } = bound.context;
  const { mask, labels } = bound;
  if (mask === null) {
    const count = labels.reduce((product, { size }) => multiply(product, size), one);
    return divideByCount(builder, sum(bound), count);
  }
  const ones = varyAlong(builder, asTensor(builder, mask, 'f32'), labels);
  const count = reduceLabels(builder, 'add', ones, labels);
  return elementwise(builder, [sum(bound), count], (a, b) => builder.divide(a, b));
}

/** log sum exp, with the largest element taken out so that nothing overflows. */
function logSumExp(bound: Bound): TensorValue {
  const { builder } = bound.context;
  const x = masked(bound, fullBody(bound), lowest);
  const top = reduceLabels(builder, 'max', x, bound.labels);
  const largest = tensorOf(builder.stopGradient(top.value), top.labels);
  const shifted = elementwise(builder, [x, largest], (a, b) => builder.subtract(a, b));
  const powers = elementwise(builder, [shifted], (a) => builder.exp(a));
  const total = reduceLabels(builder, 'add', powers, bound.labels);
  return elementwise(builder, [total, largest], (s, m) => builder.add(builder.log(s), m));
}

/** Softmax keeps its index. Several indices are normalised together. */
const normalisation =
  (kind: 'softmax' | 'logSoftmax') =>
  (bound: Bound): TensorValue => {
    const { builder } = bound.context;
    const x = masked(bound, fullBody(bound), lowest);
    const [label, ...others] = bound.labels;
    if (others.length > 0) throw new Error('softmax has one index');
    const axis = labelAxis(x, label);
    const y = tensorOf(
      kind === 'softmax' ? builder.softmax(x.value, axis) : builder.logSoftmax(x.value, axis),
      x.labels,
    );
    // Nothing at all may be left by a strict prefix, and then nothing is what comes out.
    return bound.strict && kind === 'softmax' ? masked(bound, y, 0) : y;
  };

/** The running sum or product keeps its index. */
function cumulativeSum(bound: Bound): TensorValue {
  const { builder } = bound.context;
  const x = masked(bound, fullBody(bound), 0);
  return bound.labels.reduce(
    (t, label) => tensorOf(builder.cumsum(t.value, labelAxis(t, label)), t.labels),
    x,
  );
}

/** Products of prefixes, by a mask over all pairs: there is no primitive for it, and its uses are short tables. */
function cumulativeProduct(bound: Bound): TensorValue {
  const { context, labels } = bound;
  const { builder } = context;
  const x = masked(bound, fullBody(bound), 1);
  return labels.reduce((t, label) => {
    const upTo = context.newLabel(`${label.name}'`, label.size);
    const positions = [label, upTo].map((l) => tensorOf(builder.iota([l.size], 0), [l]));
    const before = elementwise(builder, positions, (i, n) => builder.compare('le', i, n));
    const unit = tensorOf(builder.scalar(1, t.value.dtype));
    const factors = elementwise(builder, [before, t, unit], (c, a, b) => builder.select(c, a, b));
    const product = reduceLabels(builder, 'multiply', factors, [label]);
    const renamed = product.labels.map((l) => (l.id === upTo.id ? label : l));
    return tensorOf(product.value, renamed);
  }, x);
}

/** The position of the first largest or smallest element; row-major over several indices. */
const argument =
  (kind: 'argMax' | 'argMin') =>
  (bound: Bound): TensorValue => {
    const { builder } = bound.context;
    const x = masked(bound, fullBody(bound), kind === 'argMax' ? lowest : -lowest);
    const kept = x.labels.filter((l) => !bound.labels.some((gone) => gone.id === l.id));
    const ordered = spread(builder, x, [...kept, ...bound.labels], []);
    const count = bound.labels.reduce((product, { size }) => multiply(product, size), one);
    const flat = builder.reshape(ordered, [...kept.map((l) => l.size), count]);
    return tensorOf(builder[kind](flat, kept.length), kept);
  };

const rules: Readonly<Record<BinderName, (bound: Bound) => TensorValue>> = {
  sum,
  mean,
  prod: reduction('multiply', () => 1),
  max: extremum('max'),
  min: extremum('min'),
  any: reduction('or', () => 0),
  all: reduction('and', () => 1),
  lse: logSumExp,
  argmax: argument('argMax'),
  argmin: argument('argMin'),
  softmax: normalisation('softmax'),
  logsoftmax: normalisation('logSoftmax'),
  cumsum: cumulativeSum,
  cumprod: cumulativeProduct,
};

// Recognises textbook formulas that have an operation of their own, so that source may say them plainly: runtimes have fast
// kernels for them, and their gradients reuse their results. Runs after a first simplification (which brings the formulas
// to one form) and before differentiation.

import { equal, isConstant } from '../dims/arithmetic.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import type { Graph, Value } from '../ir/graph.ts';
import { attributesIf } from '../ir/node-attributes.ts';
import { reluOperand, uniform } from '../ir/patterns.ts';
import { product, range } from '../ir/shape-arithmetic.ts';
import { isIdentity } from '../ir/types.ts';
import { rewrite } from './rewrite.ts';
import type { Candidate, Rule } from './rules.ts';
import { broadcastOf, operandsIf } from './rules.ts';

/** log(softmax(x)) = log_softmax(x), which does not lose small probabilities. */
const logOfSoftmax: Rule = ({ builder: b, inputs: [x] }) => {
  const node = b.producerOf(x);
  const attributes = attributesIf('softmax', node);
  return node === undefined || attributes === null
    ? null
    : b.logSoftmax(node.inputs[0], attributes.axis);
};

/** `(x - mean x) / sqrt(mean (x - mean x)^2 + epsilon)` over the last axes: the normalisation of a layer (Ba et al. 2016). */
const dividedByDeviation: Rule = ({ builder: b, inputs: [centred, deviation] }) => {
  const spread = broadcastOf(b, deviation);
  const radicand = spread && operandsIf(b, 'sqrt', spread.x);
  if (spread === null || radicand === null) return null;
  const plain = standardized(b, centred, spread.axes, radicand[0]);
  if (plain !== null) return plain;
  // gamma * (x - mean) / deviation, read from left to right.
  const [left, right] = operandsIf(b, 'multiply', centred) ?? [];
  if (left === undefined || right === undefined) return null;
  for (const [factor, inner] of [
    [left, right],
    [right, left],
  ]) {
    const standard = standardized(b, inner, spread.axes, radicand[0]);
    if (standard !== null) return b.multiply(factor, standard);
  }
  return null;
};

/** The same with a product by 1 / sqrt or rsqrt. */
function timesInverse(b: GraphBuilder, centred: Value, factor: Value): Value | null {
  const spread = broadcastOf(b, factor);
  if (spread === null) return null;
  const reciprocal = operandsIf(b, 'divide', spread.x);
  const root =
    reciprocal && uniform(b, reciprocal[0]) === 1 ? operandsIf(b, 'sqrt', reciprocal[1]) : null;
  const radicand = operandsIf(b, 'rsqrt', spread.x) ?? root;
  return radicand && standardized(b, centred, spread.axes, radicand[0]);
}

const timesInverseDeviation: Rule = ({ builder: b, inputs: [x, y] }) =>
  timesInverse(b, x, y) ?? timesInverse(b, y, x);

function standardized(
  b: GraphBuilder,
  centred: Value,
  outer: readonly number[],
  radicand: Value,
): Value | null {
  const sum = operandsIf(b, 'add', radicand);
  const axis = outer.length;
  const difference = operandsIf(b, 'subtract', centred);
  if (sum === null || difference === null || !isIdentity(outer)) return null;
  const [x, mean] = difference;
  const spread = broadcastOf(b, mean);
  if (spread === null || spread.axes.length !== axis || !isIdentity(spread.axes)) return null;
  if (meanOf(b, spread.x, axis) !== x) return null;
  for (const [variance, constant] of [sum, [sum[1], sum[0]]]) {
    const epsilon = uniform(b, constant);
    const squares = meanOf(b, variance, axis);
    if (epsilon === null || squares === null) continue;
    const square = operandsIf(b, 'multiply', squares);
    if (square !== null && square[0] === centred && square[1] === centred)
      return b.emit('standardize', [x], { axis, epsilon })[0];
  }
  return null;
}

/** The x whose mean over the axes from `axis` on is `value`: its sum, divided by their size or times the inverse. */
function meanOf(b: GraphBuilder, value: Value, axis: number): Value | null {
  const [quotient, scaled] = [operandsIf(b, 'divide', value), operandsIf(b, 'multiply', value)];
  const candidates =
    quotient !== null ? [quotient] : scaled !== null ? [scaled, [scaled[1], scaled[0]]] : [];
  for (const [sum, by] of candidates) {
    const node = b.producerOf(sum);
    const attributes = attributesIf('reduce', node);
    if (node === undefined || attributes?.kind !== 'add') continue;
    const [x] = node.inputs;
    const axes = range(x.shape.length).slice(axis);
    if (attributes.axes.length !== axes.length || !attributes.axes.every((a) => axes.includes(a)))
      continue;
    if (isCount(b, by, x, axes, quotient === null)) return x;
  }
  return null;
}

/** Whether `value` is the number of elements of the axes, or one over it. */
function isCount(
  b: GraphBuilder,
  value: Value,
  x: Value,
  axes: readonly number[],
  inverse: boolean,
): boolean {
  const count = product(axes.map((axis) => x.shape[axis]));
  const [known, number] = [isConstant(count), uniform(b, value)];
  if (known !== null && number !== null)
    return Math.abs(number * (inverse ? known : 1 / known) - 1) < 1e-12;
  if (inverse) return false;
  const size = broadcastOf(b, value)?.x ?? value;
  const dim = attributesIf('dim_value', b.producerOf(size))?.dim;
  return dim !== undefined && equal(dim, count);
}

/**
 * The largest of relus is the relu of the largest, at as many elements fewer as a window has. The derivative stays, too: a
 * positive maximum is first reached at the same element, any other passes nothing.
 */
const poolOfRelu: Rule = ({ builder: b, inputs: [y], attributes }) => {
  const x = reluOperand(b, b.producerOf(y));
  if (x === null) return null;
  const [largest] = b.emit('max_pool', [x], attributes);
  const zero = b.full(0, largest.shape);
  return b.select(b.compare('gt', largest, zero), largest, zero);
};

const rules: Readonly<Record<string, Rule>> = {
  log: logOfSoftmax,
  divide: dividedByDeviation,
  multiply: timesInverseDeviation,
  max_pool: poolOfRelu,
};

export const recognise = (graph: Graph): Graph =>
  rewrite(graph, ({ op, attributes }, inputs, builder) => {
    const candidate: Candidate = { builder, op, inputs, attributes };
    const value = rules[op]?.(candidate) ?? null;
    return value === null ? null : [value];
  });

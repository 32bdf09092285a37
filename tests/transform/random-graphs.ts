// A generator of well-shaped graphs over the registry's operations, for properties that hold of every graph. A graph is
// decoded from plain numbers, so that fast-check can shrink it.

import fc from 'fast-check';

import {
  add,
  constant,
  dimOf,
  isConstant,
  multiply,
  one,
  variable,
  zero,
} from '../../compiler/dims/arithmetic.ts';
import type { Dim } from '../../compiler/dims/dim.ts';
import type {
  BinaryName,
  Comparison,
  Reduction,
  UnaryName,
} from '../../compiler/ir/builder-types.ts';
import type { GraphBuilder } from '../../compiler/ir/builder.ts';
import { createBuilder } from '../../compiler/ir/builder.ts';
import { freeAxes } from '../../compiler/ir/dot-dimensions.ts';
import type { Graph, Value } from '../../compiler/ir/graph.ts';
import { range } from '../../compiler/ir/shape-arithmetic.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { sizeOf, tensor } from '../../compiler/ir/tensor.ts';
import { sameShape } from '../../compiler/ir/types.ts';
import { generator, real, sizes } from './models.ts';

/** One node: which operation, and numbers that choose its operands and attributes. */
export interface Step {
  readonly op: number;
  readonly choices: readonly number[];
}

export const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    op: fc.nat(10_000),
    choices: fc.array(fc.nat(1000), { minLength: 4, maxLength: 4 }),
  }),
  { minLength: 1, maxLength: 14 },
);

interface Context {
  readonly b: GraphBuilder;
  /** Real values so far; the first ones are inputs, drawn off every kink. */
  readonly reals: readonly Value[];
  readonly inputs: readonly Value[];
  readonly indices: Value;
  readonly choices: readonly number[];
}

type Template = (context: Context) => Value | null;

const pick = <T>(list: readonly T[], choice: number): T => list[choice % list.length];
const numbers = (n: number, ...sorted: number[]): number[] =>
  range(n).filter((i) => !sorted.includes(i));

const first = ({ reals, choices }: Context): Value => pick(reals, choices[0]);
/** A value of the same shape as `like`; itself if there is no other. */
const partner = ({ reals, choices }: Context, like: Value): Value =>
  pick(
    reals.filter((value) => sameShape(value.shape, like.shape)),
    choices[1],
  );
const withRank = (c: Context, least: number): Value | null => {
  const found = c.reals.filter(({ shape }) => shape.length >= least);
  return found.length === 0 ? null : pick(found, c.choices[0]);
};
const axisOf = (c: Context, x: Value): number => c.choices[2] % x.shape.length;
const statics = (x: Value): number[] =>
  range(x.shape.length).filter((axis) => isConstant(x.shape[axis]) !== null);

/** Keeps magnitudes near 1, so that errors do not grow. */
const bounded = (b: GraphBuilder, x: Value): Value => b.unary('tanh', x);
const positive = (b: GraphBuilder, x: Value): Value =>
  b.add(b.multiply(x, x), b.full(0.5, x.shape));

const anywhere: readonly UnaryName[] = [
  'negate',
  'abs',
  'expm1',
  'sine',
  'cosine',
  'tanh',
  'logistic',
  'erf',
  'exponential',
];
const whereNotNegative: readonly UnaryName[] = ['log', 'sqrt', 'rsqrt', 'log1p'];
/** Steps: only of inputs, where rounding cannot move a value across one. */
const stepping: readonly UnaryName[] = ['sign', 'floor', 'ceil', 'round_even'];
const pairs: readonly BinaryName[] = ['add', 'subtract', 'multiply', 'maximum', 'minimum'];
const directions: readonly Comparison[] = ['lt', 'le', 'gt', 'ge'];
const reductions: readonly Reduction[] = ['add', 'max', 'min', 'multiply'];

const templates: readonly Template[] = [
  (c) => c.b.unary(pick(anywhere, c.choices[1]), bounded(c.b, first(c))),
  (c) => c.b.unary(pick(whereNotNegative, c.choices[1]), positive(c.b, first(c))),
  ({ b, inputs, choices }) => b.unary(pick(stepping, choices[1]), pick(inputs, choices[0])),
  (c) => c.b.binary(pick(pairs, c.choices[2]), first(c), partner(c, first(c))),
  (c) => c.b.divide(first(c), positive(c.b, partner(c, first(c)))),
  (c) =>
    c.b.binary('power', positive(c.b, bounded(c.b, first(c))), bounded(c.b, partner(c, first(c)))),
  (c) => c.b.binary('atan2', first(c), positive(c.b, partner(c, first(c)))),
  // Identities that passes remove.
  (c) => c.b.multiply(first(c), c.b.full(pick([1, -1, 2, 0.5], c.choices[1]), first(c).shape)),
  (c) => c.b.add(c.b.full(pick([0, 1, -0.25], c.choices[1]), first(c).shape), first(c)),
  (c) =>
    c.b.binary(
      'power',
      bounded(c.b, first(c)),
      c.b.full(pick([0, 1, 2, 3, 5], c.choices[1]), first(c).shape),
    ),
  (c) => c.b.negate(first(c)),
  (c) => c.b.convert(c.b.convert(bounded(c.b, first(c)), 'f32'), 'f32'),
  (c) => {
    const { b, inputs, choices } = c;
    const x = pick(inputs, choices[0]);
    const p = b.compare(pick(directions, choices[1]), x, b.full(0.123, x.shape));
    return b.select(
      p,
      partner(c, x),
      b.select(choices[2] % 2 === 0 ? p : b.unary('not', p), x, b.negate(x)),
    );
  },
  // Shapes.
  (c) => {
    const x = first(c);
    const turn = c.choices[1];
    return c.b.transpose(
      x,
      range(x.shape.length).map((axis) => (axis + turn) % x.shape.length),
    );
  },
  (c) => c.b.transpose(first(c), range(first(c).shape.length).reverse()),
  (c) => {
    const x = first(c);
    return c.b.reshape(x, [x.shape.reduce(multiply, one)]);
  },
  (c) => {
    const x = first(c);
    const axis = c.choices[1] % (x.shape.length + 1);
    if (x.shape.length > 4) return null;
    const shape = x.shape.toSpliced(axis, 0, pick([one, constant(2)], c.choices[2]));
    return c.b.broadcastInDim(x, shape, numbers(shape.length, axis));
  },
  (c) => {
    // Back to a shape that is already there, from a scalar or a vector along one axis.
    const like = first(c);
    if (like.shape.length === 0) return null;
    const axis = axisOf(c, like);
    const rest = numbers(like.shape.length, axis);
    return c.b.broadcastInDim(c.b.reduce('add', c.b.logSoftmax(like, axis), rest), like.shape, [
      axis,
    ]);
  },
  (c) => over(withRank(c, 1), (x) => c.b.reverse(x, [axisOf(c, x)])),
  (c) =>
    over(withRank(c, 1), (x) => c.b.concatenate([x, c.b.reverse(x, [axisOf(c, x)])], axisOf(c, x))),
  (c) =>
    over(withRank(c, 1), (x) => {
      const axis = pick(statics(x), c.choices[2]);
      if (axis === undefined) return null;
      const start = constant(c.choices[1] % (isConstant(x.shape[axis]) ?? 1));
      const starts = x.shape.map((_, i) => (i === axis ? start : zero));
      return c.b.slice(
        x,
        starts,
        x.shape,
        x.shape.map((_, i) => constant(i === axis ? 1 + (c.choices[3] % 2) : 1)),
      );
    }),
  (c) =>
    over(withRank(c, 1), (x) => {
      const at = axisOf(c, x);
      const only = (n: number): Dim[] => x.shape.map((_, axis) => constant(axis === at ? n : 0));
      return c.b.pad(
        x,
        c.b.scalar(0.5),
        only(c.choices[1] % 2),
        only(c.choices[3] % 3),
        only(c.choices[3] % 2),
      );
    }),
  // Reductions and products.
  (c) =>
    over(withRank(c, 1), (x) =>
      c.b.reduce(pick(reductions, c.choices[1]), bounded(c.b, x), [axisOf(c, x)]),
    ),
  (c) => c.b.reduce('add', bounded(c.b, first(c)), range(first(c).shape.length)),
  (c) =>
    over(withRank(c, 2), (x) =>
      c.b.reduce('add', c.b.transpose(x, range(x.shape.length).reverse()), [axisOf(c, x)]),
    ),
  (c) =>
    over(withRank(c, 1), (x) =>
      c.b.cumsum(x, axisOf(c, x), {
        reverse: c.choices[1] % 2 === 0,
        exclusive: c.choices[3] % 2 === 0,
      }),
    ),
  (c) => over(withRank(c, 1), (x) => c.b.softmax(x, axisOf(c, x))),
  (c) => over(withRank(c, 1), (x) => c.b.log(c.b.softmax(bounded(c.b, x), axisOf(c, x)))),
  (c) =>
    over(
      withRank(c, 2),
      (x) =>
        c.b.emit('standardize', [x], { axis: x.shape.length - 1, epsilon: 0.1 })[c.choices[1] % 3],
    ),
  (c) => layerNorm(c),
  (c) => over(withRank(c, 1), (x) => anyProduct(c, x)),
  (c) =>
    over(withRank(c, 2), (x) => anyProduct(c, c.b.transpose(x, range(x.shape.length).reverse()))),
  // Indices and windows.
  ({ b, reals, indices, choices }) => {
    const tables = reals.filter(({ shape }) => shape.some((size) => isConstant(size) === 3));
    return over(tables.length === 0 ? null : pick(tables, choices[0]), (x) =>
      b.take(
        x,
        indices,
        x.shape.findIndex((size) => isConstant(size) === 3),
      ),
    );
  },
  ({ b, reals, indices, choices }) => {
    const rows = reals.filter(
      ({ shape }) => shape.length >= 1 && sameShape(shape.slice(0, 1), indices.shape),
    );
    return over(rows.length === 0 ? null : pick(rows, choices[0]), (x) =>
      b.scatterAdd(indices, x, 0, [constant(3), ...x.shape.slice(1)]),
    );
  },
  (c) => over(windowed(c), ({ x, window }) => c.b.fold(c.b.unfold(x, window), window, x.shape)),
  (c) => over(windowed(c), ({ x, window }) => c.b.emit('sum_pool', [x], { window })[0]),
  ({ b, inputs }) => b.emit('max_pool', [inputs[4]], { window: windowOver([2, 3], 2) })[0],
  ({ b, inputs: [, , , , image, kernel], choices }) => {
    const padding = { low: constant(choices[0] % 2), high: constant(choices[1] % 2) };
    const ones = [one, one];
    const strides = [constant(1 + (choices[2] % 2)), one];
    const window = { strides, padding: [padding, padding], lhsDilation: ones, rhsDilation: ones };
    return b.convolution(image, kernel, window, one);
  },
  (c) =>
    over(withRank(c, 1), (x) =>
      c.b.multiply(x, c.b.convert(c.b.iota(x.shape, axisOf(c, x)), 'f32')),
    ),
  // Integers, booleans and bits, back to reals.
  ({ b, inputs, choices }) => {
    const x = pick(inputs, choices[0]);
    const axis = choices[2] % x.shape.length;
    return b.convert(choices[1] % 2 === 0 ? b.argMax(x, axis) : b.argMin(x, axis), 'f32');
  },
  ({ b, inputs, choices }) => {
    const x = pick(inputs, choices[0]);
    return b.binary('remainder', x, b.full(0.7, x.shape));
  },
  (c) => {
    const { b, inputs, choices } = c;
    const x = pick(inputs, choices[0]);
    const above = b.compare('gt', x, b.full(0.3, x.shape));
    const below = b.compare('lt', x, b.full(-0.3, x.shape));
    const both = b.binary(pick(['and', 'or', 'xor'] as const, choices[1]), above, below);
    return b.select(both, partner(c, x), b.convert(both, 'f32'));
  },
  (c) => {
    const { b, choices } = c;
    const like = withRank(c, 1);
    if (like === null) return null;
    const counter = b.iota(like.shape, axisOf(c, like), 'u32');
    const key = b.full(choices[1], like.shape, 'u32');
    const [bits] = b.emit('threefry2x32', [key, key, counter, counter]);
    const top = b.binary('shift_right_logical', bits, b.full(8, like.shape, 'u32'));
    const even = b.binary('shift_left', top, b.full(1, like.shape, 'u32'));
    return b.multiply(like, b.multiply(b.convert(even, 'f32'), b.full(2 ** -25, like.shape)));
  },
  (c) => c.b.multiply(first(c), c.b.stopGradient(bounded(c.b, first(c)))),
  (c) => c.b.multiply(first(c), c.b.fill(c.b.dim(add(dimOfBatch(c), one), 'f32'), first(c).shape)),
];

const dimOfBatch = ({ inputs }: Context): Dim => inputs[0].shape[0];

function over<T>(found: T | null, then: (found: T) => Value | null): Value | null {
  return found === null ? null : then(found);
}

const windowOver = (axes: readonly number[], size: number) => ({
  axes,
  sizes: axes.map(() => constant(size)),
  strides: axes.map(() => constant(1)),
  dilations: axes.map(() => constant(1)),
});

function windowed(c: Context) {
  const large = c.reals.filter(({ shape }) => shape.some((size) => (isConstant(size) ?? 0) >= 2));
  if (large.length === 0) return null;
  const x = pick(large, c.choices[0]);
  return { x, window: windowOver([x.shape.findIndex((size) => (isConstant(size) ?? 0) >= 2)], 2) };
}

/** The formula that `recognise` looks for, spelled in one of its ways. */
function layerNorm(c: Context): Value | null {
  const { b, choices } = c;
  const x = withRank(c, 2);
  if (x === null) return null;
  const last = x.shape.length - 1;
  const outer = range(last);
  const count = b.fill(b.dim(x.shape[last], 'f32'), x.shape.slice(0, last));
  const mean = (y: Value): Value => b.divide(b.reduce('add', y, [last]), count);
  const centred = b.subtract(x, b.broadcastInDim(mean(x), x.shape, outer));
  const variance = mean(
    choices[1] % 2 === 0
      ? b.multiply(centred, centred)
      : b.binary('power', centred, b.full(2, x.shape)),
  );
  const radicand = b.add(variance, b.full(0.1, variance.shape));
  return choices[2] % 2 === 0
    ? b.divide(centred, b.sqrt(b.broadcastInDim(radicand, x.shape, outer)))
    : b.multiply(centred, b.broadcastInDim(b.unary('rsqrt', radicand), x.shape, outer));
}

/** A contraction of one axis of x with an equal axis of another value, and a batch axis if there is another equal one. */
function anyProduct({ b, reals, choices }: Context, x: Value): Value | null {
  const axis = choices[2] % x.shape.length;
  const others = reals.filter(({ shape }) => shape.some((size) => size.key === x.shape[axis].key));
  if (others.length === 0) return null;
  const y = pick(others, choices[1]);
  const yAxis = y.shape.findIndex((size) => size.key === x.shape[axis].key);
  const shared = numbers(x.shape.length, axis).flatMap((i) =>
    numbers(y.shape.length, yAxis)
      .filter((j) => y.shape[j].key === x.shape[i].key)
      .map((j) => [i, j] as const),
  );
  const batch = choices[3] % 2 === 0 && shared.length > 0 ? [pick(shared, choices[0])] : [];
  const dimensions = {
    lhsBatch: batch.map(([i]) => i),
    rhsBatch: batch.map(([, j]) => j),
    lhsContracting: [axis],
    rhsContracting: [yAxis],
  };
  const { lhsFree, rhsFree } = freeAxes(x.shape.length, y.shape.length, dimensions);
  if (batch.length + lhsFree.length + rhsFree.length > 5) return null;
  return b.dotGeneral(bounded(b, x), bounded(b, y), dimensions);
}

const mostElements = 20_000;

/**
 * Decodes steps into a graph with a free size B: the last values as outputs, and with `gradients` the derivatives of a
 * bounded function of them by every input.
 */
export function randomGraph(list: readonly Step[], gradients = true): Graph {
  const b = createBuilder();
  const batch = dimOf(variable('B'));
  const input = (name: string, shape: readonly Dim[]): Value => b.input(name, 'data', real(shape));
  const inputs = [
    input('x', [batch, constant(3)]),
    input('y', [batch, constant(3)]),
    input('w', sizes(3, 4)),
    input('m', sizes(2, 1, 4)),
    input('image', [batch, ...sizes(2, 5, 4)]),
    input('kernel', sizes(3, 2, 2, 2)),
  ];
  const indices = b.input('indices', 'data', { dtype: 'i32', shape: [batch] });
  const reals = [...inputs];
  for (const { op, choices } of list) {
    const path = `step${reals.length}`;
    const value = b.at({ path, span: null }, () =>
      pick(templates, op)({ b, reals, inputs, indices, choices }),
    );
    const small = value?.shape.every((size) => (isConstant(size) ?? 3) > 0) ?? false;
    const count = value?.shape.reduce((n, size) => n * (isConstant(size) ?? 3), 1) ?? 0;
    if (value !== null && small && count < mostElements && value.shape.length <= 6)
      reals.push(value);
  }
  const results = reals.slice(inputs.length).slice(-3);
  results.forEach((value, i) => b.output(`out${i}`, 'result', value));
  if (gradients) {
    const losses = results.map((value) =>
      b.reduce('add', bounded(b, value), range(value.shape.length)),
    );
    const loss = losses.reduce((sum, value) => b.add(sum, value), b.scalar(0));
    b.gradient(loss, inputs).forEach((g, i) => b.output(`d${i}`, 'result', g));
  }
  return b.graph('random');
}

/** Inputs for a graph of `randomGraph`, with B = `batch`. */
export function randomFeeds(graph: Graph, batch: number, seed: number): Record<string, Tensor> {
  const next = generator(seed);
  return Object.fromEntries(
    graph.inputs.map(({ name, value }) => {
      const shape = value.shape.map((size) => isConstant(size) ?? batch);
      const values = Array.from({ length: sizeOf(shape) }, () => Math.fround(1.5 * next()));
      const data =
        value.dtype === 'i32' ? values.map((v) => Math.floor(Math.abs(2 * v)) % 3) : values;
      return [name, tensor(value.dtype, shape, data, 'f64')];
    }),
  );
}

// Reductions of whole tensors to one number, and functions along the last axis. Index notation reduces along named indices.

import { sizeOf as sizeOfShape } from '../dims/shape.ts';
import type { Dim } from '../dims/dim.ts';
import { isConstant, multiply, one } from '../dims/arithmetic.ts';
import type { Builder, Comparison, Reduction } from '../ir/builder-types.ts';
import type { Builtin, BuiltinCall, BuiltinResult } from './builtin.ts';
import type { Elaborated, TensorValue } from './elaboration.ts';
import {
  asTensor,
  dtypeOf,
  elementwise,
  numberOf,
  ownRank,
  ownShape,
  reduceOwn,
  reshapeOwn,
  sizeValue,
  tensorOf,
} from './labelled.ts';
import { extremum } from './mathematics.ts';
import { fin, int, refuse, tensorArguments, tensorType, toInt } from './type-tools.ts';

const countOf = (shape: readonly Dim[]): Dim => shape.reduce(multiply, one);

/** A tensor divided by a count, which may be a free size. */
export function divideByCount(builder: Builder, t: TensorValue, count: Dim): TensorValue {
  const known = isConstant(count);
  const divisor = known === null ? builder.dim(count, 'f32') : builder.scalar(known);
  return elementwise(builder, [t, tensorOf(divisor)], (x, n) => builder.divide(x, n));
}

/** Reductions to a scalar of the same base (`fin` as int). */
function numberRule(call: BuiltinCall, signature: string): BuiltinResult | null {
  const given = tensorArguments(call, signature, 1);
  if (given.kind === 'refused') return given.result;
  const x = toInt(given.tensors[0]);
  if (x.type.base.kind === 'bool')
    return refuse(call, signature, 'it takes numbers; count what is true by `sum(ind(x))`', x);
  return { type: tensorType(x.type.base, []), arguments: [x] };
}

const overAll = (
  name: string,
  kind: Reduction,
  doc: string,
  two: ReturnType<typeof extremum> | null = null,
): Builtin => {
  const signature = two === null ? `${name}(x)` : `${name}(x), ${name}(a, b)`;
  return {
    name,
    doc,
    signature,
    rule: (call) =>
      two !== null && call.arguments.length === 2 ? two.rule(call) : numberRule(call, signature),
    elaborate: (call) => {
      if (two !== null && call.arguments.length === 2) return two.elaborate(call);
      const [x] = call.arguments;
      return x.kind === 'tensor' ? reduceOwn(call.builder, kind, x) : x;
    },
  };
};

const logical = (name: string, kind: Reduction, doc: string): Builtin => ({
  name,
  doc,
  signature: `fn ${name}(x: bool[..S]) -> bool`,
  rule: null,
  elaborate: ({ builder, arguments: [x] }) =>
    x.kind === 'tensor' ? reduceOwn(builder, kind, x) : x,
});

/** Whether each element is beyond the one before it; the first has none. */
const ordered = (name: 'increasing' | 'decreasing', direction: Comparison): Builtin => ({
  name,
  doc: `Whether every element is ${name === 'increasing' ? 'larger' : 'smaller'} than the one before it.`,
  signature: `fn ${name}(x: [n]) -> bool`,
  rule: null,
  elaborate: ({ builder, arguments: [x] }) => {
    const t = asTensor(builder, x, 'f32');
    const axis = t.labels.length;
    const { shape } = t.value;
    const positions = builder.iota([shape[axis]], 0);
    const before = builder.binary(
      'maximum',
      builder.subtract(positions, builder.full(1, [shape[axis]], 'i32')),
      builder.full(0, [shape[axis]], 'i32'),
    );
    const beyond = builder.compare(direction, t.value, builder.take(t.value, before, axis));
    const isFirst = builder.compare('eq', builder.iota(shape, axis), builder.full(0, shape, 'i32'));
    const holds = builder.binary('or', isFirst, beyond);
    return reduceOwn(builder, 'and', tensorOf(holds, t.labels));
  },
});

const mean: Builtin = {
  name: 'mean',
  doc: 'The mean of all elements.',
  signature: 'fn mean(x: [..S]) -> real',
  rule: null,
  elaborate: ({ builder, arguments: [x] }) => {
    const t = asTensor(builder, x, 'f32');
    if (ownRank(t) === 0) return x;
    return divideByCount(builder, reduceOwn(builder, 'add', t), countOf(ownShape(t)));
  },
};

const norm: Builtin = {
  name: 'norm',
  doc: 'The Euclidean norm of all elements, `sqrt(sum(x^2))`.',
  signature: 'fn norm(x: [..S]) -> real',
  rule: null,
  elaborate: ({ builder, arguments: [x] }) => {
    const t = asTensor(builder, x, 'f32');
    const squares = elementwise(builder, [t], (v) => builder.multiply(v, v));
    const total = ownRank(t) === 0 ? squares : reduceOwn(builder, 'add', squares);
    return elementwise(builder, [total], (v) => builder.sqrt(v));
  },
};

const arg = (name: 'argmax' | 'argmin'): Builtin => {
  const signature = `${name}(x)`;
  return {
    name,
    doc: `The position of the ${name === 'argmax' ? 'largest' : 'smallest'} element, the first of equal ones; of a tensor with several axes, its row-major position.`,
    signature,
    rule: (call) => {
      const given = tensorArguments(call, signature, 1);
      if (given.kind === 'refused') return given.result;
      const [x] = given.tensors;
      if (x.type.base.kind === 'bool' || x.type.shape.length === 0)
        return refuse(call, signature, 'it takes numbers along at least one axis', x);
      const opaque = x.type.shape.some((axis) => axis.kind === 'pack');
      const base = opaque ? int : fin(sizeOfShape(x.type.shape));
      return { type: tensorType(base, []) };
    },
    elaborate: ({ builder, arguments: [x] }) => {
      const t = asTensor(builder, x, dtypeOf(x));
      const flat = reshapeOwn(builder, t, [countOf(ownShape(t))]);
      const axis = t.labels.length;
      const value =
        name === 'argmax' ? builder.argMax(flat.value, axis) : builder.argMin(flat.value, axis);
      return tensorOf(value, t.labels);
    },
  };
};

const alongLast = (name: 'softmax' | 'logsoftmax', doc: string): Builtin => ({
  name,
  doc,
  signature: `fn ${name}(x: [..S, n]) -> [..S, n]`,
  rule: null,
  elaborate: ({ builder, arguments: [x] }): Elaborated => {
    const t = asTensor(builder, x, 'f32');
    const axis = t.value.shape.length - 1;
    const value =
      name === 'softmax' ? builder.softmax(t.value, axis) : builder.logSoftmax(t.value, axis);
    return tensorOf(value, t.labels);
  },
});

const numel: Builtin = {
  name: 'numel',
  doc: 'The number of elements.',
  signature: 'numel(x)',
  rule: (call) => {
    const given = tensorArguments(call, 'numel(x)', 1);
    return given.kind === 'refused' ? given.result : { type: tensorType(int, []) };
  },
  elaborate: ({ arguments: [x] }) =>
    x.kind === 'tensor' ? sizeValue(countOf(ownShape(x))) : numberOf(1, true),
};

export const reductionBuiltins: readonly Builtin[] = [
  overAll('sum', 'add', 'The sum of all elements.'),
  overAll('prod', 'multiply', 'The product of all elements.'),
  overAll(
    'max',
    'max',
    'The largest element; of two arguments, the larger one element by element.',
    extremum('max'),
  ),
  overAll(
    'min',
    'min',
    'The smallest element; of two arguments, the smaller one element by element.',
    extremum('min'),
  ),
  logical('any', 'or', 'Whether some element is true.'),
  logical('all', 'and', 'Whether every element is true.'),
  ordered('increasing', 'gt'),
  ordered('decreasing', 'lt'),
  mean,
  norm,
  arg('argmax'),
  arg('argmin'),
  alongLast(
    'softmax',
    'Positive numbers in proportion to `exp(x)` that sum to one along the last axis.',
  ),
  alongLast('logsoftmax', 'The logarithm of `softmax(x)`, without overflow.'),
  numel,
];

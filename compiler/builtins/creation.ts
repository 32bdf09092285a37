// Builtins that make tensors from sizes: constants, the identity, ranges, one-hot rows.

import type { Dim } from '../dims/dim.ts';
import type { Builder } from '../ir/builder-types.ts';
import type { Builtin, BuiltinCall, BuiltinResult } from './builtin.ts';
import type { TensorValue } from './elaboration.ts';
import { asTensor, dtypeOf, ownShape, spread, tensorOf } from './labelled.ts';
import {
  fin,
  isTensor,
  isUnknown,
  real,
  refuse,
  sized,
  sizeOfArgument,
  tensorArguments,
  tensorType,
  unknownResult,
} from './type-tools.ts';

interface SizesData {
  readonly sizes: readonly Dim[];
}

/** The arguments from `first` on as sizes; at least one. */
function trailingSizes(call: BuiltinCall, signature: string, first: number): readonly Dim[] | null {
  const given = call.arguments.slice(first);
  if (given.length === 0) return refuse(call, signature, 'it needs at least one size');
  const sizes: Dim[] = [];
  for (const argument of given) {
    const size = sizeOfArgument(argument);
    if (size === null) return refuse(call, signature, 'this is not a size', argument);
    sizes.push(size);
  }
  return sizes;
}

const filled = (name: 'zeros' | 'ones', value: number): Builtin => {
  const signature = `${name}(n, m, ..)`;
  return {
    name,
    doc: `A tensor of ${name}, of the given sizes.`,
    signature,
    rule: (call) => {
      if (call.arguments.some(isUnknown)) return unknownResult;
      const sizes = trailingSizes(call, signature, 0);
      if (sizes === null) return null;
      const data: SizesData = { sizes };
      return { type: tensorType(real, sizes.map(sized)), data };
    },
    elaborate: ({ builder, data, size }) =>
      tensorOf(builder.full(value, (data as SizesData).sizes.map(size))),
  };
};

const fill: Builtin = {
  name: 'fill',
  doc: 'The number `v` in every element of a tensor of the given sizes.',
  signature: 'fill(v, n, m, ..)',
  rule: (call) => {
    if (call.arguments.some(isUnknown)) return unknownResult;
    const [v] = call.arguments;
    if (v === undefined || !isTensor(v) || v.type.shape.length > 0)
      return refuse(call, fill.signature, 'the first argument is one number', v);
    const sizes = trailingSizes(call, fill.signature, 1);
    if (sizes === null) return null;
    const data: SizesData = { sizes };
    return { type: tensorType(v.type.base, sizes.map(sized)), data };
  },
  elaborate: ({ builder, arguments: [v], data, size, type }) => {
    const integer = type.kind === 'tensor' && type.base.kind !== 'real';
    const t = asTensor(builder, v, integer ? dtypeOf(v) : 'f32');
    const sizes = (data as SizesData).sizes.map(size);
    return tensorOf(spread(builder, t, t.labels, sizes), t.labels);
  },
};

/** 1 where two positions along `axes` of `shape` are equal. */
const diagonal = (builder: Builder, shape: readonly Dim[]): TensorValue => {
  const [row, column] = [0, 1].map((axis) => builder.iota(shape, axis));
  return tensorOf(builder.convert(builder.compare('eq', row, column), 'f32'));
};

const oneSize = (
  name: string,
  rule: (n: Dim) => BuiltinResult['type'],
): NonNullable<Builtin['rule']> => {
  const signature = `${name}(n)`;
  return (call) => {
    if (call.arguments.some(isUnknown)) return unknownResult;
    const sizes = trailingSizes(call, signature, 0);
    if (sizes === null) return null;
    if (sizes.length !== 1) return refuse(call, signature, 'it takes one size');
    const data: SizesData = { sizes };
    return { type: rule(sizes[0]), data };
  };
};

const eye: Builtin = {
  name: 'eye',
  doc: 'The identity matrix.',
  signature: 'eye(n)',
  rule: oneSize('eye', (n) => tensorType(real, [sized(n), sized(n)])),
  elaborate: ({ builder, data, size }) => {
    const n = size((data as SizesData).sizes[0]);
    return diagonal(builder, [n, n]);
  },
};

const range: Builtin = {
  name: 'range',
  doc: 'The numbers 0 to n - 1, as indices into an axis of size n.',
  signature: 'range(n)',
  rule: oneSize('range', (n) => tensorType(fin(n), [sized(n)])),
  elaborate: ({ builder, data, size }) =>
    tensorOf(builder.iota([size((data as SizesData).sizes[0])], 0)),
};

const oneHot: Builtin = {
  name: 'one_hot',
  doc: 'For each index a row with 1 at that place and 0 elsewhere.',
  signature: 'one_hot(y: fin(n)[..S]) -> [..S, n]',
  rule: (call) => {
    const given = tensorArguments(call, oneHot.signature, 1);
    if (given.kind === 'refused') return given.result;
    const [y] = given.tensors;
    if (y.type.base.kind !== 'fin')
      return refuse(call, oneHot.signature, `this is ${call.showType(y.type)}, not a \`fin\``, y);
    const n = y.type.base.size;
    const data: SizesData = { sizes: [n] };
    return { type: tensorType(real, [...y.type.shape, sized(n)]), data };
  },
  elaborate: ({ builder, arguments: [y], data, size }) => {
    const n = size((data as SizesData).sizes[0]);
    const t = asTensor(builder, y, 'i32');
    const shape = [...t.value.shape, n];
    const at = builder.broadcastInDim(
      t.value,
      shape,
      t.value.shape.map((_, axis) => axis),
    );
    const places = builder.iota(shape, shape.length - 1);
    const hot = builder.convert(builder.compare('eq', at, places), 'f32');
    return tensorOf(hot, t.labels);
  },
};

/** What `x` has as a tensor; used where a builtin only rearranges. */
export const asIs = (builder: Builder, x: Parameters<typeof dtypeOf>[0]): TensorValue =>
  asTensor(builder, x, dtypeOf(x));

/** The own sizes of the last axis. */
export const lastOwn = (t: TensorValue): Dim => ownShape(t)[ownShape(t).length - 1];

export const creationBuiltins: readonly Builtin[] = [
  filled('zeros', 0),
  filled('ones', 1),
  fill,
  eye,
  range,
  oneHot,
];

// Sorting along the last axis. Gradients follow each element to where it went.

import { multiply, one } from '../dims/arithmetic.ts';
import type { Builder } from '../ir/builder-types.ts';
import type { Value } from '../ir/graph.ts';
import type { Builtin } from './builtin.ts';
import { asTensor, dtypeOf, tensorOf } from './labelled.ts';

/** `y[.., i] = x[.., order[.., i]]`: a row of positions for each row of x. */
function takeAlongLast(builder: Builder, x: Value, order: Value): Value {
  const { shape } = x;
  const last = shape[shape.length - 1];
  const rows = shape.slice(0, -1).reduce(multiply, one);
  const table = [rows, last];
  const first = builder.multiply(builder.iota(table, 0), builder.fill(builder.dim(last), table));
  const at = builder.add(builder.reshape(order, table), first);
  const flat = [multiply(rows, last)];
  return builder.reshape(
    builder.take(builder.reshape(x, flat), builder.reshape(at, flat), 0),
    shape,
  );
}

const argsort: Builtin = {
  name: 'argsort',
  doc: 'The positions of the elements along the last axis in ascending order; equal elements stay in theirs.',
  signature: 'fn argsort(x: [..S, n]) -> fin(n)[..S, n]',
  rule: null,
  elaborate: ({ builder, arguments: [x] }) => {
    const t = asTensor(builder, x, dtypeOf(x));
    return tensorOf(builder.argSort(t.value), t.labels);
  },
};

const sort: Builtin = {
  name: 'sort',
  doc: 'The elements along the last axis in ascending order.',
  signature: 'fn sort(x: [..S, n]) -> [..S, n]',
  rule: null,
  elaborate: ({ builder, arguments: [x] }) => {
    const t = asTensor(builder, x, 'f32');
    return tensorOf(takeAlongLast(builder, t.value, builder.argSort(t.value)), t.labels);
  },
};

export const sortingBuiltins: readonly Builtin[] = [sort, argsort];

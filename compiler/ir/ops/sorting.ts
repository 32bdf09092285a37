// Sorting: one operation, the order of the elements. Sorted values are read by it (builtins/sorting.ts), so gradients need no rule.

import * as dims from '../../dims/arithmetic.ts';
import { int } from '../../emit/onnx/shapes.ts';
import type { Builder } from '../builder-types.ts';
import type { Value } from '../graph.ts';
import { defineOp, notDifferentiable } from '../op.ts';
import type { Op } from '../op.ts';
import { product } from '../shape-arithmetic.ts';
import { cast, dtypesDiffer, numbers, shapesDiffer } from './type-rules.ts';

/**
 * Where each element belongs is the number of those before it, counted over all pairs; then each position looks for its element. n^2
 * comparisons that all run at once, which is what a GPU is for.
 */
function orderByCounting(b: Builder, x: Value): Value {
  const rank = x.shape.length;
  const last = x.shape[rank - 1];
  const square = [...x.shape, last];
  const leading = x.shape.slice(0, -1).map((_, axis) => axis);
  const mine = b.broadcastInDim(x, square, [...leading, rank - 1]);
  const other = b.broadcastInDim(x, square, [...leading, rank]);
  const earlier = b.compare('lt', b.iota(square, rank), b.iota(square, rank - 1));
  const tied = b.binary('and', b.compare('eq', other, mine), earlier);
  const before = b.binary('or', b.compare('lt', other, mine), tied);
  const place = b.reduce('add', b.convert(before, 'i32'), [rank]);
  const rows = product(x.shape.slice(0, -1));
  const flat = [dims.multiply(rows, last)];
  const first = b.multiply(b.iota([rows, last], 0), b.fill(b.dim(last), [rows, last]));
  const at = b.add(b.reshape(place, [rows, last]), first);
  const positions = b.reshape(b.iota([rows, last], 1), flat);
  return b.reshape(b.scatterAdd(b.reshape(at, flat), positions, 0, flat), x.shape);
}

const argsort = defineOp<Record<string, never>>({
  name: 'argsort',
  doc: 'The positions of the elements along the last axis in ascending order: equal elements stay in theirs. Unspecified where an element is NaN.',
  operands: ['x'],
  type: (inputs) =>
    shapesDiffer(inputs, 1) ??
    dtypesDiffer(inputs, numbers) ??
    (inputs[0].shape.length === 0
      ? 'there is no axis to sort along'
      : [{ dtype: 'i32', shape: inputs[0].shape }]),
  gradient: notDifferentiable('its results are positions'),
  evaluate: ({ inputs: [{ shape, data }], outputs: [y], allocate }) => {
    const size = shape[shape.length - 1];
    const order = allocate('i32', data.length);
    const positions = Array.from({ length: size }, (_, i) => i);
    for (let row = 0; row < data.length; row += size) {
      const sorted = positions.toSorted((a, b) => data[row + a] - data[row + b] || a - b);
      order.set(sorted, row);
    }
    return [{ ...y, data: order }];
  },
  onnx: ({ onnx, names: [name], inputs: [{ dtype, shape }] }) => {
    // TopK gives equal elements in their order, by its definition. ONNX Runtime 1.30 has no kernel of it for u32.
    const keys = dtype === 'u32' ? cast(onnx, name, 'i64') : name;
    const all = onnx.shape(shape.slice(-1));
    const [, order] = onnx.nodes('TopK', [keys, all], 2, { largest: int(0), sorted: int(1) });
    return [cast(onnx, order, 'i32')];
  },
  wgsl: { kind: 'composite', expand: (builder, [x]) => [orderByCounting(builder, x)] },
  cases: [
    { dtype: 'f32' as const, shape: [7] },
    { dtype: 'f32' as const, shape: [1] },
    { dtype: 'f32' as const, shape: [2, 1, 5] },
    // Few values in many places: ties.
    { dtype: 'i32' as const, shape: [3, 40] },
    { dtype: 'u32' as const, shape: [3, 40] },
    { dtype: 'u32' as const, shape: [30], bound: 2 ** 32 },
  ].map(({ dtype, shape, bound = 3 }) => ({
    name: `${dtype}[${shape.join(',')}] below ${bound}`,
    attributes: {},
    inputs: [{ dtype, shape }],
    bound,
  })),
});

export const sortingOps: readonly Op[] = [argsort];

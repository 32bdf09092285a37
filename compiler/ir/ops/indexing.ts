// Reading and accumulating by index: take and scatter_add, each the other's transpose; and where an index stands last, by which
// elements are replaced.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import { lastPositions, scatterAdd } from '../../emit/onnx/scatter.ts';
import { int } from '../../emit/onnx/shapes.ts';
import { sizeOf as flatSize, unflatten } from '../../emit/wgsl/indices.ts';
import { defineOp, notDifferentiable } from '../op.ts';
import { areAxes, mismatch } from '../shape-arithmetic.ts';
import { sizeOf } from '../tensor.ts';

const sizes = (...values: number[]): Dim[] => values.map(dims.constant);

const take = defineOp<{ readonly axis: number }>({
  name: 'take',
  doc: 'y[.., i, ..] = x[.., indices[i], ..]: the axis of x is replaced by the axes of indices. Every index is in range, by proof.',
  operands: ['x', 'indices'],
  type: ([x, indices], { axis }) => {
    if (!areAxes([axis], x.shape.length)) return 'no such axis';
    if (indices.dtype !== 'i32') return 'indices must be i32';
    return [{ dtype: x.dtype, shape: x.shape.toSpliced(axis, 1, ...indices.shape) }];
  },
  gradient: {
    kind: 'rule',
    rule: ({ builder, inputs: [x, indices], attributes: { axis }, cotangents: [g] }) => [
      g === null ? null : builder.scatterAdd(indices, g, axis, x.shape),
      null,
    ],
  },
  evaluate: ({ inputs: [x, indices], outputs: [out], attributes: { axis }, allocate }) => {
    const data = allocate(out.dtype, sizeOf(out.shape));
    const outer = sizeOf(x.shape.slice(0, axis));
    const inner = sizeOf(x.shape.slice(axis + 1));
    let to = 0;
    for (let i = 0; i < outer; i++)
      for (const index of indices.data) {
        const from = (i * x.shape[axis] + index) * inner;
        data.set(x.data.subarray(from, from + inner), to);
        to += inner;
      }
    return [{ ...out, data }];
  },
  onnx: ({ onnx, names: [x, indices], attributes: { axis } }) => [
    onnx.node('Gather', [x, indices], { axis: int(axis) }),
  ],
  wgsl: {
    kind: 'map',
    cost: 'free',
    element: ({ inputs: [x, indices], index, attributes: { axis }, read, code }) => {
      const end = axis + indices.shape.length;
      const position = `u32(${read(1, index.slice(axis, end))})`;
      const at = code.index('at', position, x.shape[axis]);
      return [read(0, [...index.slice(0, axis), at, ...index.slice(end)])];
    },
  },
  cases: [
    {
      name: 'rows, one twice',
      attributes: { axis: 0 },
      inputs: [
        { dtype: 'f32', shape: [3, 2] },
        { dtype: 'i32', shape: [5] },
      ],
    },
    {
      name: 'a table of indices, in the middle',
      attributes: { axis: 1 },
      inputs: [
        { dtype: 'f32', shape: [2, 3, 4] },
        { dtype: 'i32', shape: [2, 1] },
      ],
    },
    {
      name: 'a scalar index',
      attributes: { axis: 1 },
      inputs: [
        { dtype: 'f32', shape: [2, 3] },
        { dtype: 'i32', shape: [] },
      ],
    },
    {
      name: 'integers, size 1',
      attributes: { axis: 0 },
      inputs: [
        { dtype: 'i32', shape: [1] },
        { dtype: 'i32', shape: [3] },
      ],
      bound: 1,
    },
  ],
});

const scatterAddOp = defineOp<{ readonly axis: number; readonly shape: readonly Dim[] }>({
  name: 'scatter_add',
  doc: 'Zeros of `shape`, with y[.., indices[i], ..] += updates[.., i, ..] along the axis; equal indices accumulate. The transpose of take.',
  operands: ['indices', 'updates'],
  type: ([indices, updates], { axis, shape }) => {
    if (!areAxes([axis], shape.length)) return 'no such axis';
    if (indices.dtype !== 'i32') return 'indices must be i32';
    const expected = shape.toSpliced(axis, 1, ...indices.shape);
    if (updates.shape.length !== expected.length) return 'updates have the wrong rank';
    const wrong = expected
      .map((size, i) => mismatch(updates.shape[i], size, `axis ${i} of updates`))
      .find((problem) => problem !== null);
    return wrong ?? [{ dtype: updates.dtype, shape }];
  },
  gradient: {
    kind: 'rule',
    rule: ({ builder, inputs: [indices], attributes: { axis }, cotangents: [g] }) => [
      null,
      g === null ? null : builder.take(g, indices, axis),
    ],
  },
  evaluate: ({ inputs: [indices, updates], outputs: [out], attributes: { axis }, allocate }) => {
    const data = allocate(out.dtype, sizeOf(out.shape));
    const outer = sizeOf(out.shape.slice(0, axis));
    const inner = sizeOf(out.shape.slice(axis + 1));
    let from = 0;
    for (let i = 0; i < outer; i++)
      for (const index of indices.data) {
        const to = (i * out.shape[axis] + index) * inner;
        for (let j = 0; j < inner; j++) data[to + j] += updates.data[from + j];
        from += inner;
      }
    return [{ ...out, data }];
  },
  onnx: ({ onnx, names: [indices, updates], outputs: [out], attributes: { axis, shape } }) => [
    scatterAdd(onnx, indices, { name: updates, dtype: out.dtype }, axis, shape),
  ],
  wgsl: {
    kind: 'map',
    cost: 'whole',
    // Each element looks for its updates, in order: no atomics, and the same sum every time.
    element: ({ inputs: [indices], outputs: [out], index, attributes: { axis }, read, code }) => {
      const sum = code.variable('sum', out.dtype, `${out.dtype}(0)`);
      code.loop('update', flatSize(indices.shape), (update) => {
        const place = unflatten(update, indices.shape);
        const isHere = `u32(${read(0, place)}) == ${code.text(index[axis])}`;
        code.when(isHere, () =>
          code.assign(sum, `${sum} + ${read(1, index.toSpliced(axis, 1, ...place))}`),
        );
      });
      return [sum];
    },
  },
  cases: [
    {
      name: 'rows, some twice',
      attributes: { axis: 0, shape: sizes(3, 2) },
      inputs: [
        { dtype: 'i32', shape: [5] },
        { dtype: 'f32', shape: [5, 2] },
      ],
    },
    {
      name: 'a table of indices, in the middle',
      attributes: { axis: 1, shape: sizes(2, 3, 4) },
      inputs: [
        { dtype: 'i32', shape: [2, 3] },
        { dtype: 'f32', shape: [2, 2, 3, 4] },
      ],
    },
    {
      name: 'a scalar index',
      attributes: { axis: 1, shape: sizes(2, 3) },
      inputs: [
        { dtype: 'i32', shape: [] },
        { dtype: 'f32', shape: [2] },
      ],
    },
    {
      name: 'integers, size 1',
      attributes: { axis: 0, shape: sizes(1) },
      inputs: [
        { dtype: 'i32', shape: [3] },
        { dtype: 'i32', shape: [3] },
      ],
      bound: 1,
    },
  ],
});

const lastPosition = defineOp<{ readonly size: Dim }>({
  name: 'last_position',
  doc: 'y[p], p = 0 .. size - 1: the largest i with indices[i] = p, or -1 where there is none. With it an element is replaced by the last of the updates that have its index: select(y >= 0, take(updates, max(y, 0)), x).',
  operands: ['indices'],
  type: ([indices], { size }) => {
    if (indices.dtype !== 'i32') return 'indices must be i32';
    if (indices.shape.length !== 1) return 'indices have one axis';
    return [{ dtype: 'i32', shape: [size] }];
  },
  gradient: notDifferentiable('its result is an index'),
  evaluate: ({ inputs: [indices], outputs: [out], allocate }) => {
    const data = allocate(out.dtype, sizeOf(out.shape)).fill(-1);
    indices.data.forEach((at, i) => (data[at] = i));
    return [{ ...out, data }];
  },
  onnx: ({ onnx, names: [indices], inputs: [{ shape }], attributes: { size } }) => [
    lastPositions(onnx, indices, shape[0], size),
  ],
  wgsl: {
    kind: 'map',
    cost: 'whole',
    element: ({ inputs: [indices], index, read, code }) => {
      const last = code.variable('last', 'i32', '-1');
      code.loop('update', flatSize(indices.shape), (update) => {
        const place = unflatten(update, indices.shape);
        const isHere = `u32(${read(0, place)}) == ${code.text(index[0])}`;
        code.when(isHere, () => code.assign(last, `i32(${code.text(update)})`));
      });
      return [last];
    },
  },
  cases: [
    {
      name: 'some twice, some never',
      attributes: { size: dims.constant(7) },
      inputs: [{ dtype: 'i32', shape: [5] }],
      bound: 7,
    },
    {
      name: 'all several times',
      attributes: { size: dims.constant(2) },
      inputs: [{ dtype: 'i32', shape: [9] }],
      bound: 2,
    },
    {
      name: 'size 1',
      attributes: { size: dims.constant(1) },
      inputs: [{ dtype: 'i32', shape: [1] }],
      bound: 1,
    },
  ],
});

export const indexingOps = [take, scatterAddOp, lastPosition];

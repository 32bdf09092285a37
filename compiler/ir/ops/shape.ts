// Operations that only move elements: broadcast, reshape, transpose, reverse, concatenate. All are linear; slice and pad
// stand in slicing.ts.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import { alignForBroadcast, int, reshape, reverse, transpose } from '../../emit/onnx/shapes.ts';
import { flatten, unflatten } from '../../emit/wgsl/indices.ts';
import { view } from '../../emit/wgsl/lowering.ts';
import type { TensorType, Value } from '../graph.ts';
import { defineOp } from '../op.ts';
import { areAxes, invert, mismatch, product, range } from '../shape-arithmetic.ts';
import { copyStrided, stridesOf, viewOf } from '../strided.ts';
import { sizeOf } from '../tensor.ts';
import { otherAxes } from './type-rules.ts';

const size = dims.constant;
const sizes = (...values: number[]): Dim[] => values.map(size);

type Broadcast = { readonly shape: readonly Dim[]; readonly axes: readonly number[] };

const broadcastInDim = defineOp<Broadcast>({
  name: 'broadcast_in_dim',
  doc: 'Axis i of x becomes axis axes[i] of the result; x is repeated along the others: y[j] = x[j[axes[0]], j[axes[1]], ...]. As StableHLO, but no axis of size 1 stretches.',
  operands: ['x'],
  type: ([x], { shape, axes }) => {
    if (axes.length !== x.shape.length || !areAxes(axes, shape.length))
      return 'axes must name one axis of the result for every axis of x';
    const wrong = axes
      .map((axis, i) => mismatch(x.shape[i], shape[axis], `axis ${i} of x`))
      .find((problem) => problem !== null);
    return wrong ?? [{ dtype: x.dtype, shape }];
  },
  gradient: {
    kind: 'rule',
    rule: ({ builder, attributes: { shape, axes }, cotangents: [g] }) => {
      if (g === null) return [null];
      const summed = builder.reduce('add', g, otherAxes(axes, shape.length));
      const kept = axes.toSorted((a, b) => a - b);
      return [
        builder.transpose(
          summed,
          axes.map((axis) => kept.indexOf(axis)),
        ),
      ];
    },
  },
  evaluate: ({ inputs: [x], outputs: [out], attributes: { axes }, allocate }) => {
    const data = allocate(out.dtype, sizeOf(out.shape));
    const from = stridesOf(x.shape);
    const strides = new Array<number>(out.shape.length).fill(0);
    axes.forEach((axis, i) => (strides[axis] = from[i]));
    copyStrided(
      out.shape,
      { data: x.data, offset: 0, strides },
      viewOf({ data, shape: out.shape }),
    );
    return [{ ...out, data }];
  },
  onnx: ({ onnx, names: [x], attributes: { shape, axes } }) => [
    onnx.node('Expand', [alignForBroadcast(onnx, x, axes, shape.length), onnx.shape(shape)]),
  ],
  wgsl: view((index, { attributes: { axes } }) => axes.map((axis) => index[axis])),
  cases: [
    {
      name: 'a scalar',
      attributes: { shape: sizes(3, 2), axes: [] },
      inputs: [{ dtype: 'f32', shape: [] }],
    },
    {
      name: 'a row',
      attributes: { shape: sizes(3, 5), axes: [1] },
      inputs: [{ dtype: 'f32', shape: [5] }],
    },
    {
      name: 'a column in the middle',
      attributes: { shape: sizes(2, 3, 1, 4), axes: [1] },
      inputs: [{ dtype: 'f32', shape: [3] }],
    },
    {
      name: 'axes out of order',
      attributes: { shape: sizes(2, 3, 4, 5), axes: [3, 1] },
      inputs: [{ dtype: 'f32', shape: [5, 3] }],
    },
    {
      name: 'integers',
      attributes: { shape: sizes(1, 7), axes: [0] },
      inputs: [{ dtype: 'i32', shape: [1] }],
    },
  ],
});

const reshapeOp = defineOp<{ readonly shape: readonly Dim[] }>({
  name: 'reshape',
  doc: 'The same elements, in row-major order, under another shape.',
  operands: ['x'],
  type: ([x], { shape }) =>
    mismatch(product(x.shape), product(shape), 'number of elements') ?? [{ dtype: x.dtype, shape }],
  gradient: {
    kind: 'rule',
    rule: ({ builder, inputs: [x], cotangents: [g] }) => [
      g === null ? null : builder.reshape(g, x.shape),
    ],
  },
  evaluate: ({ inputs: [x], outputs: [out] }) => [{ ...out, data: x.data }],
  onnx: ({ onnx, names: [name], inputs: [x], attributes: { shape } }) => {
    const reshaped = reshape(onnx, name, x.shape, shape);
    return [reshaped === name ? onnx.node('Identity', [name]) : reshaped];
  },
  wgsl: view((index, { inputs: [x], attributes: { shape } }) =>
    unflatten(flatten(index, shape), x.shape),
  ),
  cases: [
    {
      name: 'flatten',
      attributes: { shape: sizes(2, 15) },
      inputs: [{ dtype: 'f32', shape: [2, 3, 5] }],
    },
    { name: 'to a scalar', attributes: { shape: [] }, inputs: [{ dtype: 'f32', shape: [1, 1] }] },
    {
      name: 'from a scalar',
      attributes: { shape: sizes(1) },
      inputs: [{ dtype: 'f32', shape: [] }],
    },
    {
      name: 'booleans',
      attributes: { shape: sizes(3, 2, 1) },
      inputs: [{ dtype: 'bool', shape: [6] }],
    },
  ],
});

const transposeOp = defineOp<{ readonly permutation: readonly number[] }>({
  name: 'transpose',
  doc: 'Axis i of the result is axis permutation[i] of x.',
  operands: ['x'],
  type: ([x], { permutation }) =>
    permutation.length === x.shape.length && areAxes(permutation, x.shape.length)
      ? [{ dtype: x.dtype, shape: permutation.map((axis) => x.shape[axis]) }]
      : 'permutation must list every axis of x once',
  gradient: {
    kind: 'rule',
    rule: ({ builder, attributes: { permutation }, cotangents: [g] }) => [
      g === null ? null : builder.transpose(g, invert(permutation)),
    ],
  },
  evaluate: ({ inputs: [x], outputs: [out], attributes: { permutation }, allocate }) => {
    const data = allocate(out.dtype, x.data.length);
    const from = stridesOf(x.shape);
    const strides = permutation.map((axis) => from[axis]);
    copyStrided(
      out.shape,
      { data: x.data, offset: 0, strides },
      viewOf({ data, shape: out.shape }),
    );
    return [{ ...out, data }];
  },
  onnx: ({ onnx, names: [x], attributes: { permutation } }) => {
    const transposed = transpose(onnx, x, permutation);
    return [transposed === x ? onnx.node('Identity', [x]) : transposed];
  },
  wgsl: view((index, { attributes: { permutation } }) =>
    invert(permutation).map((axis) => index[axis]),
  ),
  cases: [
    {
      name: 'matrix',
      attributes: { permutation: [1, 0] },
      inputs: [{ dtype: 'f32', shape: [3, 5] }],
    },
    {
      name: 'rank 4',
      attributes: { permutation: [2, 0, 3, 1] },
      inputs: [{ dtype: 'f32', shape: [2, 3, 1, 5] }],
    },
    { name: 'scalar', attributes: { permutation: [] }, inputs: [{ dtype: 'f32', shape: [] }] },
    {
      name: 'integers',
      attributes: { permutation: [1, 2, 0] },
      inputs: [{ dtype: 'i32', shape: [1, 2, 3] }],
    },
  ],
});

const reverseOp = defineOp<{ readonly axes: readonly number[] }>({
  name: 'reverse',
  doc: 'The elements along the named axes in opposite order.',
  operands: ['x'],
  type: ([x], { axes }) =>
    areAxes(axes, x.shape.length) ? [{ dtype: x.dtype, shape: x.shape }] : 'no such axes',
  gradient: {
    kind: 'rule',
    rule: ({ builder, attributes: { axes }, cotangents: [g] }) => [
      g === null ? null : builder.reverse(g, axes),
    ],
  },
  evaluate: ({ inputs: [x], outputs: [out], attributes: { axes }, allocate }) => {
    const data = allocate(out.dtype, x.data.length);
    const strides = stridesOf(x.shape);
    const last = axes.map((axis) => (x.shape[axis] - 1) * strides[axis]);
    const backwards = {
      data: x.data,
      offset: last.reduce((a, b) => a + b, 0),
      strides: strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride)),
    };
    copyStrided(x.shape, backwards, viewOf({ data, shape: x.shape }));
    return [{ ...out, data }];
  },
  onnx: ({ onnx, names: [x], attributes: { axes } }) => {
    const reversed = reverse(onnx, x, axes);
    return [reversed === x ? onnx.node('Identity', [x]) : reversed];
  },
  wgsl: view((index, { inputs: [x], attributes: { axes } }) =>
    index.map((i, axis) =>
      axes.includes(axis) ? dims.subtract(dims.subtract(x.shape[axis], dims.one), i) : i,
    ),
  ),
  cases: [
    { name: 'one axis', attributes: { axes: [1] }, inputs: [{ dtype: 'f32', shape: [2, 5] }] },
    {
      name: 'two axes',
      attributes: { axes: [0, 2] },
      inputs: [{ dtype: 'f32', shape: [3, 2, 4] }],
    },
    { name: 'size 1', attributes: { axes: [0] }, inputs: [{ dtype: 'i32', shape: [1, 3] }] },
  ],
});

const concatenate = defineOp<{ readonly axis: number }>({
  name: 'concatenate',
  doc: 'The operands one after another along the axis.',
  operands: ['x', '...'],
  type: (parts, { axis }) => {
    const [first, ...rest] = parts;
    if (first === undefined) return 'at least one operand is needed';
    if (!areAxes([axis], first.shape.length)) return 'no such axis';
    const wrong = rest
      .flatMap((part) => [
        part.dtype === first.dtype ? null : 'the operands differ in element type',
        part.shape.length === first.shape.length ? null : 'the operands differ in rank',
        ...otherAxes([axis], Math.min(part.shape.length, first.shape.length)).map((i) =>
          mismatch(part.shape[i], first.shape[i], `axis ${i}`),
        ),
      ])
      .find((problem) => problem !== null);
    const total = parts.map((part) => part.shape[axis]).reduce(dims.add);
    return wrong ?? [{ dtype: first.dtype, shape: first.shape.with(axis, total) }];
  },
  gradient: {
    kind: 'rule',
    rule: ({ builder, inputs, attributes: { axis }, cotangents: [g], wanted }) => {
      if (g === null) return inputs.map(() => null);
      const starts = offsets(inputs, axis);
      return inputs.map((part, i) => {
        if (!wanted[i]) return null;
        const from = part.shape.map((_, a) => (a === axis ? starts[i] : dims.zero));
        const to = part.shape.map((n, a) => (a === axis ? starts[i + 1] : n));
        return builder.slice(g, from, to);
      });
    },
  },
  evaluate: ({ inputs, outputs: [out], attributes: { axis }, allocate }) => {
    const data = allocate(out.dtype, sizeOf(out.shape));
    const strides = stridesOf(out.shape);
    let offset = 0;
    for (const part of inputs) {
      copyStrided(part.shape, viewOf(part), { data, offset, strides });
      offset += part.shape[axis] * strides[axis];
    }
    return [{ ...out, data }];
  },
  onnx: ({ onnx, names, attributes: { axis } }) => [
    onnx.node('Concat', names, { axis: int(axis) }),
  ],
  wgsl: {
    kind: 'map',
    cost: 'free',
    element: ({ inputs, index, attributes: { axis }, read, code }) => {
      const starts = offsets(inputs, axis);
      const from = (part: number): string => {
        const here = (): string =>
          read(part, index.with(axis, dims.subtract(index[axis], starts[part])));
        if (part === inputs.length - 1) return here();
        const isHere = code.below(index[axis], starts[part + 1]);
        return code.choose(inputs[0].dtype, isHere, here, () => from(part + 1));
      };
      return [from(0)];
    },
  },
  cases: [
    {
      name: 'rows',
      attributes: { axis: 0 },
      inputs: [
        { dtype: 'f32', shape: [1, 3] },
        { dtype: 'f32', shape: [4, 3] },
      ],
    },
    {
      name: 'three parts in the middle',
      attributes: { axis: 1 },
      inputs: [
        { dtype: 'f32', shape: [2, 1, 3] },
        { dtype: 'f32', shape: [2, 5, 3] },
        { dtype: 'f32', shape: [2, 2, 3] },
      ],
    },
    {
      name: 'booleans',
      attributes: { axis: 0 },
      inputs: [
        { dtype: 'bool', shape: [3] },
        { dtype: 'bool', shape: [2] },
      ],
    },
  ],
});

/** Where each part begins along the axis, and the end. */
const offsets = (parts: readonly (Value | TensorType)[], axis: number): Dim[] =>
  range(parts.length + 1).map((i) =>
    parts.slice(0, i).reduce((sum, part) => dims.add(sum, part.shape[axis]), dims.zero),
  );

export const shapeOps = [broadcastInDim, reshapeOp, transposeOp, reverseOp, concatenate];

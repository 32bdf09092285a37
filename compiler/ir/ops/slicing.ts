// Slice and pad: each is the other's gradient.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import { pad, slice, spread } from '../../emit/onnx/shapes.ts';
import { all, view } from '../../emit/wgsl/lowering.ts';
import { divide, modulo } from '../../emit/wgsl/indices.ts';
import type { Builder } from '../builder-types.ts';
import type { Value } from '../graph.ts';
import { defineOp } from '../op.ts';
import { ceilDivide, extent } from '../shape-arithmetic.ts';
import { copyStrided, stridesOf, viewOf } from '../strided.ts';
import { sizeOf } from '../tensor.ts';

const sizes = (...values: number[]): Dim[] => values.map(dims.constant);

type Slice = {
  readonly starts: readonly Dim[];
  readonly limits: readonly Dim[];
  readonly strides: readonly Dim[];
};

const sliceOp = defineOp<Slice>({
  name: 'slice',
  doc: 'y[i] = x[starts + i * strides], along each axis as long as the index is below the limit. 0 <= starts <= limits <= the size of x.',
  operands: ['x'],
  type: ([x], { starts, limits, strides }) => {
    const rank = x.shape.length;
    if ([starts, limits, strides].some((list) => list.length !== rank))
      return 'starts, limits and strides have one entry an axis';
    const outside = x.shape.some((n, i) =>
      [starts[i], dims.subtract(limits[i], starts[i]), dims.subtract(n, limits[i])].some(
        isNegative,
      ),
    );
    if (outside) return 'the slice reaches outside x';
    const shape = x.shape.map((_, i) =>
      ceilDivide(dims.subtract(limits[i], starts[i]), strides[i]),
    );
    return [{ dtype: x.dtype, shape }];
  },
  gradient: {
    kind: 'rule',
    rule: ({
      builder,
      inputs: [x],
      outputs: [y],
      attributes: { starts, strides },
      cotangents: [g],
    }) => {
      if (g === null) return [null];
      const end = (i: number): Dim => dims.add(starts[i], extent(y.shape[i], strides[i]));
      const high = x.shape.map((n, i) => dims.subtract(n, end(i)));
      const interior = strides.map((stride) => dims.subtract(stride, dims.one));
      return [builder.pad(g, builder.scalar(0), starts, high, interior)];
    },
  },
  evaluate: ({ inputs: [x], outputs: [out], attributes, allocate, dim }) => {
    const data = allocate(out.dtype, sizeOf(out.shape));
    const from = stridesOf(x.shape);
    const offset = attributes.starts.reduce((sum, start, i) => sum + dim(start) * from[i], 0);
    const strides = attributes.strides.map((stride, i) => dim(stride) * from[i]);
    copyStrided(out.shape, { data: x.data, offset, strides }, viewOf({ data, shape: out.shape }));
    return [{ ...out, data }];
  },
  onnx: ({ onnx, names: [name], inputs: [x], attributes: { starts, limits, strides } }) => {
    const ranges = starts.map((start, axis) => ({
      axis,
      start,
      limit: limits[axis],
      stride: strides[axis],
    }));
    const sliced = slice(onnx, name, x.shape, ranges);
    return [sliced === name ? onnx.node('Identity', [name]) : sliced];
  },
  wgsl: view((index, { attributes: { starts, strides } }) =>
    index.map((i, axis) => dims.add(starts[axis], dims.multiply(i, strides[axis]))),
  ),
  cases: [
    {
      name: 'rows',
      attributes: { starts: sizes(1, 0), limits: sizes(3, 4), strides: sizes(1, 1) },
      inputs: [{ dtype: 'f32', shape: [5, 4] }],
    },
    {
      name: 'strides that leave a rest',
      attributes: { starts: sizes(1, 0, 2), limits: sizes(7, 1, 5), strides: sizes(3, 1, 2) },
      inputs: [{ dtype: 'f32', shape: [8, 1, 6] }],
    },
    {
      name: 'everything',
      attributes: { starts: sizes(0), limits: sizes(3), strides: sizes(1) },
      inputs: [{ dtype: 'f32', shape: [3] }],
    },
    {
      name: 'integers',
      attributes: { starts: sizes(0), limits: sizes(7), strides: sizes(7) },
      inputs: [{ dtype: 'i32', shape: [7] }],
    },
  ],
});

function isNegative(d: Dim): boolean {
  const value = dims.isConstant(d);
  return value !== null && value < 0;
}

type Pad = {
  readonly low: readonly Dim[];
  readonly high: readonly Dim[];
  readonly interior: readonly Dim[];
};

const padOp = defineOp<Pad>({
  name: 'pad',
  doc: 'x with `value` around it (low before, high after) and `interior` times between neighbours, along each axis. Negative low and high crop, after the interior padding.',
  operands: ['x', 'value'],
  type: ([x, value], { low, high, interior }) => {
    if ([low, high, interior].some((list) => list.length !== x.shape.length))
      return 'low, high and interior have one entry an axis';
    if (value.shape.length !== 0) return 'the value must be a scalar';
    if (value.dtype !== x.dtype) return 'the value differs from x in element type';
    const shape = x.shape.map((n, i) =>
      dims.add(dims.add(low[i], high[i]), extent(n, dims.add(interior[i], dims.one))),
    );
    return shape.some(isNegative) ? 'the padding crops too much' : [{ dtype: x.dtype, shape }];
  },
  gradient: {
    kind: 'rule',
    rule: ({ builder, inputs: [x], attributes, cotangents: [g], wanted }) => {
      if (g === null) return [null, null];
      const dx = wanted[0] ? unpad(builder, g, x, attributes) : null;
      if (!wanted[1]) return [dx, null];
      // dvalue: the sum of g where y is padding.
      const around = builder.pad(
        builder.full(0, x.shape),
        builder.scalar(1),
        attributes.low,
        attributes.high,
        attributes.interior,
      );
      const all = g.shape.map((_, axis) => axis);
      return [dx, builder.reduce('add', builder.multiply(g, around), all)];
    },
  },
  evaluate: ({ inputs: [x, value], outputs: [out], attributes, allocate, dim }) => {
    const data = allocate(out.dtype, sizeOf(out.shape)).fill(value.data[0]);
    const [from, to] = [stridesOf(x.shape), stridesOf(out.shape)];
    const shape: number[] = [];
    const steps: number[] = [];
    let [sourceOffset, targetOffset] = [0, 0];
    x.shape.forEach((n, axis) => {
      const low = dim(attributes.low[axis]);
      const step = dim(attributes.interior[axis]) + 1;
      // Elements first .. last of x land inside the result.
      const first = Math.max(0, Math.ceil(-low / step));
      const last = Math.min(n - 1, Math.floor((out.shape[axis] - 1 - low) / step));
      shape.push(last - first + 1);
      steps.push(step * to[axis]);
      sourceOffset += first * from[axis];
      targetOffset += (low + first * step) * to[axis];
    });
    copyStrided(
      shape,
      { data: x.data, offset: sourceOffset, strides: from },
      { data, offset: targetOffset, strides: steps },
    );
    return [{ ...out, data }];
  },
  onnx: ({ onnx, names: [name, value], inputs: [x], attributes: { low, high, interior } }) => {
    let padded = { name, shape: x.shape };
    interior.forEach((between, axis) => {
      const step = dims.add(between, dims.one);
      if (!dims.equal(step, dims.one))
        padded = spread(onnx, padded.name, padded.shape, axis, step, value);
    });
    // `spread` leaves the interior padding after the last element too.
    const paddings = low.map((before, axis) => ({
      axis,
      low: before,
      high: dims.subtract(high[axis], interior[axis]),
    }));
    const result = pad(onnx, padded.name, x.shape.length, value, paddings);
    return [result === name ? onnx.node('Identity', [name]) : result];
  },
  wgsl: {
    kind: 'map',
    cost: 'free',
    element: ({ inputs: [x], index, attributes: { low, interior }, read, code }) => {
      const places = index.map((i, axis) => {
        const step = dims.add(interior[axis], dims.one);
        const inner = dims.subtract(i, low[axis]);
        const isWithin = code.below(inner, extent(x.shape[axis], step));
        const onElement = dims.equal(step, dims.one)
          ? null
          : `${code.text(modulo(inner, step))} == 0u`;
        return { at: divide(inner, step), holds: [isWithin, onElement] };
      });
      const inside = all(places.flatMap(({ holds }) => holds));
      const element = (): string =>
        read(
          0,
          places.map(({ at }) => at),
        );
      return [code.choose(x.dtype, inside, element, () => read(1, []))];
    },
  },
  cases: [
    {
      name: 'both sides',
      attributes: { low: sizes(1, 0), high: sizes(2, 3), interior: sizes(0, 0) },
      inputs: [
        { dtype: 'f32', shape: [3, 2] },
        { dtype: 'f32', shape: [] },
      ],
    },
    {
      name: 'interior',
      attributes: { low: sizes(0, 1), high: sizes(1, 0), interior: sizes(2, 1) },
      inputs: [
        { dtype: 'f32', shape: [3, 4] },
        { dtype: 'f32', shape: [] },
      ],
    },
    {
      name: 'cropping, with interior',
      attributes: { low: sizes(-2, -1), high: sizes(1, -3), interior: sizes(2, 1) },
      inputs: [
        { dtype: 'f32', shape: [3, 5] },
        { dtype: 'f32', shape: [] },
      ],
    },
    {
      name: 'size 1, integers',
      attributes: { low: sizes(0), high: sizes(4), interior: sizes(3) },
      inputs: [
        { dtype: 'i32', shape: [1] },
        { dtype: 'i32', shape: [] },
      ],
    },
  ],
});

/** What pad put x's elements to: reads them back, 0 where they were cropped. */
function unpad(builder: Builder, g: Value, x: Value, { low, high, interior }: Pad): Value {
  const cropped = (side: Dim): Dim =>
    dims.surelyNonNegative(side) ? dims.zero : dims.negate(side);
  const [lowCrop, highCrop] = [low.map(cropped), high.map(cropped)];
  const whole = [...lowCrop, ...highCrop].every((side) => dims.equal(side, dims.zero))
    ? g
    : builder.pad(g, builder.scalar(0), lowCrop, highCrop);
  const starts = low.map((side, i) => dims.add(side, lowCrop[i]));
  const steps = interior.map((between) => dims.add(between, dims.one));
  const limits = x.shape.map((n, i) => dims.add(starts[i], extent(n, steps[i])));
  return builder.slice(whole, starts, limits, steps);
}

export const slicingOps = [sliceOp, padOp];

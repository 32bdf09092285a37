// Convolution as one trilinear form <convolution(x, w), g>: the three records here are its derivatives by g, x and w, so the
// gradient of each is made of the other two, to any order. A transposed convolution is `convolution_input_gradient`.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import { convolutionForward } from '../../emit/onnx/convolution.ts';
import { inputGradient } from '../../emit/onnx/convolution-input-gradient.ts';
import { kernelGradient } from '../../emit/onnx/convolution-kernel-gradient.ts';
import {
  convolutionContraction,
  inputGradientContraction,
  kernelGradientContraction,
} from '../../emit/wgsl/contractions.ts';
import type { Builder } from '../builder-types.ts';
import type { Convolution, WindowAttribute } from '../convolution-geometry.ts';
import { convolutionShape } from '../convolution-geometry.ts';
import { convolutionSizes, convolve, convolveBack, correlate } from '../convolution-evaluate.ts';
import type { TensorType, Value } from '../graph.ts';
import { defineOp } from '../op.ts';
import { mismatch } from '../shape-arithmetic.ts';
import { sizeOf } from '../tensor.ts';

type WithShape = {
  readonly window: WindowAttribute;
  readonly groups: Dim;
  readonly shape: readonly Dim[];
};

/** Null, or what is wrong with x [N, C, ...], w [O, C / groups, ...] or, if given, y = convolution(x, w). */
function wrongOperands(
  x: readonly Dim[],
  w: readonly Dim[],
  y: readonly Dim[] | null,
  { window, groups }: Convolution,
): string | null {
  const spatial = x.length - 2;
  if (spatial < 1 || spatial > 3) return 'there must be one to three spatial axes';
  if (w.length !== x.length) return 'x and w differ in rank';
  const lists = [window.strides, window.padding, window.lhsDilation, window.rhsDilation];
  if (lists.some((list) => list.length !== spatial))
    return 'the window has one entry a spatial axis';
  const channels = mismatch(x[1], dims.multiply(w[1], groups), 'channels of x, and of w by groups');
  if (channels !== null || y === null) return channels;
  if (y.length !== x.length) return 'x and y differ in rank';
  return (
    convolutionShape(x, w, window)
      .map((size, i) => mismatch(y[i], size, `axis ${i} of the result`))
      .find((problem) => problem !== null) ?? null
  );
}

const only = (values: readonly Value[]): Value => values[0];

const notReal = (inputs: readonly TensorType[]): string | null =>
  inputs.every((x) => x.dtype === 'f32') ? null : 'operands must be f32';

const convolved = (builder: Builder, x: Value, w: Value, { window, groups }: Convolution): Value =>
  builder.convolution(x, w, window, groups);

const byInput = (
  builder: Builder,
  g: Value,
  w: Value,
  { window, groups }: Convolution,
  shape: readonly Dim[],
): Value => only(builder.emit('convolution_input_gradient', [g, w], { window, groups, shape }));

const byKernel = (
  builder: Builder,
  x: Value,
  g: Value,
  { window, groups }: Convolution,
  shape: readonly Dim[],
): Value => only(builder.emit('convolution_kernel_gradient', [x, g], { window, groups, shape }));

/** Sizes of the operands and of the window, one entry a spatial axis. */
interface Geometry {
  readonly name: string;
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly strides?: readonly number[];
  /** The padding. */
  readonly low?: readonly number[];
  readonly high?: readonly number[];
  /** Of x, and of w. */
  readonly lhsDilation?: readonly number[];
  readonly rhsDilation?: readonly number[];
  readonly groups?: number;
}

/** What the three records are all tested on. */
const geometries: readonly Geometry[] = [
  { name: 'same padding', x: [2, 3, 5, 4], w: [2, 3, 3, 3], low: [1, 1], high: [1, 1] },
  { name: 'valid', x: [1, 1, 5, 6], w: [3, 1, 2, 3] },
  { name: 'one by one', x: [3, 4, 2, 3], w: [2, 4, 1, 1] },
  {
    name: 'strides that leave a rest',
    x: [2, 2, 8, 7],
    w: [3, 2, 3, 2],
    strides: [2, 3],
    low: [1, 0],
    high: [0, 2],
  },
  {
    name: 'dilated kernel',
    x: [2, 2, 7, 6],
    w: [2, 2, 2, 3],
    strides: [1, 2],
    low: [0, 2],
    high: [1, 2],
    rhsDilation: [3, 2],
  },
  {
    name: 'dilated input, cropped',
    x: [2, 2, 4, 3],
    w: [3, 2, 2, 3],
    strides: [2, 1],
    low: [-1, 1],
    high: [2, -1],
    lhsDilation: [2, 3],
  },
  { name: 'cropped', x: [1, 2, 7, 5], w: [2, 2, 2, 2], low: [-2, 1], high: [0, -1] },
  {
    name: 'groups',
    x: [2, 4, 4, 5],
    w: [6, 2, 3, 2],
    strides: [1, 2],
    low: [1, 0],
    high: [1, 1],
    groups: 2,
  },
  { name: 'depthwise', x: [2, 3, 5, 5], w: [3, 1, 3, 3], low: [1, 1], high: [1, 1], groups: 3 },
  { name: 'many channels', x: [2, 16, 5, 4], w: [17, 16, 3, 3], low: [1, 1], high: [1, 1] },
  {
    name: 'many channels, strided',
    x: [2, 17, 6, 5],
    w: [16, 17, 3, 2],
    strides: [2, 2],
    low: [1, 0],
    high: [1, 0],
  },
  { name: 'one axis', x: [2, 3, 9], w: [4, 3, 4], strides: [2], low: [2], high: [1] },
  {
    name: 'three axes',
    x: [1, 2, 3, 4, 3],
    w: [2, 2, 2, 3, 1],
    strides: [1, 1, 2],
    low: [1, 1, 0],
    high: [0, 1, 0],
  },
];

function windowOf({ x, strides, low, high, lhsDilation, rhsDilation }: Geometry): WindowAttribute {
  const each = (given: readonly number[] | undefined, usual: number): Dim[] =>
    x.slice(2).map((_, axis) => dims.constant(given?.[axis] ?? usual));
  const [before, after] = [each(low, 0), each(high, 0)];
  return {
    strides: each(strides, 1),
    padding: before.map((size, axis) => ({ low: size, high: after[axis] })),
    lhsDilation: each(lhsDilation, 1),
    rhsDilation: each(rhsDilation, 1),
  };
}

const f32 = (shape: readonly number[]) => ({ dtype: 'f32', shape }) as const;

/** The geometry's sizes as attributes of records and shapes of operands. */
const sized = geometries.map((geometry) => {
  const { name, x, w, groups = 1 } = geometry;
  const window = windowOf(geometry);
  const [xDims, wDims] = [x.map(dims.constant), w.map(dims.constant)];
  const y = convolutionShape(xDims, wDims, window).map((size) => dims.isConstant(size) ?? 0);
  return { name, x, w, y, xDims, wDims, attributes: { window, groups: dims.constant(groups) } };
});

const convolution = defineOp<Convolution>({
  name: 'convolution',
  doc: 'x [N, C, spatial...] and w [O, C/groups, spatial...] give [N, O, spatial...]: y[n, o, p] = sum over c, t of w[o, c, t] * x[n, c, (p * stride + t * rhs_dilation - low) / lhs_dilation], where the index is whole and inside x (StableHLO convolution; a cross-correlation). Padding may be negative.',
  operands: ['x', 'w'],
  type: (inputs, attributes) => {
    const [x, w] = inputs;
    const wrong = notReal(inputs) ?? wrongOperands(x.shape, w.shape, null, attributes);
    return (
      wrong ?? [{ dtype: 'f32', shape: convolutionShape(x.shape, w.shape, attributes.window) }]
    );
  },
  gradient: {
    kind: 'rule',
    rule: ({ builder, inputs: [x, w], attributes, cotangents: [g], wanted }) =>
      g === null
        ? [null, null]
        : [
            wanted[0] ? byInput(builder, g, w, attributes, x.shape) : null,
            wanted[1] ? byKernel(builder, x, g, attributes, w.shape) : null,
          ],
  },
  evaluate: ({ inputs: [x, w], outputs: [out], attributes, precision, allocate, dim }) => {
    const data = allocate('f32', sizeOf(out.shape));
    const sizes = convolutionSizes(x.shape, w.shape, out.shape, attributes, dim);
    convolve(sizes, precision, x.data, w.data, data);
    return [{ ...out, data }];
  },
  onnx: ({ onnx, names: [x, w], inputs, attributes }) => [
    convolutionForward(onnx, { ...inputs[0], name: x }, { ...inputs[1], name: w }, attributes),
  ],
  wgsl: convolutionContraction,
  cases: sized.map(({ name, x, w, attributes }) => ({
    name,
    attributes,
    inputs: [f32(x), f32(w)],
  })),
});

const convolutionInputGradient = defineOp<WithShape>({
  name: 'convolution_input_gradient',
  doc: 'The transpose of x -> convolution(x, w), applied to g; `shape` is the shape of x. A transposed convolution: x[n, c, i] = sum over o, p, t of g[n, o, p] * w[o, c, t] where p and t read i.',
  operands: ['g', 'w'],
  type: (inputs, { shape, ...attributes }) => {
    const [g, w] = inputs;
    const wrong = notReal(inputs) ?? wrongOperands(shape, w.shape, g.shape, attributes);
    return wrong ?? [{ dtype: 'f32', shape }];
  },
  gradient: {
    kind: 'rule',
    rule: ({ builder, inputs: [g, w], attributes, cotangents: [u], wanted }) =>
      u === null
        ? [null, null]
        : [
            wanted[0] ? convolved(builder, u, w, attributes) : null,
            wanted[1] ? byKernel(builder, u, g, attributes, w.shape) : null,
          ],
  },
  evaluate: ({ inputs: [g, w], outputs: [out], attributes, precision, allocate, dim }) => {
    const data = allocate('f32', sizeOf(out.shape));
    const sizes = convolutionSizes(out.shape, w.shape, g.shape, attributes, dim);
    convolveBack(sizes, precision, g.data, w.data, data);
    return [{ ...out, data }];
  },
  onnx: ({ onnx, names: [g, w], inputs, attributes }) => [
    inputGradient(onnx, { ...inputs[0], name: g }, { ...inputs[1], name: w }, attributes),
  ],
  wgsl: inputGradientContraction,
  cases: sized.map(({ name, y, w, xDims, attributes }) => ({
    name,
    attributes: { ...attributes, shape: xDims },
    inputs: [f32(y), f32(w)],
  })),
});

const convolutionKernelGradient = defineOp<WithShape>({
  name: 'convolution_kernel_gradient',
  doc: 'The transpose of w -> convolution(x, w), applied to g; `shape` is the shape of w: w[o, c, t] = sum over n, p of g[n, o, p] * x[n, c, i] where p and t read i.',
  operands: ['x', 'g'],
  type: (inputs, { shape, ...attributes }) => {
    const [x, g] = inputs;
    const wrong = notReal(inputs) ?? wrongOperands(x.shape, shape, g.shape, attributes);
    return wrong ?? [{ dtype: 'f32', shape }];
  },
  gradient: {
    kind: 'rule',
    rule: ({ builder, inputs: [x, g], attributes, cotangents: [v], wanted }) =>
      v === null
        ? [null, null]
        : [
            wanted[0] ? byInput(builder, g, v, attributes, x.shape) : null,
            wanted[1] ? convolved(builder, x, v, attributes) : null,
          ],
  },
  evaluate: ({ inputs: [x, g], outputs: [out], attributes, precision, allocate, dim }) => {
    const data = allocate('f32', sizeOf(out.shape));
    const sizes = convolutionSizes(x.shape, out.shape, g.shape, attributes, dim);
    correlate(sizes, precision, x.data, g.data, data);
    return [{ ...out, data }];
  },
  onnx: ({ onnx, names: [x, g], inputs, attributes }) => [
    kernelGradient(onnx, { ...inputs[0], name: x }, { ...inputs[1], name: g }, attributes),
  ],
  wgsl: kernelGradientContraction,
  cases: sized.map(({ name, x, y, wDims, attributes }) => ({
    name,
    attributes: { ...attributes, shape: wDims },
    inputs: [f32(x), f32(y)],
  })),
});

export const convolutionOps = [convolution, convolutionInputGradient, convolutionKernelGradient];

// The gradients of convolution in ONNX, by shape. ONNX has no operator for the kernel's gradient.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Convolution } from '../../ir/convolution-geometry.ts';
import type { OnnxBuilder } from './builder-types.ts';
import { convolutionForward, convPads, isOne, paddedInput, steps } from './convolution.ts';
import type { Operand } from './convolution.ts';
import { fixed, int, ints, pad, reshape, reverse, slice, transpose, unsqueeze } from './shapes.ts';

type WithShape = Convolution & { readonly shape: readonly Dim[] };

const product = (sizes: readonly Dim[]): Dim => sizes.reduce(dims.multiply, dims.one);
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** The transpose of x -> convolution(x, w), applied to g: Conv with the kernel turned round, or ConvTranspose. */
export function inputGradient(
  onnx: OnnxBuilder,
  g: Operand,
  w: Operand,
  { window, groups, shape }: WithShape,
): string {
  const spans = window.rhsDilation.map((step, i) =>
    dims.multiply(dims.subtract(w.shape[i + 2], dims.one), step),
  );
  if (window.strides.every(isOne) && window.lhsDilation.every(isOne)) {
    const padding = window.padding.map(({ low, high }, i) => ({
      low: dims.subtract(spans[i], low),
      high: dims.subtract(spans[i], high),
    }));
    return convolutionForward(onnx, g, turned(onnx, w, groups), {
      window: { ...window, padding },
      groups,
    });
  }
  return transposedConvolution(onnx, g, w, spans, { window, groups, shape });
}

/** w with its taps in opposite order and inputs and outputs exchanged, within each group. */
function turned(onnx: OnnxBuilder, w: Operand, groups: Dim): Operand {
  const [outputs, inputs, ...taps] = w.shape;
  const axes = range(taps.length).map((i) => i + 2);
  const long = axes.filter((axis) => !isOne(w.shape[axis]));
  const reversed = reverse(onnx, w.name, long);
  if (isOne(groups))
    return {
      name: transpose(onnx, reversed, [1, 0, ...axes]),
      shape: [inputs, outputs, ...taps],
    };
  const perGroup = dims.floorDivide(outputs, groups);
  const split = reshape(onnx, reversed, w.shape, [groups, perGroup, inputs, ...taps]);
  const swapped = transpose(onnx, split, [0, 2, 1, ...axes.map((axis) => axis + 1)]);
  const shape = [dims.multiply(groups, inputs), perGroup, ...taps];
  return { name: reshape(onnx, swapped, [groups, inputs, perGroup, ...taps], shape), shape };
}

/** ConvTranspose; where its attributes cannot say what is cropped or never read, on all it computes, cropped after. */
function transposedConvolution(
  onnx: OnnxBuilder,
  g: Operand,
  w: Operand,
  spans: readonly Dim[],
  { window, groups, shape }: WithShape,
): string {
  const attributes = {
    strides: ints(steps(onnx, window.strides)),
    dilations: ints(steps(onnx, window.rhsDilation)),
    group: int(fixed(onnx, groups, 'the number of groups')),
  };
  // The size that ConvTranspose gives without padding, and what the windows leave over at the end.
  const full = g.shape
    .slice(2)
    .map((size, i) =>
      dims.add(
        dims.add(dims.multiply(dims.subtract(size, dims.one), window.strides[i]), spans[i]),
        dims.one,
      ),
    );
  const spreadSizes = window.lhsDilation.map((step, i) =>
    dims.add(dims.multiply(dims.subtract(shape[i + 2], dims.one), step), dims.one),
  );
  const missing = window.padding.map(({ low, high }, i) =>
    dims.subtract(dims.add(dims.add(low, high), spreadSizes[i]), full[i]),
  );
  const pads = convPads(onnx, window.padding);
  const outputPadding = missing.map((size) => onnx.staticDim(size));
  let name: string;
  if (pads !== null && outputPadding.every((size) => size !== null))
    name = onnx.node('ConvTranspose', [g.name, w.name], {
      ...attributes,
      pads: ints(pads),
      output_padding: ints(outputPadding),
    });
  else
    name = pad(
      onnx,
      onnx.node('ConvTranspose', [g.name, w.name], attributes),
      shape.length,
      onnx.scalar(0),
      window.padding.map(({ low, high }, i) => ({
        axis: i + 2,
        low: dims.negate(low),
        high: dims.subtract(missing[i], high),
      })),
    );
  const spreadShape = [...shape.slice(0, 2), ...spreadSizes];
  return slice(
    onnx,
    name,
    spreadShape,
    window.lhsDilation.flatMap((stride, i) =>
      isOne(stride) ? [] : [{ axis: i + 2, start: dims.zero, limit: spreadSizes[i], stride }],
    ),
  );
}

/** From so many input channels on, one product a tap is faster than the windows' copy. */
const manyChannels = 16;

/** With more taps the graph grows too long, and Conv itself is used. */
const mostTaps = 64;

/** The transpose of w -> convolution(x, w), applied to g. */
export function kernelGradient(
  onnx: OnnxBuilder,
  x: Operand,
  g: Operand,
  { window, groups, shape }: WithShape,
): string {
  const taps = shape.slice(2).map((size) => fixed(onnx, size, 'the size of a kernel'));
  const padded = paddedInput(onnx, x, window);
  const count = taps.reduce((a, b) => a * b, 1);
  if (count > mostTaps) return byConvolution(onnx, padded, g, { window, groups, shape });
  const positions = tapPositions(taps).map((tap) =>
    tap.map((t, i) => {
      const start = dims.scale(window.rhsDilation[i], t);
      const reach = dims.multiply(dims.subtract(g.shape[i + 2], dims.one), window.strides[i]);
      const limit = dims.add(dims.add(start, reach), dims.one);
      return { axis: i + 2, start, limit, stride: window.strides[i] };
    }),
  );
  if (!isOne(groups)) return byGroupedWindows(onnx, padded, g, positions, { groups, shape });
  const channels = onnx.staticDim(shape[1]);
  return channels !== null && channels >= manyChannels
    ? byTap(onnx, padded, g, positions, shape)
    : byWindows(onnx, padded, g, positions, shape);
}

type Ranges = Parameters<typeof slice>[3];

/** All taps of a kernel, row-major. */
const tapPositions = (sizes: readonly number[]): number[][] =>
  sizes.reduce<number[][]>(
    (taps, size) => taps.flatMap((tap) => range(size).map((t) => [...tap, t])),
    [[]],
  );

/** im2col: all windows side by side, one product a sample, summed over samples. */
function byWindows(
  onnx: OnnxBuilder,
  x: Operand,
  g: Operand,
  positions: readonly Ranges[],
  shape: readonly Dim[],
): string {
  const [outputs, inputs] = shape;
  const count = dims.constant(positions.length);
  const [batch, , ...spatial] = g.shape;
  const parts = positions.map((ranges) => slice(onnx, x.name, x.shape, ranges));
  const joined = parts.length === 1 ? parts[0] : onnx.node('Concat', parts, { axis: int(1) });
  const depth = dims.multiply(count, inputs);
  const positionsFlat = product(spatial);
  const columns = reshape(onnx, joined, [batch, depth, ...spatial], [batch, depth, positionsFlat]);
  const cotangents = reshape(onnx, g.name, g.shape, [batch, outputs, positionsFlat]);
  const products = onnx.node('MatMul', [cotangents, transpose(onnx, columns, [0, 2, 1])]);
  const sum = onnx.node('ReduceSum', [products, onnx.int64s([0])], { keepdims: int(0) });
  if (positions.length === 1 || isOne(inputs)) return reshape(onnx, sum, [outputs, depth], shape);
  const split = reshape(onnx, sum, [outputs, depth], [outputs, count, inputs]);
  return reshape(onnx, transpose(onnx, split, [0, 2, 1]), [outputs, inputs, count], shape);
}

/** The same by groups: a product a sample and group. */
function byGroupedWindows(
  onnx: OnnxBuilder,
  x: Operand,
  g: Operand,
  positions: readonly Ranges[],
  { groups, shape }: { readonly groups: Dim; readonly shape: readonly Dim[] },
): string {
  const [outputs, inputs] = shape;
  const perGroup = dims.floorDivide(outputs, groups);
  const count = dims.constant(positions.length);
  const [batch, , ...spatial] = g.shape;
  const flat = product(spatial);
  const parts = positions.map((ranges) =>
    unsqueeze(onnx, slice(onnx, x.name, x.shape, ranges), [2]),
  );
  const joined = parts.length === 1 ? parts[0] : onnx.node('Concat', parts, { axis: int(2) });
  const depth = dims.multiply(inputs, count);
  const columns = reshape(
    onnx,
    joined,
    [batch, x.shape[1], count, ...spatial],
    [batch, groups, depth, flat],
  );
  const cotangents = reshape(onnx, g.name, g.shape, [batch, groups, perGroup, flat]);
  const products = onnx.node('MatMul', [cotangents, transpose(onnx, columns, [0, 1, 3, 2])]);
  const sum = onnx.node('ReduceSum', [products, onnx.int64s([0])], { keepdims: int(0) });
  return reshape(onnx, sum, [groups, perGroup, depth], shape);
}

/** Channels last: one product over samples and positions for each tap. */
function byTap(
  onnx: OnnxBuilder,
  x: Operand,
  g: Operand,
  positions: readonly Ranges[],
  shape: readonly Dim[],
): string {
  const [outputs, inputs] = shape;
  const last = [0, ...range(x.shape.length - 2).map((i) => i + 2), 1];
  const flat = product([g.shape[0], ...g.shape.slice(2)]);
  const move = (of: readonly Dim[]): Dim[] => last.map((axis) => of[axis]);
  const cotangents = reshape(onnx, transpose(onnx, g.name, last), move(g.shape), [flat, outputs]);
  const moved = { name: transpose(onnx, x.name, last), shape: move(x.shape) };
  const products = positions.map((ranges) => {
    const part = slice(
      onnx,
      moved.name,
      moved.shape,
      ranges.map((along) => ({ ...along, axis: along.axis - 1 })),
    );
    const rows = reshape(onnx, part, [...move(g.shape).slice(0, -1), inputs], [flat, inputs]);
    return onnx.node('Gemm', [cotangents, rows], { transA: int(1) });
  });
  if (products.length === 1) return reshape(onnx, products[0], [outputs, inputs], shape);
  const count = dims.constant(products.length);
  const joined = onnx.node('Concat', products, { axis: int(0) });
  const split = reshape(
    onnx,
    joined,
    [dims.multiply(count, outputs), inputs],
    [count, outputs, inputs],
  );
  return reshape(onnx, transpose(onnx, split, [1, 2, 0]), [outputs, inputs, count], shape);
}

/** Conv with samples and channels exchanged: g is the kernel, and strides and dilations change place. */
function byConvolution(
  onnx: OnnxBuilder,
  x: Operand,
  g: Operand,
  { window, groups, shape }: WithShape,
): string {
  const [outputs, inputs, ...taps] = shape;
  const rest = range(taps.length).map((i) => i + 2);
  const [batch, , ...spatial] = x.shape;
  const split = reshape(onnx, x.name, x.shape, [batch, groups, inputs, ...spatial]);
  const swapped = transpose(onnx, split, [2, 1, 0, ...rest.map((axis) => axis + 1)]);
  const input = reshape(
    onnx,
    swapped,
    [inputs, groups, batch, ...spatial],
    [inputs, dims.multiply(groups, batch), ...spatial],
  );
  const kernel = transpose(onnx, g.name, [1, 0, ...rest]);
  const sum = onnx.node('Conv', [input, kernel], {
    strides: ints(steps(onnx, window.rhsDilation)),
    dilations: ints(steps(onnx, window.strides)),
    group: int(fixed(onnx, groups, 'the number of groups')),
  });
  // What the strides left over gives more taps than there are.
  const sizes = rest.map((axis) => {
    const reach = dims.multiply(dims.subtract(g.shape[axis], dims.one), window.strides[axis - 2]);
    const left = dims.subtract(dims.subtract(x.shape[axis], dims.one), reach);
    return dims.add(dims.floorDivide(left, window.rhsDilation[axis - 2]), dims.one);
  });
  const cropped = slice(
    onnx,
    sum,
    [inputs, outputs, ...sizes],
    taps.map((limit, i) => ({ axis: i + 2, start: dims.zero, limit, stride: dims.one })),
  );
  return transpose(onnx, cropped, [1, 0, ...rest]);
}

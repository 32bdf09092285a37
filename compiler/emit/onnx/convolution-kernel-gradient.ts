// The gradient of convolution by its kernel in ONNX, which has no operator for it: products of matrices over what each tap of
// the kernel reads. Every encoding gives equal bits for any number of threads, since no sum is split between threads.
//
// Measured 2026-11-23 on 2 vCPU EPYC, ONNX Runtime 1.30, 1 thread, batch 64 (32 and 16 for the last two), best of 11, ms:
//
//   inputs, outputs, size, kernel   windows   taps   taps, widened   taps, one Gemm each   Conv, exchanged
//   1, 16, 28x28, 3x3                  0.97   0.87            1.40                  1.18              1.16
//   3, 16, 32x32, 3x3                  3.33   6.48            4.14                  8.94              6.29
//   6, 16, 14x14, 5x5                  3.29   2.80            1.87                  3.55              3.71
//   8, 16, 14x14, 3x3                  1.43   1.13            1.02                  1.48              2.93
//   16, 32, 14x14, 3x3                 3.24   1.92            2.89                  2.81              4.69
//   32, 32, 28x28, 3x3                 26.8   17.8            30.1                  34.0              38.5
//   64, 64, 14x14, 3x3                 11.8   6.93            9.33                  8.75              12.6
//   128, 128, 8x8, 3x3                 8.42   7.23            8.09                  4.51              10.8

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Convolution } from '../../ir/convolution-geometry.ts';
import { product, range } from '../../ir/shape-arithmetic.ts';
import type { OnnxBuilder } from './builder-types.ts';
import { isOne, paddedInput, steps } from './convolution.ts';
import type { Operand } from './convolution.ts';
import { fixed, int, ints, reshape, slice, transpose, unsqueeze } from './shapes.ts';
import type { Range } from './shapes.ts';

type WithShape = Convolution & { readonly shape: readonly Dim[] };

/** Below this many input channels, windows. */
const fewChannels = 4;

/** Below this many input channels the taps of the last axis are laid side by side, as long as that gives no more than ... */
const widenBelow = 16;
/** ... this many channels. */
const mostWidened = 48;

/** With more taps the graph grows too long, and Conv itself is used. */
const mostTaps = 64;

/** The transpose of w -> convolution(x, w), applied to g. */
export function kernelGradient(
  onnx: OnnxBuilder,
  x: Operand,
  g: Operand,
  { window, groups, shape }: WithShape,
): string {
  const [outputs, inputs, ...taps] = shape.map((size) => onnx.staticDim(size));
  const padded = paddedInput(onnx, x, window);
  const count = taps.reduce((a, b) => (a === null || b === null ? null : a * b), 1);
  if (count === null || count > mostTaps)
    return byConvolution(onnx, padded, g, { window, groups, shape });
  const alongAxes = taps.map((size, i) => tapRanges(g, window, i, size ?? 0));
  const positions = everyTap(alongAxes);
  if (!isOne(groups)) return byGroupedWindows(onnx, padded, g, positions, { groups, shape });
  if (inputs === null || outputs === null || inputs < fewChannels)
    return byWindows(onnx, padded, g, positions, shape);
  const moved = channelsLast(onnx, padded);
  const spots = onnx.staticDim(product(g.shape.slice(2)));
  // A product a sample is long enough only if it sums over as many positions as it has channels.
  if (spots !== null && spots < Math.max(inputs, outputs))
    return byTap(onnx, moved, g, positions, shape, oneGemm);
  const last = alongAxes[alongAxes.length - 1];
  if (last.length === 1 || inputs >= widenBelow || inputs * last.length > mostWidened)
    return byTap(onnx, moved, g, positions, shape, productASample);
  const wide = widened(onnx, moved, last);
  return byTap(onnx, wide, g, everyTap(alongAxes.slice(0, -1)), shape, productASample);
}

/** What each tap reads of x along spatial axis i. */
const tapRanges = (
  g: Operand,
  { strides, rhsDilation }: Convolution['window'],
  i: number,
  size: number,
): Range[] =>
  range(size).map((t) => {
    const start = dims.scale(rhsDilation[i], t);
    const reach = dims.multiply(dims.subtract(g.shape[i + 2], dims.one), strides[i]);
    const limit = dims.add(dims.add(start, reach), dims.one);
    return { axis: i + 2, start, limit, stride: strides[i] };
  });

/** All combinations, the last axis fastest. */
const everyTap = (alongAxes: readonly (readonly Range[])[]): Range[][] =>
  alongAxes.reduce<Range[][]>(
    (taps, along) => taps.flatMap((tap) => along.map((next) => [...tap, next])),
    [[]],
  );

/** im2col: all windows side by side, one product a sample, summed over samples. */
function byWindows(
  onnx: OnnxBuilder,
  x: Operand,
  g: Operand,
  positions: readonly (readonly Range[])[],
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
  positions: readonly (readonly Range[])[],
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

const lastOrder = (rank: number): number[] => [0, ...range(rank - 2).map((i) => i + 2), 1];

/** [N, C, spatial...] -> [N, spatial..., C]. */
function channelsLast(onnx: OnnxBuilder, x: Operand): Operand {
  const order = lastOrder(x.shape.length);
  return { name: transpose(onnx, x.name, order), shape: order.map((axis) => x.shape[axis]) };
}

/** A part of a tensor with channels last: ranges name the axes of one with channels first. */
function partOf(onnx: OnnxBuilder, x: Operand, ranges: readonly Range[]): Operand {
  const moved = ranges.map((along) => ({ ...along, axis: along.axis - 1 }));
  const shape = [...x.shape];
  for (const { axis, start, limit, stride } of moved) {
    const reach = dims.subtract(dims.subtract(limit, start), dims.one);
    shape[axis] = dims.add(dims.floorDivide(reach, stride), dims.one);
  }
  return { name: slice(onnx, x.name, x.shape, moved), shape };
}

/** x with the taps of its last spatial axis side by side as channels [tap, channel]. */
function widened(onnx: OnnxBuilder, x: Operand, taps: readonly Range[]): Operand {
  const parts = taps.map((tap) => partOf(onnx, x, [tap]));
  const axis = x.shape.length - 1;
  const channels = dims.scale(x.shape[axis], taps.length);
  const name = onnx.node(
    'Concat',
    parts.map((part) => part.name),
    { axis: int(axis) },
  );
  return { name, shape: parts[0].shape.with(axis, channels) };
}

/** The sum over samples and positions of g times what a tap reads of x: [outputs, channels of the part]. */
type TapProduct = (onnx: OnnxBuilder, g: Operand, part: Operand) => string;

/** g [N, O, P] as it lies times the part [N, P, C], and the sum over samples. */
const productASample: TapProduct = (onnx, g, part) => {
  const [batch, outputs, ...spatial] = g.shape;
  const flat = product(spatial);
  const a = reshape(onnx, g.name, g.shape, [batch, outputs, flat]);
  const channels = part.shape[part.shape.length - 1];
  const b = reshape(onnx, part.name, part.shape, [batch, flat, channels]);
  return onnx.node('ReduceSum', [onnx.node('MatMul', [a, b]), onnx.int64s([0])], {
    keepdims: int(0),
  });
};

/** One product of [positions of all samples, O] transposed and [those positions, C]. */
const oneGemm: TapProduct = (onnx, g, part) => {
  const moved = channelsLast(onnx, g);
  const flat = product(moved.shape.slice(0, -1));
  const [outputs, channels] = [g.shape[1], part.shape[part.shape.length - 1]];
  const a = reshape(onnx, moved.name, moved.shape, [flat, outputs]);
  const b = reshape(onnx, part.name, part.shape, [flat, channels]);
  // ONNX Runtime gives rows to threads where there are at least as many as columns; columns would change the sums' order.
  const wide = (onnx.staticDim(outputs) ?? 0) < (onnx.staticDim(channels) ?? 0);
  return wide
    ? transpose(onnx, onnx.node('Gemm', [b, a], { transA: int(1) }), [1, 0])
    : onnx.node('Gemm', [a, b], { transA: int(1) });
};

/** A product a tap; x has its channels last. */
function byTap(
  onnx: OnnxBuilder,
  x: Operand,
  g: Operand,
  positions: readonly (readonly Range[])[],
  shape: readonly Dim[],
  multiply: TapProduct,
): string {
  const [outputs, inputs, ...taps] = shape;
  const channels = x.shape[x.shape.length - 1];
  const products = positions.map((ranges) => multiply(onnx, g, partOf(onnx, x, ranges)));
  const joined =
    products.length === 1 ? products[0] : onnx.node('Concat', products, { axis: int(0) });
  // [taps, outputs, taps of the last axis if widened, inputs] -> [outputs, inputs, taps].
  const outer = dims.constant(products.length);
  const inner = dims.floorDivide(channels, inputs);
  const split = reshape(
    onnx,
    joined,
    [dims.multiply(outer, outputs), channels],
    [outer, outputs, inner, inputs],
  );
  const moved = transpose(onnx, split, [1, 3, 0, 2]);
  return reshape(onnx, moved, [outputs, inputs, outer, inner], [outputs, inputs, ...taps]);
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

// The gradient of convolution by its input in ONNX: Conv with the kernel turned round, or ConvTranspose.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Convolution } from '../../ir/convolution-geometry.ts';
import { range } from '../../ir/shape-arithmetic.ts';
import type { OnnxBuilder } from './builder-types.ts';
import { convolutionForward, convPads, isOne, steps } from './convolution.ts';
import type { Operand } from './convolution.ts';
import { fixed, int, ints, pad, reshape, reverse, slice, transpose } from './shapes.ts';

type WithShape = Convolution & { readonly shape: readonly Dim[] };

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
  const undilated = window.strides.every(isOne) && window.lhsDilation.every(isOne);
  if (undilated && turnsKernel(onnx, w, groups)) {
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

/**
 * Whether Conv with the kernel turned round is the faster way of the two where both will do. Measured 2026-11-23 on 2 vCPU EPYC, ONNX
 * Runtime 1.30, best of 9, Conv against ConvTranspose, ms with 1 thread (2 threads); channels of x, of g, size, kernel:
 * 6, 16, 12x12, 5x5: 2.97 (3.77) against 1.45 (1.96); 16, 32, 14x14, 3x3: 4.24 (3.08) against 3.42 (2.93); 16, 16, 28x28, 3x3:
 * 6.82 (6.53) against 12.0 (8.33); 32, 32, 28x28, 3x3: 16.6 (14.0) against 19.3 (16.0). Col2Im was never the fastest.
 */
function turnsKernel(onnx: OnnxBuilder, w: Operand, groups: Dim): boolean {
  const [outputs, inputs] = [onnx.staticDim(w.shape[0]), onnx.staticDim(w.shape[1])];
  if (!isOne(groups) || outputs === null || inputs === null) return true;
  return inputs >= 16 && inputs * 2 > outputs;
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

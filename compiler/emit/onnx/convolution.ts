// Convolution in ONNX. Conv's padding must not be negative and it dilates its kernel only, so what is left is done by nodes
// around it. The gradients stand in the -gradient files beside this one.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Convolution, WindowAttribute } from '../../ir/convolution-geometry.ts';
import type { OnnxBuilder } from './builder-types.ts';
import { fixed, int, ints, pad, spread } from './shapes.ts';
import type { Padding } from './shapes.ts';

export interface Operand {
  readonly name: string;
  readonly shape: readonly Dim[];
}

export const isOne = (d: Dim): boolean => dims.equal(d, dims.one);

/** The numbers of a window that ONNX attributes hold. */
export const steps = (onnx: OnnxBuilder, values: readonly Dim[]): number[] =>
  values.map((value) => fixed(onnx, value, 'the stride or dilation of a convolution'));

/** x with its elements spread by `lhsDilation`, and the padding still to be done. */
function dilated(
  onnx: OnnxBuilder,
  x: Operand,
  { lhsDilation, padding }: WindowAttribute,
): { readonly x: Operand; readonly padding: readonly Padding[] } {
  let result = x;
  const paddings = padding.map(({ low, high }, i): Padding => {
    const axis = i + 2;
    const step = lhsDilation[i];
    if (isOne(step)) return { axis, low, high };
    result = spread(onnx, result.name, result.shape, axis, step, onnx.scalar(0));
    // `spread` leaves zeros after the last element too.
    return { axis, low, high: dims.subtract(dims.add(high, dims.one), step) };
  });
  return { x: result, padding: paddings };
}

const grown = (shape: readonly Dim[], padding: readonly Padding[]): Dim[] =>
  padding.reduce(
    (sizes, { axis, low, high }) => sizes.with(axis, dims.add(sizes[axis], dims.add(low, high))),
    [...shape],
  );

/** x as the windows see it: dilated, padded and cropped. */
export function paddedInput(onnx: OnnxBuilder, x: Operand, window: WindowAttribute): Operand {
  const spread = dilated(onnx, x, window);
  return {
    name: pad(onnx, spread.x.name, x.shape.length, onnx.scalar(0), spread.padding),
    shape: grown(spread.x.shape, spread.padding),
  };
}

/** Padding as Conv takes it: known and not negative, all lows before all highs; null where it is not so. */
export function convPads(
  onnx: OnnxBuilder,
  padding: readonly { readonly low: Dim; readonly high: Dim }[],
): number[] | null {
  const pads = [...padding.map(({ low }) => low), ...padding.map(({ high }) => high)].map((side) =>
    onnx.staticDim(side),
  );
  return pads.every((side): side is number => side !== null && side >= 0) ? pads : null;
}

/** The name of convolution(x, w). */
export function convolutionForward(
  onnx: OnnxBuilder,
  x: Operand,
  w: Operand,
  { window, groups }: Convolution,
): string {
  const spread = dilated(onnx, x, window);
  const pads = convPads(onnx, spread.padding);
  const input =
    pads === null
      ? pad(onnx, spread.x.name, x.shape.length, onnx.scalar(0), spread.padding)
      : spread.x.name;
  return onnx.node('Conv', [input, w.name], {
    strides: ints(steps(onnx, window.strides)),
    dilations: ints(steps(onnx, window.rhsDilation)),
    pads: ints(pads ?? spread.padding.flatMap(() => [0, 0])),
    group: int(fixed(onnx, groups, 'the number of groups')),
  });
}

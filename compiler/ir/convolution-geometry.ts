// Sizes of convolutions, shared by the three records, their evaluation and their ONNX encodings.

import * as dims from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import { extent, windowCount } from './shape-arithmetic.ts';

/** `ConvolutionWindow` as an attribute. */
export type WindowAttribute = {
  readonly strides: readonly Dim[];
  readonly padding: readonly { readonly low: Dim; readonly high: Dim }[];
  readonly lhsDilation: readonly Dim[];
  readonly rhsDilation: readonly Dim[];
};

export type Convolution = { readonly window: WindowAttribute; readonly groups: Dim };

/** The sizes of x's spatial axes once dilated and padded. */
export const paddedSizes = (spatial: readonly Dim[], window: WindowAttribute): Dim[] =>
  spatial.map((size, i) => {
    const { low, high } = window.padding[i];
    return dims.add(dims.add(low, high), extent(size, window.lhsDilation[i]));
  });

/** The shape of convolution(x, w): [N, O, spatial...]. */
export function convolutionShape(
  x: readonly Dim[],
  w: readonly Dim[],
  window: WindowAttribute,
): Dim[] {
  const spatial = paddedSizes(x.slice(2), window).map((size, i) =>
    windowCount(size, extent(w[i + 2], window.rhsDilation[i]), window.strides[i]),
  );
  return [x[0], w[0], ...spatial];
}

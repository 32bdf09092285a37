// Matrix products and convolutions as sums of products (`Product` of lowering.ts). A convolution is an implicit matrix product: its rows
// are channels, its columns positions, and the loader of the side that is windowed finds its element, or 0 outside.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { DotDimensions } from '../../ir/builder-types.ts';
import type { Convolution } from '../../ir/convolution-geometry.ts';
import { freeAxes } from '../../ir/dot-dimensions.ts';
import type { Attributes, TensorType } from '../../ir/graph.ts';
import { extent } from '../../ir/shape-arithmetic.ts';
import { divide, modulo, type Index } from './indices.ts';
import { all, type Contraction, type Product, type Source } from './lowering.ts';

const contraction = <A extends Attributes>(product: Contraction<A>['product']): Contraction<A> => ({
  kind: 'contract',
  product,
});

type Dot = { readonly [Key in keyof DotDimensions]: DotDimensions[Key] };

export const dotContraction = contraction<Dot>(({ inputs: [lhs, rhs], attributes: d }) => {
  const { lhsFree, rhsFree } = freeAxes(lhs.shape.length, rhs.shape.length, d);
  const sizes = ({ shape }: TensorType, axes: readonly number[]): Dim[] =>
    axes.map((axis) => shape[axis]);
  /** An index from those of the batch, the contracting and the free axes. */
  const placed =
    (batchAxes: readonly number[], sumAxes: readonly number[], freeAxes: readonly number[]) =>
    (batch: readonly Index[], sum: readonly Index[], free: readonly Index[]): Index[] => {
      const index: Index[] = [];
      batchAxes.forEach((axis, i) => (index[axis] = batch[i]));
      sumAxes.forEach((axis, i) => (index[axis] = sum[i]));
      freeAxes.forEach((axis, i) => (index[axis] = free[i]));
      return index;
    };
  const [ofLhs, ofRhs] = [
    placed(d.lhsBatch, d.lhsContracting, lhsFree),
    placed(d.rhsBatch, d.rhsContracting, rhsFree),
  ];
  return {
    batch: sizes(lhs, d.lhsBatch),
    rows: sizes(lhs, lhsFree),
    columns: sizes(rhs, rhsFree),
    sum: sizes(lhs, d.lhsContracting),
    lhs: ({ batch, rows, sum }, { read }) => read(0, ofLhs(batch, sum, rows)),
    rhs: ({ batch, columns, sum }, { read }) => read(1, ofRhs(batch, sum, columns)),
    output: (batch, row, column) => [...batch, ...row, ...column],
  };
});

/** An index along an axis, which may be that of no element: where it is not a multiple of `step`, or not below `bound`. */
interface Spread {
  readonly at: Index;
  readonly step: Dim;
  readonly bound: Dim;
}

/** The first operand's element in image `n` and channel `channel`, every index divided by its step; 0 where there is none. */
function elementAt(
  { read, code }: Source,
  [n, channel]: readonly Index[],
  spread: readonly Spread[],
): string {
  const conditions = spread.flatMap(({ at, step, bound }) => {
    const isElement = dims.equal(step, dims.one) ? null : `${code.text(modulo(at, step))} == 0u`;
    return [code.below(at, bound), isElement];
  });
  return code.choose(
    'f32',
    all(conditions),
    () => read(0, [n, channel, ...spread.map(({ at, step }) => divide(at, step))]),
    () => '0.0',
  );
}

/** Where the element of x lies under tap `taps` of the window at `positions`; x has `spatial` elements an axis. */
const inputUnder = (
  { window }: Convolution,
  spatial: readonly Dim[],
  positions: readonly Index[],
  taps: readonly Index[],
): Spread[] =>
  positions.map((p, axis) => {
    const step = window.lhsDilation[axis];
    const first = dims.subtract(dims.multiply(p, window.strides[axis]), window.padding[axis].low);
    const at = dims.add(first, dims.multiply(taps[axis], window.rhsDilation[axis]));
    return { at, step, bound: extent(spatial[axis], step) };
  });

/** Where the element of g lies whose window has tap `taps` on element `place` of x; there are `counts` windows an axis. */
const gradientOver = (
  { window }: Convolution,
  counts: readonly Dim[],
  place: readonly Index[],
  taps: readonly Index[],
): Spread[] =>
  place.map((i, axis) => {
    const step = window.strides[axis];
    const padded = dims.add(dims.multiply(i, window.lhsDilation[axis]), window.padding[axis].low);
    const at = dims.subtract(padded, dims.multiply(taps[axis], window.rhsDilation[axis]));
    return { at, step, bound: dims.multiply(counts[axis], step) };
  });

/** Channel `channel` of group `group`, of `size` channels a group. */
const inGroup = ([group]: readonly Index[], channel: Index, size: Dim): Index =>
  dims.add(dims.multiply(group, size), channel);

interface Channels {
  /** Channels of x and of y in a group. */
  readonly inputs: Dim;
  readonly outputs: Dim;
}

const channelsOf = (w: readonly Dim[], { groups }: Convolution): Channels => ({
  inputs: w[1],
  outputs: dims.floorDivide(w[0], groups),
});

/** y[n, o, p] = sum over c, t of w[o, c, t] x[n, c, i]. */
export const convolutionContraction = contraction<Convolution>(
  ({ inputs: [x, w], outputs: [y], attributes }): Product => {
    const { inputs, outputs } = channelsOf(w.shape, attributes);
    return {
      batch: [attributes.groups],
      rows: [outputs],
      columns: [y.shape[0], ...y.shape.slice(2)],
      sum: [inputs, ...w.shape.slice(2)],
      lhs: ({ batch, rows: [o], sum }, { read }) => read(1, [inGroup(batch, o, outputs), ...sum]),
      rhs: ({ batch, columns: [n, ...positions], sum: [c, ...taps] }, source) =>
        elementAt(
          source,
          [n, inGroup(batch, c, inputs)],
          inputUnder(attributes, x.shape.slice(2), positions, taps),
        ),
      output: (batch, [o], [n, ...positions]) => [n, inGroup(batch, o, outputs), ...positions],
    };
  },
);

/** x[n, c, i] = sum over o, t of w[o, c, t] g[n, o, p]. */
export const inputGradientContraction = contraction<
  Convolution & { readonly shape: readonly Dim[] }
>(({ inputs: [g, w], attributes }): Product => {
  const { inputs, outputs } = channelsOf(w.shape, attributes);
  const [n, , ...spatial] = attributes.shape;
  return {
    batch: [attributes.groups],
    rows: [inputs],
    columns: [n, ...spatial],
    sum: [outputs, ...w.shape.slice(2)],
    lhs: ({ batch, rows: [c], sum: [o, ...taps] }, { read }) =>
      read(1, [inGroup(batch, o, outputs), c, ...taps]),
    rhs: ({ batch, columns: [image, ...at], sum: [o, ...taps] }, source) =>
      elementAt(
        source,
        [image, inGroup(batch, o, outputs)],
        gradientOver(attributes, g.shape.slice(2), at, taps),
      ),
    output: (batch, [c], [image, ...at]) => [image, inGroup(batch, c, inputs), ...at],
  };
});

/** w[o, c, t] = sum over n, p of g[n, o, p] x[n, c, i]. */
export const kernelGradientContraction = contraction<
  Convolution & { readonly shape: readonly Dim[] }
>(({ inputs: [x, g], attributes }): Product => {
  const { inputs, outputs } = channelsOf(attributes.shape, attributes);
  return {
    batch: [attributes.groups],
    rows: [outputs],
    columns: [inputs, ...attributes.shape.slice(2)],
    sum: [g.shape[0], ...g.shape.slice(2)],
    lhs: ({ batch, rows: [o], sum: [n, ...positions] }, { read }) =>
      read(1, [n, inGroup(batch, o, outputs), ...positions]),
    rhs: ({ batch, columns: [c, ...taps], sum: [n, ...positions] }, source) =>
      elementAt(
        source,
        [n, inGroup(batch, c, inputs)],
        inputUnder(attributes, x.shape.slice(2), positions, taps),
      ),
    output: (batch, [o], [c, ...taps]) => [inGroup(batch, o, outputs), c, ...taps],
  };
});

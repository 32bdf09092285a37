// Pools in ONNX: MaxPool and AveragePool on images [samples, channels, windowed axes...].

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { WindowAttribute } from '../../ir/window-geometry.ts';
import { countShape, isTiling } from '../../ir/window-geometry.ts';
import type { OnnxAttribute, OnnxBuilder } from './builder-types.ts';
import { fixed, int, ints, pad, reshape, text, transpose } from './shapes.ts';
import { foldWindows } from './windows.ts';

interface Operand {
  readonly name: string;
  readonly shape: readonly Dim[];
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const product = (sizes: readonly Dim[]): Dim => sizes.reduce(dims.multiply, dims.one);

/** Between a tensor and images of it, whose last axes are the windowed ones in the window's order. */
interface Images {
  readonly shape: (of: readonly Dim[]) => readonly Dim[];
  readonly into: (of: Operand) => string;
  readonly outOf: (name: string, shape: readonly Dim[]) => string;
}

function images(onnx: OnnxBuilder, rank: number, window: WindowAttribute): Images {
  const others = range(rank).filter((axis) => !window.axes.includes(axis));
  const order = [...others, ...window.axes];
  const back = range(rank).map((axis) => order.indexOf(axis));
  const ordered = (of: readonly Dim[]): Dim[] => order.map((axis) => of[axis]);
  const shape = (of: readonly Dim[]): Dim[] => {
    const leading =
      others.length === 2
        ? others.map((axis) => of[axis])
        : [product(others.map((axis) => of[axis])), dims.one];
    return [...leading, ...window.axes.map((axis) => of[axis])];
  };
  return {
    shape,
    into: ({ name, shape: of }) =>
      reshape(onnx, transpose(onnx, name, order), ordered(of), shape(of)),
    outOf: (name, of) => transpose(onnx, reshape(onnx, name, shape(of), ordered(of)), back),
  };
}

const attributes = (
  onnx: OnnxBuilder,
  window: WindowAttribute,
): Readonly<Record<string, OnnxAttribute>> => {
  const numbers = (values: readonly Dim[]): OnnxAttribute =>
    ints(values.map((value) => fixed(onnx, value, 'a window')));
  const common = { kernel_shape: numbers(window.sizes), strides: numbers(window.strides) };
  return window.dilations.every((d) => dims.equal(d, dims.one))
    ? common
    : { ...common, dilations: numbers(window.dilations) };
};

export function maxPool(onnx: OnnxBuilder, x: Operand, window: WindowAttribute): string {
  const { into, outOf } = images(onnx, x.shape.length, window);
  const pooled = onnx.node('MaxPool', [into(x)], attributes(onnx, window));
  return outOf(pooled, countShape(x.shape, window));
}

/** Each window's g, added at its first largest element. */
export function maxPoolGradient(
  onnx: OnnxBuilder,
  x: Operand,
  y: Operand,
  g: string,
  window: WindowAttribute,
): string {
  const { into, outOf, shape } = images(onnx, x.shape.length, window);
  const [, indices] = onnx.nodes('MaxPool', [into(x)], 2, attributes(onnx, window));
  const flat = onnx.int64s([-1]);
  const zeros = onnx.node('Expand', [onnx.scalar(0), onnx.shape([product(x.shape)])]);
  const scattered = onnx.node(
    'ScatterElements',
    [
      zeros,
      onnx.node('Reshape', [indices, flat]),
      onnx.node('Reshape', [into({ ...y, name: g }), flat]),
    ],
    { axis: int(0), reduction: text('add') },
  );
  return outOf(reshape(onnx, scattered, [product(x.shape)], shape(x.shape)), x.shape);
}

/** AveragePool times the number of taps. */
export function sumPool(onnx: OnnxBuilder, x: Operand, window: WindowAttribute): string {
  const { into, outOf } = images(onnx, x.shape.length, window);
  const mean = onnx.node('AveragePool', [into(x)], attributes(onnx, window));
  const taps = fixed(onnx, product(window.sizes), 'a window');
  const sum = taps === 1 ? mean : onnx.node('Mul', [mean, onnx.scalar(taps)]);
  return outOf(sum, countShape(x.shape, window));
}

/** Each window's g, added to all of its elements. */
export function sumPoolGradient(
  onnx: OnnxBuilder,
  g: Operand,
  window: WindowAttribute,
  shape: readonly Dim[],
): string {
  const windows = [...g.shape, ...window.sizes];
  const repeated = onnx.node('Expand', [
    reshape(onnx, g.name, g.shape, [...g.shape, ...window.sizes.map(() => dims.one)]),
    onnx.shape(windows),
  ]);
  return foldWindows(onnx, { name: repeated, shape: windows }, window, shape);
}

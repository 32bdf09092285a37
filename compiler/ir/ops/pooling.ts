// Pools and their gradients. Each is a record of its own, not unfold and a reduction, for the sake of the targets' fast kernels. A
// maximum that occurs more than once in a window passes its cotangent to the first, in row-major order of the window's
// axes, as PyTorch and ONNX do.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import {
  argMaxPool,
  maxPool,
  maxPoolGradient,
  sumPool,
  sumPoolGradient,
} from '../../emit/onnx/pooling.ts';
import {
  costOfSum,
  sumOfWindows,
  windowArgMax,
  windowMaximum,
  windowSum,
} from '../../emit/wgsl/windows.ts';
import type { Builder } from '../builder-types.ts';
import type { TensorType, Value } from '../graph.ts';
import { defineOp, notDifferentiable } from '../op.ts';
import { mismatch, product, range } from '../shape-arithmetic.ts';
import { sizeOf } from '../tensor.ts';
import type { WindowAttribute } from '../window-geometry.ts';
import { countShape, eachWindow, windowLoops, wrongWindow, windowOf } from '../window-geometry.ts';
import { cast } from './type-rules.ts';

type Pool = { readonly window: WindowAttribute };
type WithShape = { readonly window: WindowAttribute; readonly shape: readonly Dim[] };

/** Null, or what is wrong with a pool over a tensor of `shape`; `windows` are tensors with one element a window. */
function wrongPool(
  window: WindowAttribute,
  shape: readonly Dim[],
  inputs: readonly TensorType[],
  windows: readonly TensorType[],
): string | null {
  const wrong = wrongWindow(window, shape.length);
  if (wrong !== null) return wrong;
  if (window.axes.length < 1 || window.axes.length > 3) return 'a pool has one to three axes';
  if (inputs.some((x) => x.dtype !== 'f32')) return 'operands must be f32';
  const counts = countShape(shape, window);
  for (const { shape: given } of windows) {
    if (given.length !== counts.length) return 'the windows have the wrong rank';
    const problem = counts
      .map((size, i) => mismatch(given[i], size, `axis ${i} of the windows`))
      .find((found) => found !== null);
    if (problem !== undefined) return problem;
  }
  return null;
}

const geometries: readonly { name: string; x: readonly number[]; window: WindowAttribute }[] = [
  { name: 'tiles', x: [2, 3, 4, 6], window: windowOf([2, 3], [2, 2], [2, 2]) },
  { name: 'tiles of 3 by 2', x: [1, 2, 6, 4], window: windowOf([2, 3], [3, 2], [3, 2]) },
  { name: 'tiles that leave a rest', x: [2, 1, 5, 7], window: windowOf([2, 3], [2, 3], [2, 3]) },
  { name: 'overlapping', x: [2, 2, 7, 6], window: windowOf([2, 3], [3, 3], [2, 2]) },
  { name: 'dilated', x: [1, 2, 7, 5], window: windowOf([2, 3], [2, 3], [1, 1], [3, 2]) },
  { name: 'channels last', x: [2, 4, 4, 3], window: windowOf([1, 2], [2, 2], [2, 2]) },
  { name: 'one axis', x: [3, 8], window: windowOf([1], [2], [2]) },
  { name: 'one axis, overlapping', x: [7], window: windowOf([0], [3], [1]) },
  { name: 'three axes', x: [2, 4, 3, 4], window: windowOf([1, 2, 3], [2, 1, 2], [2, 1, 2]) },
  { name: 'size 1', x: [1, 1, 3], window: windowOf([2], [1], [1]) },
];

const f32 = (shape: readonly number[]) => ({ dtype: 'f32', shape }) as const;

const sized = geometries.map(({ name, x, window }) => {
  const shape = x.map(dims.constant);
  const y = countShape(shape, window).map((size) => dims.isConstant(size) ?? 0);
  return { name, x, y, shape, window };
});

const maxPoolOp = defineOp<Pool>({
  name: 'max_pool',
  doc: 'The largest element of each window over the named axes: y[p] = max over t of x[p * stride + t * dilation]. Without padding.',
  operands: ['x'],
  type: ([x], { window }) =>
    wrongPool(window, x.shape, [x], []) ?? [{ dtype: 'f32', shape: countShape(x.shape, window) }],
  gradient: {
    kind: 'rule',
    rule: ({ builder, inputs: [x], outputs: [y], attributes: { window }, cotangents: [g] }) => [
      g === null ? null : builder.emit('max_pool_gradient', [x, y, g], { window })[0],
    ],
  },
  evaluate: ({ inputs: [x], outputs: [out], attributes: { window }, allocate, dim }) => {
    const data = allocate('f32', sizeOf(out.shape));
    const { windowStrides, taps } = windowLoops(x.shape, window, dim);
    eachWindow(out.shape, windowStrides, (i, offset) => {
      let largest = x.data[offset];
      for (const tap of taps) if (x.data[offset + tap] > largest) largest = x.data[offset + tap];
      data[i] = largest;
    });
    return [{ ...out, data }];
  },
  onnx: ({ onnx, names: [name], inputs: [x], attributes: { window } }) => [
    maxPool(onnx, { ...x, name }, window),
  ],
  wgsl: { kind: 'map', cost: 'long', element: windowMaximum },
  cases: sized.map(({ name, x, window }) => ({ name, attributes: { window }, inputs: [f32(x)] })),
});

const argMaxPoolOp = defineOp<Pool>({
  name: 'arg_max_pool',
  doc: 'Which element of each window over the named axes is the first largest, counted row-major in the order of the axes.',
  operands: ['x'],
  type: ([x], { window }) =>
    wrongPool(window, x.shape, [x], []) ?? [{ dtype: 'i32', shape: countShape(x.shape, window) }],
  gradient: notDifferentiable('its result is an index'),
  evaluate: ({ inputs: [x], outputs: [out], attributes: { window }, allocate, dim }) => {
    const data = allocate('i32', sizeOf(out.shape));
    const { windowStrides, taps } = windowLoops(x.shape, window, dim);
    eachWindow(out.shape, windowStrides, (i, offset) => {
      let first = 0;
      taps.forEach((tap, t) => {
        if (x.data[offset + tap] > x.data[offset + taps[first]]) first = t;
      });
      data[i] = first;
    });
    return [{ ...out, data }];
  },
  onnx: ({ onnx, names: [name], inputs: [x], attributes: { window } }) => [
    cast(onnx, argMaxPool(onnx, { ...x, name }, window), 'i32'),
  ],
  wgsl: { kind: 'map', cost: 'long', element: windowArgMax },
  cases: sized.map(({ name, x, window }) => ({ name, attributes: { window }, inputs: [f32(x)] })),
});

const maxPoolGradientOp = defineOp<Pool>({
  name: 'max_pool_gradient',
  doc: 'The cotangent of x from that of y = max_pool(x): each window adds g to its first largest element.',
  operands: ['x', 'y', 'g'],
  type: ([x, y, g], { window }) =>
    wrongPool(window, x.shape, [x, y, g], [y, g]) ?? [{ dtype: 'f32', shape: x.shape }],
  gradient: {
    kind: 'rule',
    // Linear in g; which element is the largest does not move with x.
    rule: ({ builder, inputs: [x], attributes: { window }, cotangents: [u] }) => [
      null,
      null,
      u === null ? null : atFirstLargest(builder, x, u, window),
    ],
  },
  evaluate: ({ inputs: [x, y, g], outputs: [out], attributes: { window }, allocate, dim }) => {
    const data = allocate('f32', sizeOf(out.shape));
    const { windowStrides, taps } = windowLoops(x.shape, window, dim);
    eachWindow(y.shape, windowStrides, (i, offset) => {
      let first = offset;
      for (const tap of taps) if (x.data[offset + tap] > x.data[first]) first = offset + tap;
      data[first] += g.data[i];
    });
    return [{ ...out, data }];
  },
  onnx: ({ onnx, names: [x, y, g], inputs, attributes: { window } }) => [
    maxPoolGradient(onnx, { ...inputs[0], name: x }, { ...inputs[1], name: y }, g, window),
  ],
  wgsl: {
    kind: 'composite',
    expand: (builder, [x, , g], { window }) => [spreadToFirst(builder, x, g, window)],
  },
  cases: sized.map(({ name, x, y, window }) => ({
    name,
    attributes: { window },
    inputs: [f32(x), f32(y), f32(y)],
  })),
});

/** Whether an element of a window of x is its first largest: [windows.., taps..]. */
function isFirstLargest(builder: Builder, x: Value, window: WindowAttribute): Value {
  const counts = countShape(x.shape, window);
  const shape = [...counts, ...window.sizes];
  const axes = range(shape.length);
  const [first] = builder.emit('arg_max_pool', [x], { window });
  const numbers = builder.reshape(builder.iota([product(window.sizes)], 0), window.sizes);
  return builder.compare(
    'eq',
    builder.broadcastInDim(numbers, shape, axes.slice(counts.length)),
    builder.broadcastInDim(first, shape, axes.slice(0, counts.length)),
  );
}

/** The element of u, for each window of x, that lies where x is first largest. */
function atFirstLargest(builder: Builder, x: Value, u: Value, window: WindowAttribute): Value {
  const isFirst = isFirstLargest(builder, x, window);
  const picked = builder.select(isFirst, builder.unfold(u, window), builder.full(0, isFirst.shape));
  return builder.reduce('add', picked, range(isFirst.shape.length).slice(x.shape.length));
}

/** g of each window of x, added where x is first largest, and 0 elsewhere: the transpose of `atFirstLargest`. */
function spreadToFirst(builder: Builder, x: Value, g: Value, window: WindowAttribute): Value {
  const isFirst = isFirstLargest(builder, x, window);
  const everywhere = builder.broadcastInDim(g, isFirst.shape, range(g.shape.length));
  const placed = builder.select(isFirst, everywhere, builder.full(0, isFirst.shape));
  return builder.fold(placed, window, x.shape);
}

const sumPoolOp = defineOp<Pool>({
  name: 'sum_pool',
  doc: 'The sum of each window over the named axes: y[p] = sum over t of x[p * stride + t * dilation]. Without padding.',
  operands: ['x'],
  type: ([x], { window }) =>
    wrongPool(window, x.shape, [x], []) ?? [{ dtype: 'f32', shape: countShape(x.shape, window) }],
  gradient: {
    kind: 'rule',
    rule: ({ builder, inputs: [x], attributes: { window }, cotangents: [g] }) => [
      g === null ? null : builder.emit('sum_pool_gradient', [g], { window, shape: x.shape })[0],
    ],
  },
  evaluate: ({ inputs: [x], outputs: [out], attributes: { window }, allocate, dim }) => {
    const data = allocate('f32', sizeOf(out.shape));
    const { windowStrides, taps } = windowLoops(x.shape, window, dim);
    eachWindow(out.shape, windowStrides, (i, offset) => {
      let sum = 0;
      for (const tap of taps) sum += x.data[offset + tap];
      data[i] = sum;
    });
    return [{ ...out, data }];
  },
  onnx: ({ onnx, names: [name], inputs: [x], attributes: { window } }) => [
    sumPool(onnx, { ...x, name }, window),
  ],
  wgsl: { kind: 'map', cost: 'long', element: windowSum },
  cases: sized.map(({ name, x, window }) => ({ name, attributes: { window }, inputs: [f32(x)] })),
});

const sumPoolGradientOp = defineOp<WithShape>({
  name: 'sum_pool_gradient',
  doc: 'The transpose of sum_pool: g of each window is added to all of its elements; `shape` is the shape of the result.',
  operands: ['g'],
  type: ([g], { window, shape }) => wrongPool(window, shape, [g], [g]) ?? [{ dtype: 'f32', shape }],
  gradient: {
    kind: 'rule',
    rule: ({ builder, attributes: { window }, cotangents: [u] }) => [
      u === null ? null : builder.emit('sum_pool', [u], { window })[0],
    ],
  },
  evaluate: ({ inputs: [g], outputs: [out], attributes: { window }, allocate, dim }) => {
    const data = allocate('f32', sizeOf(out.shape));
    const { windowStrides, taps } = windowLoops(out.shape, window, dim);
    eachWindow(g.shape, windowStrides, (i, offset) => {
      for (const tap of taps) data[offset + tap] += g.data[i];
    });
    return [{ ...out, data }];
  },
  onnx: ({ onnx, names: [name], inputs: [g], attributes: { window, shape } }) => [
    sumPoolGradient(onnx, { ...g, name }, window, shape),
  ],
  wgsl: { kind: 'map', cost: costOfSum, element: sumOfWindows('window') },
  cases: sized.map(({ name, y, shape, window }) => ({
    name,
    attributes: { window, shape },
    inputs: [f32(y)],
  })),
});

export const poolingOps = [
  maxPoolOp,
  argMaxPoolOp,
  maxPoolGradientOp,
  sumPoolOp,
  sumPoolGradientOp,
];

// Windows as new axes (unfold) and their overlapping sum (fold): linear, each the other's transpose.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import { foldWindows, unfoldWindows } from '../../emit/onnx/windows.ts';
import { view } from '../../emit/wgsl/lowering.ts';
import { costOfSum, sumOfWindows, tapIndex } from '../../emit/wgsl/windows.ts';
import { defineOp } from '../op.ts';
import { mismatch } from '../shape-arithmetic.ts';
import { copyStrided, viewOf } from '../strided.ts';
import { sizeOf } from '../tensor.ts';
import type { WindowAttribute } from '../window-geometry.ts';
import { countShape, windowLoops, windowOf, wrongWindow } from '../window-geometry.ts';

type Unfold = { readonly window: WindowAttribute };
type Fold = { readonly window: WindowAttribute; readonly shape: readonly Dim[] };

const unfoldShape = (shape: readonly Dim[], window: WindowAttribute): Dim[] => [
  ...countShape(shape, window),
  ...window.sizes,
];

const geometries: readonly { name: string; x: readonly number[]; window: WindowAttribute }[] = [
  { name: 'tiles', x: [2, 3, 4, 6], window: windowOf([2, 3], [2, 3], [2, 3]) },
  { name: 'tiles that leave a rest', x: [5, 7], window: windowOf([0, 1], [2, 3], [2, 3]) },
  { name: 'overlapping', x: [2, 5, 6], window: windowOf([1, 2], [3, 2], [1, 2]) },
  { name: 'dilated, one axis', x: [3, 9, 2], window: windowOf([1], [3], [2], [2]) },
  { name: 'gaps', x: [8], window: windowOf([0], [2], [3]) },
  { name: 'axes out of order', x: [4, 2, 5], window: windowOf([2, 0], [2, 3], [1, 1]) },
  { name: 'size 1', x: [1, 3], window: windowOf([0, 1], [1, 1], [1, 1]) },
  { name: 'three axes', x: [3, 4, 3], window: windowOf([0, 1, 2], [2, 2, 2], [1, 2, 1]) },
];

const sized = geometries.map(({ name, x, window }) => {
  const shape = x.map(dims.constant);
  const y = unfoldShape(shape, window).map((size) => dims.isConstant(size) ?? 0);
  return { name, x, y, shape, window };
});

const unfold = defineOp<Unfold>({
  name: 'unfold',
  doc: 'Windows over the named axes as new trailing axes: y[p, t] = x[p * stride + t * dilation] along each; the windowed axes count windows. Without padding.',
  operands: ['x'],
  type: ([x], { window }) =>
    wrongWindow(window, x.shape.length) ?? [
      { dtype: x.dtype, shape: unfoldShape(x.shape, window) },
    ],
  gradient: {
    kind: 'rule',
    rule: ({ builder, inputs: [x], attributes: { window }, cotangents: [g] }) => [
      g === null ? null : builder.fold(g, window, x.shape),
    ],
  },
  evaluate: ({ inputs: [x], outputs: [out], attributes: { window }, allocate, dim }) => {
    const data = allocate(out.dtype, sizeOf(out.shape));
    const { windowStrides, tapStrides } = windowLoops(x.shape, window, dim);
    const windows = { data: x.data, offset: 0, strides: [...windowStrides, ...tapStrides] };
    copyStrided(out.shape, windows, viewOf({ data, shape: out.shape }));
    return [{ ...out, data }];
  },
  onnx: ({ onnx, names: [name], inputs: [x], attributes: { window } }) => [
    unfoldWindows(onnx, { ...x, name }, window),
  ],
  wgsl: view((index, { inputs: [x], attributes: { window } }) => {
    const rank = x.shape.length;
    return tapIndex(index.slice(0, rank), index.slice(rank), window);
  }),
  cases: [
    ...sized.map(({ name, x, window }) => ({
      name,
      attributes: { window },
      inputs: [{ dtype: 'f32', shape: x } as const],
    })),
    {
      name: 'integers',
      attributes: { window: windowOf([0], [3], [1]) },
      inputs: [{ dtype: 'i32', shape: [5] }],
    },
  ],
});

const fold = defineOp<Fold>({
  name: 'fold',
  doc: 'The transpose of unfold: every window is added back where unfold would read it; `shape` is the shape of the result.',
  operands: ['windows'],
  type: ([windows], { window, shape }) => {
    const wrong = wrongWindow(window, shape.length);
    if (wrong !== null) return wrong;
    if (windows.dtype !== 'f32') return 'windows must be f32';
    const expected = unfoldShape(shape, window);
    if (windows.shape.length !== expected.length) return 'the windows have the wrong rank';
    const problem = expected
      .map((size, i) => mismatch(windows.shape[i], size, `axis ${i} of the windows`))
      .find((found) => found !== null);
    return problem ?? [{ dtype: windows.dtype, shape }];
  },
  gradient: {
    kind: 'rule',
    rule: ({ builder, attributes: { window }, cotangents: [g] }) => [
      g === null ? null : builder.unfold(g, window),
    ],
  },
  evaluate: ({ inputs: [x], outputs: [out], attributes: { window }, allocate, dim }) => {
    const data = allocate(out.dtype, sizeOf(out.shape));
    const { windowStrides, tapStrides } = windowLoops(out.shape, window, dim);
    const windows = { data, offset: 0, strides: [...windowStrides, ...tapStrides] };
    copyStrided(x.shape, viewOf(x), windows, 'add');
    return [{ ...out, data }];
  },
  onnx: ({ onnx, names: [name], inputs: [x], attributes: { window, shape } }) => [
    foldWindows(onnx, { ...x, name }, window, shape),
  ],
  wgsl: { kind: 'map', cost: costOfSum, element: sumOfWindows('tap') },
  cases: sized.map(({ name, y, shape, window }) => ({
    name,
    attributes: { window, shape },
    inputs: [{ dtype: 'f32', shape: y }],
  })),
});

export const windowOps = [unfold, fold];

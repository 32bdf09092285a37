// Composites that keep a record of their own, since ONNX has fast kernels for them whose results the gradients reuse: softmax,
// log_softmax and the centring and scaling of layer normalisation.

import type { Dim } from '../../dims/dim.ts';
import { int } from '../../emit/onnx/shapes.ts';
import type { OnnxBuilder } from '../../emit/onnx/builder-types.ts';
import type { Builder } from '../builder-types.ts';
import type { Value } from '../graph.ts';
import { defineOp } from '../op.ts';
import type { Evaluation, Op } from '../op.ts';
import { product, range } from '../shape-arithmetic.ts';
import { tensor } from '../tensor.ts';
import type { DType, TensorData } from '../tensor.ts';
import { axesAreWrong, dtypesDiffer, float, fullLike, shapesDiffer, spread } from './type-rules.ts';

type Along = { readonly axis: number };

type Row = (from: TensorData, start: number, step: number, size: number, into: TensorData) => void;

/** Largest first, so that no exponential overflows. */
function rowMaximum(from: TensorData, start: number, step: number, size: number): number {
  let largest = -Infinity;
  for (let i = 0; i < size; i++) largest = Math.max(largest, from[start + i * step]);
  return largest;
}

const softmaxRow: Row = (from, start, step, size, into) => {
  const largest = rowMaximum(from, start, step, size);
  let sum = 0;
  for (let i = 0; i < size; i++) sum += Math.exp(from[start + i * step] - largest);
  for (let i = 0; i < size; i++)
    into[start + i * step] = Math.exp(from[start + i * step] - largest) / sum;
};

const logSoftmaxRow: Row = (from, start, step, size, into) => {
  const largest = rowMaximum(from, start, step, size);
  let sum = 0;
  for (let i = 0; i < size; i++) sum += Math.exp(from[start + i * step] - largest);
  const shift = largest + Math.log(sum);
  for (let i = 0; i < size; i++) into[start + i * step] = from[start + i * step] - shift;
};

/** Runs `row` over every line of x along `axis`. */
function alongAxis(
  { inputs: [x], attributes: { axis }, allocate }: Evaluation<Along>,
  row: Row,
): TensorData {
  const data = allocate('f32', x.data.length);
  const size = x.shape[axis];
  const inner = x.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  for (let line = 0; line * size < data.length; line++) {
    const outer = Math.floor(line / inner);
    row(x.data, outer * size * inner + (line % inner), inner, size, data);
  }
  return data;
}

interface Softmax {
  readonly name: string;
  readonly doc: string;
  readonly row: Row;
  readonly onnx: string;
  readonly gradient: (b: Builder, y: Value, g: Value, axis: number) => Value;
  /** From x less its largest element. WGSL makes one kernel of the reductions and what lies between them. */
  readonly composite: (b: Builder, shifted: Value, axis: number) => Value;
}

const sumAlong = (b: Builder, x: Value, axis: number): Value =>
  spread(b, b.reduce('add', x, [axis]), x.shape, [axis]);

const softmaxLike = ({ name, doc, row, onnx: operator, gradient, composite }: Softmax): Op =>
  defineOp<Along>({
    name,
    doc,
    operands: ['x'],
    type: (inputs, { axis }) =>
      shapesDiffer(inputs, 1) ??
      dtypesDiffer(inputs, ['f32']) ??
      axesAreWrong([axis], inputs[0].shape) ?? [{ dtype: 'f32', shape: inputs[0].shape }],
    gradient: {
      kind: 'rule',
      rule: ({ builder, outputs: [y], attributes: { axis }, cotangents: [g] }) => [
        g === null ? null : gradient(builder, y, g, axis),
      ],
    },
    evaluate: (context) => [{ ...context.inputs[0], data: alongAxis(context, row) }],
    onnx: ({ onnx, names: [x], attributes: { axis } }) => [
      onnx.node(operator, [x], { axis: int(axis) }),
    ],
    wgsl: {
      kind: 'composite',
      expand: (b, [x], { axis }) => {
        const largest = spread(b, b.reduce('max', x, [axis]), x.shape, [axis]);
        return [composite(b, b.subtract(x, largest), axis)];
      },
    },
    cases: [
      { shape: [5], axis: 0 },
      { shape: [3, 1], axis: 1 },
      { shape: [2, 3, 4], axis: 2 },
      { shape: [3, 2, 2], axis: 0 },
    ].map(({ shape, axis }) => ({
      name: `f32[${shape.join(',')}] along ${axis}`,
      attributes: { axis },
      inputs: [{ dtype: 'f32' as DType, shape }],
    })),
  });

const softmax = softmaxLike({
  name: 'softmax',
  doc: 'e^x / sum e^x along `axis`; the largest element is subtracted first, so it does not overflow. A line of -inf alone gives NaN.',
  row: softmaxRow,
  onnx: 'Softmax',
  // y (g - sum g y)
  gradient: (b, y, g, axis) => b.multiply(y, b.subtract(g, sumAlong(b, b.multiply(g, y), axis))),
  composite: (b, shifted, axis) => {
    const e = b.exp(shifted);
    return b.divide(e, sumAlong(b, e, axis));
  },
});

const logSoftmax = softmaxLike({
  name: 'log_softmax',
  doc: 'x - log sum e^x along `axis`, without overflow. A line of -inf alone gives NaN.',
  row: logSoftmaxRow,
  onnx: 'LogSoftmax',
  // g - e^y sum g
  gradient: (b, y, g, axis) => b.subtract(g, b.multiply(b.exp(y), sumAlong(b, g, axis))),
  composite: (b, shifted, axis) => {
    const sum = b.reduce('add', b.exp(shifted), [axis]);
    return b.subtract(shifted, spread(b, b.log(sum), shifted.shape, [axis]));
  },
});

type Standardize = { readonly axis: number; readonly epsilon: number };

const axesFrom = (axis: number, rank: number): number[] => range(rank).slice(axis);

/**
 * With n elements a row, s = inv_std and means over the row:
 *
 *     dx = s (g_y - mean g_y - y mean(g_y y)) + g_mean / n - g_s s^2 y / n
 *
 * Epsilon needs no term of its own: (x - mean) s = y holds whatever it is.
 */
function standardizeGradient(
  b: Builder,
  [y, , s]: readonly Value[],
  [gY, gMean, gS]: readonly (Value | null)[],
  axis: number,
): Value | null {
  const axes = axesFrom(axis, y.shape.length);
  const row = (x: Value): Value => spread(b, x, y.shape, axes);
  const n = b.fill(b.dim(product(y.shape.slice(axis)), 'f32'), s.shape);
  const mean = (x: Value): Value => row(b.divide(b.reduce('add', x, axes), n));
  const terms: Value[] = [];
  if (gY !== null) {
    const centred = b.subtract(gY, mean(gY));
    const straight = b.subtract(centred, b.multiply(y, mean(b.multiply(gY, y))));
    terms.push(b.multiply(row(s), straight));
  }
  if (gMean !== null) terms.push(row(b.divide(gMean, n)));
  if (gS !== null) {
    const factor = b.divide(b.multiply(gS, b.multiply(s, s)), n);
    terms.push(b.negate(b.multiply(row(factor), y)));
  }
  const [first, ...rest] = terms;
  return first === undefined ? null : rest.reduce((sum, term) => b.add(sum, term), first);
}

/** LayerNormalization wants a scale: ones, of the shape of a row. */
function onesOnnx(onnx: OnnxBuilder, shape: readonly Dim[]): string {
  const sizes = shape.map((size) => onnx.staticDim(size));
  if (!sizes.every((size) => size !== null))
    return onnx.node('Expand', [onnx.scalar(1), onnx.shape(shape)]);
  const count = sizes.reduce((a, b) => a * b, 1);
  return onnx.constant(tensor('f32', sizes, new Float32Array(count).fill(1)));
}

/** The mean of each row, where a row is the axes from `axis` on. */
function meanOfRows(b: Builder, x: Value, axis: number): Value {
  const sum = b.reduce('add', x, axesFrom(axis, x.shape.length));
  return b.divide(sum, b.fill(b.dim(product(x.shape.slice(axis)), 'f32'), sum.shape));
}

const standardize = defineOp<Standardize>({
  name: 'standardize',
  doc: 'Rows of mean 0 and variance 1, where a row is the axes from `axis` to the last: y = (x - mean) inv_std, mean, and inv_std = 1 / sqrt(var + epsilon), var the mean of (x - mean)^2. mean and inv_std lose the axes of the row. ONNX LayerNormalization without scale and bias.',
  operands: ['x'],
  type: (inputs, { axis }) => {
    const outer = inputs[0]?.shape.slice(0, axis);
    return (
      shapesDiffer(inputs, 1) ??
      dtypesDiffer(inputs, ['f32']) ??
      axesAreWrong([axis], inputs[0].shape) ?? [
        { dtype: 'f32', shape: inputs[0].shape },
        { dtype: 'f32', shape: outer },
        { dtype: 'f32', shape: outer },
      ]
    );
  },
  gradient: {
    kind: 'rule',
    rule: ({ builder, outputs, attributes: { axis }, cotangents }) => [
      standardizeGradient(builder, outputs, cotangents, axis),
    ],
  },
  evaluate: ({ inputs: [x], attributes: { epsilon }, outputs, allocate }) => {
    const rows = outputs[1].shape.reduce((a, b) => a * b, 1);
    const size = x.data.length / rows;
    const y = allocate('f32', x.data.length);
    const means = allocate('f32', rows);
    const scales = allocate('f32', rows);
    for (let r = 0; r < rows; r++) {
      const row = x.data.subarray(r * size, (r + 1) * size);
      let sum = 0;
      for (const value of row) sum += value;
      const mean = sum / size;
      let squares = 0;
      for (const value of row) squares += (value - mean) ** 2;
      const scale = 1 / Math.sqrt(squares / size + epsilon);
      means[r] = mean;
      scales[r] = scale;
      for (let i = 0; i < size; i++) y[r * size + i] = (row[i] - mean) * scale;
    }
    return [y, means, scales].map((data, i) => ({ ...outputs[i], data }));
  },
  onnx: ({ onnx, names: [x], inputs: [{ shape }], attributes: { axis, epsilon } }) => {
    const ones = onesOnnx(onnx, shape.slice(axis));
    const [y, mean, scale] = onnx.nodes('LayerNormalization', [x, ones], 3, {
      axis: int(axis),
      epsilon: float(epsilon),
    });
    const axes = onnx.int64s(axesFrom(axis, shape.length));
    const squeezed = (name: string): string => onnx.node('Squeeze', [name, axes]);
    return [y, squeezed(mean), squeezed(scale)];
  },
  wgsl: {
    kind: 'composite',
    expand: (b, [x], { axis, epsilon }) => {
      const axes = axesFrom(axis, x.shape.length);
      const mean = meanOfRows(b, x, axis);
      const centred = b.subtract(x, spread(b, mean, x.shape, axes));
      const variance = meanOfRows(b, b.multiply(centred, centred), axis);
      const scale = b.unary('rsqrt', b.add(variance, fullLike(b, epsilon, variance)));
      return [b.multiply(centred, spread(b, scale, x.shape, axes)), mean, scale];
    },
  },
  cases: [
    { shape: [5], axis: 0, epsilon: 1e-5 },
    { shape: [3, 1, 4], axis: 2, epsilon: 1e-5 },
    { shape: [2, 3, 2], axis: 1, epsilon: 0.1 },
    { shape: [3, 1], axis: 1, epsilon: 0.5 },
  ].map(({ shape, axis, epsilon }) => ({
    name: `f32[${shape.join(',')}] from ${axis}, epsilon ${epsilon}`,
    attributes: { axis, epsilon },
    inputs: [{ dtype: 'f32' as DType, shape }],
  })),
});

export const normalisationOps: readonly Op[] = [softmax, logSoftmax, standardize];

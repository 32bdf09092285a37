// Infinities, NaN, signs and wrap-around: what the records' documentation promises, in the interpreter and in ONNX Runtime. The
// expected values follow IEEE 754 and two's complement.

import { describe, it } from 'vitest';

import { createBuilder } from '../../compiler/ir/builder.ts';
import type { Attributes, Graph } from '../../compiler/ir/graph.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import type { DType, Tensor } from '../../compiler/ir/tensor.ts';
import { expectClose } from './expect-close.ts';
import { runInterpreter, typeOf } from './run-graph.ts';
import { runOnnx } from './run-onnx.ts';

interface SpecialValues {
  readonly op: string;
  readonly attributes?: Attributes;
  readonly inputs: readonly (readonly [DType, readonly number[]])[];
  readonly expected: readonly [DType, readonly number[]];
}

const vector = ([dtype, data]: readonly [DType, readonly number[]]): Tensor =>
  tensor(dtype, [data.length], data);

const unary = (op: string, x: readonly number[], y: readonly number[]): SpecialValues => ({
  op,
  inputs: [['f32', x]],
  expected: ['f32', y],
});

const pairs = (
  op: string,
  dtype: DType,
  a: readonly number[],
  b: readonly number[],
  y: readonly number[],
): SpecialValues => ({
  op,
  inputs: [
    [dtype, a],
    [dtype, b],
  ],
  expected: [dtype, y],
});

const converted = (
  [from, x]: readonly [DType, readonly number[]],
  [dtype, y]: readonly [DType, readonly number[]],
): SpecialValues => ({
  op: 'convert',
  attributes: { dtype },
  inputs: [[from, x]],
  expected: [dtype, y],
});

const least = -(2 ** 31);
const largest = 2 ** 31 - 1;
const all = 2 ** 32 - 1;
const halfTurn = Math.fround(Math.PI);
const quarterTurn = halfTurn / 2;

const real: readonly SpecialValues[] = [
  unary('exponential', [-200, 200, -Infinity, NaN], [0, Infinity, 0, NaN]),
  unary('log', [0, -1, Infinity, NaN], [-Infinity, NaN, Infinity, NaN]),
  unary('log1p', [-1, -2, Infinity, NaN], [-Infinity, NaN, Infinity, NaN]),
  unary('expm1', [-Infinity, Infinity, NaN], [-1, Infinity, NaN]),
  unary('sqrt', [0, -1, Infinity], [0, NaN, Infinity]),
  unary('rsqrt', [0, -1, Infinity], [Infinity, NaN, 0]),
  unary('tanh', [-200, 200, -Infinity, Infinity, NaN], [-1, 1, -1, 1, NaN]),
  unary('logistic', [-200, 200, -Infinity, Infinity, NaN], [0, 1, 0, 1, NaN]),
  unary('erf', [-10, 10, -Infinity, Infinity, NaN], [-1, 1, -1, 1, NaN]),
  unary('sign', [-2, 0, Infinity, NaN], [-1, 0, 1, NaN]),
  unary('round_even', [-2.5, -1.5, 0.5, 1.5, 2.5], [-2, -2, 0, 2, 2]),
  pairs('divide', 'f32', [1, -1, 0], [0, 0, 0], [Infinity, -Infinity, NaN]),
  pairs('remainder', 'f32', [-7.5, 7.5, 1], [2, -2, 0], [-1.5, 1.5, NaN]),
  pairs('power', 'f32', [0, 0, -2, -2, 2], [0, -1, 3, 0.5, 200], [1, Infinity, -8, NaN, Infinity]),
  pairs('maximum', 'f32', [NaN, 1, -Infinity], [1, NaN, 2], [NaN, NaN, 2]),
  pairs('minimum', 'f32', [NaN, 1, -Infinity], [1, NaN, 2], [NaN, NaN, -Infinity]),
  pairs('atan2', 'f32', [0, 1, -1, 0], [0, 0, 0, -1], [0, quarterTurn, -quarterTurn, halfTurn]),
  {
    op: 'reduce',
    attributes: { kind: 'max', axes: [0] },
    inputs: [['f32', [-Infinity, -3, -Infinity]]],
    expected: ['f32', [-3]],
  },
  {
    op: 'softmax',
    attributes: { axis: 0 },
    inputs: [['f32', [1000, 1000, -Infinity]]],
    expected: ['f32', [0.5, 0.5, 0]],
  },
  {
    op: 'softmax',
    attributes: { axis: 0 },
    inputs: [['f32', [-Infinity, -Infinity]]],
    expected: ['f32', [NaN, NaN]],
  },
  {
    op: 'log_softmax',
    attributes: { axis: 0 },
    inputs: [['f32', [1000, 0, -Infinity]]],
    expected: ['f32', [0, -1000, -Infinity]],
  },
  {
    op: 'select',
    inputs: [
      ['bool', [1, 0]],
      ['f32', [1, NaN]],
      ['f32', [NaN, 2]],
    ],
    expected: ['f32', [1, 2]],
  },
  ...(['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const).map((direction) => ({
    op: 'compare',
    attributes: { direction },
    inputs: [
      ['f32', [NaN, NaN]],
      ['f32', [NaN, 1]],
    ] as const,
    expected: ['bool', direction === 'ne' ? [1, 1] : [0, 0]] as const,
  })),
];

const integer: readonly SpecialValues[] = [
  pairs('add', 'i32', [largest, -5], [1, 2], [least, -3]),
  pairs('subtract', 'u32', [0, 7], [1, 2], [all, 5]),
  pairs('multiply', 'i32', [-65537, 123456789], [65537, 987654321], [-131073, -67153019]),
  pairs('multiply', 'u32', [all, 65537], [all, 65537], [1, 131073]),
  pairs('divide', 'i32', [-7, 7, -7], [2, -2, -2], [-3, -3, 3]),
  pairs('divide', 'u32', [all, 7], [2, 2], [largest, 3]),
  pairs('remainder', 'i32', [-7, 7, -7], [2, -2, -2], [-1, 1, -1]),
  pairs('remainder', 'u32', [all, 7], [10, 2], [5, 1]),
  pairs('maximum', 'u32', [all, 1], [1, 2], [all, 2]),
  pairs('minimum', 'i32', [least, -1], [1, -2], [least, -2]),
  pairs('shift_left', 'u32', [all, 1, 5], [1, 31, 0], [all - 1, 2 ** 31, 5]),
  pairs('shift_right_logical', 'u32', [all, 2 ** 31, 5], [1, 31, 0], [largest, 1, 5]),
  { op: 'negate', inputs: [['i32', [-3, least]]], expected: ['i32', [3, least]] },
  { op: 'abs', inputs: [['i32', [-3, 4]]], expected: ['i32', [3, 4]] },
  { op: 'sign', inputs: [['i32', [-3, 0, 4]]], expected: ['i32', [-1, 0, 1]] },
  { op: 'not', inputs: [['i32', [0, -1, 5]]], expected: ['i32', [-1, 0, -6]] },
  {
    op: 'compare',
    attributes: { direction: 'lt' },
    inputs: [
      ['u32', [1, all]],
      ['u32', [all, 1]],
    ],
    expected: ['bool', [1, 0]],
  },
  {
    op: 'reduce',
    attributes: { kind: 'max', axes: [0] },
    inputs: [['i32', [-5, -3, least]]],
    expected: ['i32', [-3]],
  },
  {
    op: 'arg_min',
    attributes: { axis: 0 },
    inputs: [['i32', [3, -5, -5]]],
    expected: ['i32', [1]],
  },
];

const conversions: readonly SpecialValues[] = [
  converted(['f32', [-1.7, 1.7, -0.2]], ['i32', [-1, 1, 0]]),
  converted(['f32', [1.7, 3e9]], ['u32', [1, 3e9]]),
  converted(['f32', [0, 0.5, NaN, -Infinity]], ['bool', [0, 1, 1, 1]]),
  converted(['i32', [-1, least]], ['u32', [all, 2 ** 31]]),
  converted(['u32', [all, 2 ** 31]], ['i32', [-1, least]]),
  converted(['u32', [2 ** 31]], ['f32', [2 ** 31]]),
];

/** The one result of a graph of the one node; what reduces an axis away is made a vector again. */
function graphOf({ op, attributes = {} }: SpecialValues, inputs: readonly Tensor[]): Graph {
  const builder = createBuilder();
  const xs = inputs.map((x, i) => builder.input(`x${i}`, 'data', typeOf(x)));
  const [y] = builder.emit(op, xs, attributes);
  const one = typeOf({ dtype: y.dtype, shape: [1] }).shape;
  builder.output('y', 'result', y.shape.length === 0 ? builder.reshape(y, one) : y);
  return builder.graph(op);
}

describe.each([
  { kind: 'reals', table: real },
  { kind: 'integers', table: integer },
  { kind: 'conversions', table: conversions },
])('special values of $kind', ({ table }) => {
  it.each(table)('$op $attributes of $inputs', async (values) => {
    const inputs = values.inputs.map(vector);
    const expected = vector(values.expected);
    const graph = graphOf(values, inputs);
    expectClose(runInterpreter(graph, inputs, 'f32').y, expected, 1e-6, 'the interpreter');
    expectClose((await runOnnx(graph, inputs)).y, expected, 1e-6, 'ONNX Runtime');
  });
});

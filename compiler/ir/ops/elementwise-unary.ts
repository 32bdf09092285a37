// Operations of one operand that act on every element alone: the real functions, rounding, `not`, and the two that only change
// how a value is seen (`convert`, `stop_gradient`). Names and semantics follow StableHLO.

import type { OnnxBuilder } from '../../emit/onnx/builder-types.ts';
import { bracketed } from '../../emit/wgsl/expressions.ts';
import { elementwise, view, type Code, type Mapping } from '../../emit/wgsl/lowering.ts';
import type { Builder, UnaryName } from '../builder-types.ts';
import type { TensorType, Value } from '../graph.ts';
import { defineOp, notDifferentiable } from '../op.ts';
import type { Case, Op } from '../op.ts';
import type { DType, TensorData } from '../tensor.ts';
import { erf, expm1Onnx, log1pOnnx, roundEven } from './real-functions.ts';
import { cast, dtypesDiffer, fullLike, shapesDiffer } from './type-rules.ts';

type NoAttributes = Record<string, never>;

interface Unary {
  readonly name: UnaryName;
  readonly doc: string;
  readonly dtypes: readonly DType[];
  readonly apply: (x: number) => number;
  /** The cotangent of x from that of y; or why there is none. */
  readonly gradient: ((b: Builder, x: Value, y: Value, g: Value) => Value) | string;
  /** An ONNX operator, or what to emit. */
  readonly onnx: string | ((onnx: OnnxBuilder, x: string, dtype: DType) => string);
  /** The name of a WGSL function, or what to write; `dear` where it takes many instructions. */
  readonly wgsl: Wgsl | { readonly dear: Wgsl };
  /** Real operands of the tests, off kinks and poles. */
  readonly range?: readonly [number, number];
}

type Wgsl = string | ((x: string, dtype: DType, code: Code) => string);

/** A function of emit/wgsl/helpers.ts. */
const helper =
  (name: string): Wgsl =>
  (x, _dtype, code) =>
    code.call(name, x);

const reals: readonly DType[] = ['f32'];
const numbers: readonly DType[] = ['f32', 'i32'];

const scaled = (b: Builder, factor: number, x: Value): Value =>
  b.multiply(fullLike(b, factor, x), x);

/** 1 - x, elementwise. */
const complement = (b: Builder, x: Value): Value => b.subtract(fullLike(b, 1, x), x);

const flat = 'it is constant between its steps, so its derivative is zero wherever it exists';

const table: readonly Unary[] = [
  {
    name: 'negate',
    doc: '-x',
    dtypes: numbers,
    apply: (x) => -x,
    gradient: (b, _x, _y, g) => b.negate(g),
    onnx: 'Neg',
    wgsl: (x) => `-${bracketed(x)}`,
  },
  {
    name: 'abs',
    doc: '|x|. The derivative at 0 is 0.',
    dtypes: numbers,
    apply: Math.abs,
    gradient: (b, x, _y, g) => b.multiply(g, b.unary('sign', x)),
    onnx: 'Abs',
    wgsl: 'abs',
  },
  {
    name: 'sign',
    doc: '-1, 0 or 1; NaN gives NaN.',
    dtypes: numbers,
    apply: Math.sign,
    gradient: flat,
    onnx: 'Sign',
    wgsl: (x, dtype, code) => (dtype === 'f32' ? code.call('sign_of', x) : `sign(${x})`),
  },
  {
    name: 'exponential',
    doc: 'e^x',
    dtypes: reals,
    apply: Math.exp,
    gradient: (b, _x, y, g) => b.multiply(g, y),
    onnx: 'Exp',
    wgsl: { dear: helper('exponential') },
  },
  {
    name: 'log',
    doc: 'The natural logarithm: -inf at 0, NaN below.',
    dtypes: reals,
    apply: Math.log,
    gradient: (b, x, _y, g) => b.divide(g, x),
    onnx: 'Log',
    wgsl: { dear: helper('logarithm') },
    range: [0.2, 3],
  },
  {
    name: 'expm1',
    doc: 'e^x - 1, accurate near 0: below |x| = 1/4 every target sums the Taylor series to x^7, else it subtracts.',
    dtypes: reals,
    apply: Math.expm1,
    gradient: (b, _x, y, g) => b.multiply(g, b.add(y, fullLike(b, 1, y))),
    onnx: expm1Onnx,
    wgsl: { dear: helper('expm1') },
  },
  {
    name: 'log1p',
    doc: 'log(1 + x), accurate near 0: below |x| = 1/4 every target sums 2 artanh(x / (2 + x)) to the seventh power, else it takes log(1 + x). -inf at -1, NaN below.',
    dtypes: reals,
    apply: Math.log1p,
    gradient: (b, x, _y, g) => b.divide(g, b.add(x, fullLike(b, 1, x))),
    onnx: log1pOnnx,
    wgsl: { dear: helper('log1p') },
    range: [-0.7, 2],
  },
  {
    name: 'sqrt',
    doc: 'The square root: NaN below 0. The derivative at 0 is infinite.',
    dtypes: reals,
    apply: Math.sqrt,
    gradient: (b, _x, y, g) => b.divide(g, b.add(y, y)),
    onnx: 'Sqrt',
    wgsl: helper('square_root'),
    range: [0.2, 3],
  },
  {
    name: 'rsqrt',
    doc: '1 / sqrt(x): inf at 0, NaN below.',
    dtypes: reals,
    apply: (x) => 1 / Math.sqrt(x),
    gradient: (b, _x, y, g) => b.multiply(scaled(b, -0.5, g), b.multiply(y, b.multiply(y, y))),
    onnx: (onnx, x) => onnx.node('Reciprocal', [onnx.node('Sqrt', [x])]),
    wgsl: helper('inverse_square_root'),
    range: [0.3, 3],
  },
  {
    name: 'sine',
    doc: 'sin x, in radians',
    dtypes: reals,
    apply: Math.sin,
    gradient: (b, x, _y, g) => b.multiply(g, b.unary('cosine', x)),
    onnx: 'Sin',
    wgsl: { dear: helper('sine') },
  },
  {
    name: 'cosine',
    doc: 'cos x, in radians',
    dtypes: reals,
    apply: Math.cos,
    gradient: (b, x, _y, g) => b.negate(b.multiply(g, b.unary('sine', x))),
    onnx: 'Cos',
    wgsl: { dear: helper('cosine') },
  },
  {
    name: 'tanh',
    doc: 'The hyperbolic tangent; 1 and -1 at the infinities.',
    dtypes: reals,
    apply: Math.tanh,
    gradient: (b, _x, y, g) => b.multiply(g, complement(b, b.multiply(y, y))),
    onnx: 'Tanh',
    wgsl: { dear: helper('hyperbolic_tangent') },
  },
  {
    name: 'logistic',
    doc: 'The sigmoid, 1 / (1 + e^-x)',
    dtypes: reals,
    apply: (x) => 1 / (1 + Math.exp(-x)),
    gradient: (b, _x, y, g) => b.multiply(g, b.multiply(y, complement(b, y))),
    onnx: 'Sigmoid',
    wgsl: { dear: helper('logistic') },
  },
  {
    name: 'erf',
    doc: 'The error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x',
    dtypes: reals,
    apply: erf,
    gradient: (b, x, _y, g) =>
      b.multiply(scaled(b, 2 / Math.sqrt(Math.PI), g), b.exp(b.negate(b.multiply(x, x)))),
    onnx: 'Erf',
    wgsl: { dear: helper('erf') },
  },
  {
    name: 'floor',
    doc: 'The largest integer that is not above x, as a real',
    dtypes: reals,
    apply: Math.floor,
    gradient: flat,
    onnx: 'Floor',
    wgsl: 'floor',
  },
  {
    name: 'ceil',
    doc: 'The smallest integer that is not below x, as a real',
    dtypes: reals,
    apply: Math.ceil,
    gradient: flat,
    onnx: 'Ceil',
    wgsl: 'ceil',
  },
  {
    name: 'round_even',
    doc: 'The nearest integer, as a real; halves go to the even one.',
    dtypes: reals,
    apply: roundEven,
    gradient: flat,
    onnx: 'Round',
    wgsl: 'round',
  },
  {
    name: 'not',
    doc: 'Logical not of booleans, bitwise complement of integers',
    dtypes: ['bool', 'i32', 'u32'],
    apply: (x) => ~x,
    gradient: 'it acts on booleans and bits, which have no derivative',
    onnx: (onnx, x, dtype) => onnx.node(dtype === 'bool' ? 'Not' : 'BitwiseNot', [x]),
    wgsl: (x, dtype) => `${dtype === 'bool' ? '!' : '~'}${bracketed(x)}`,
  },
];

const casesOf = (
  dtypes: readonly DType[],
  range?: readonly [number, number],
): Case<NoAttributes>[] => {
  const shapes = dtypes[0] === 'f32' ? [[], [1], [3, 1, 5]] : [[3, 1, 5]];
  const first = shapes.map((shape) => ({
    name: `${dtypes[0]}[${shape.join(',')}]`,
    attributes: {},
    inputs: [{ dtype: dtypes[0], shape }],
    ...(range === undefined ? {} : { range }),
  }));
  const others = dtypes
    .slice(1)
    .map((dtype) => ({ name: `${dtype}[7]`, attributes: {}, inputs: [{ dtype, shape: [7] }] }));
  return [...first, ...others];
};

/** `into[i] = apply(from[i])`; storing rounds reals and wraps integers. */
function map(from: TensorData, into: TensorData, apply: (x: number) => number): TensorData {
  for (let i = 0; i < from.length; i++) into[i] = apply(from[i]);
  return into;
}

const elementwiseWgsl = (wgsl: Unary['wgsl']): Mapping<NoAttributes> => {
  const isDear = typeof wgsl === 'object';
  const write = isDear ? wgsl.dear : wgsl;
  return elementwise(isDear ? 'dear' : 'cheap', ([x], { inputs, code }) =>
    typeof write === 'string' ? `${write}(${x})` : write(x, inputs[0].dtype, code),
  );
};

const unary = (rule: Unary): Op =>
  defineOp<NoAttributes>({
    name: rule.name,
    doc: rule.doc,
    operands: ['x'],
    elementwise: 'aligned',
    type: (inputs) =>
      shapesDiffer(inputs, 1) ?? dtypesDiffer(inputs, rule.dtypes) ?? [inputs[0]].map(typeOf),
    gradient:
      typeof rule.gradient === 'string'
        ? notDifferentiable(rule.gradient)
        : {
            kind: 'rule',
            rule: ({ builder, inputs, outputs, cotangents }) => [
              cotangents[0] === null || typeof rule.gradient === 'string'
                ? null
                : rule.gradient(builder, inputs[0], outputs[0], cotangents[0]),
            ],
          },
    evaluate: ({ inputs: [x], allocate }) => {
      const apply = x.dtype === 'bool' ? (b: number): number => 1 - b : rule.apply;
      return [{ ...x, data: map(x.data, allocate(x.dtype, x.data.length), apply) }];
    },
    onnx: ({ onnx, names: [x], inputs }) => [
      typeof rule.onnx === 'string'
        ? onnx.node(rule.onnx, [x])
        : rule.onnx(onnx, x, inputs[0].dtype),
    ],
    wgsl: elementwiseWgsl(rule.wgsl),
    cases: casesOf(rule.dtypes, rule.range),
  });

const typeOf = ({ dtype, shape }: TensorType): TensorType => ({ dtype, shape });

const convert = defineOp<{ readonly dtype: DType }>({
  name: 'convert',
  doc: 'The same numbers in another element type. Reals lose their fraction (towards 0), booleans are 0 and 1, what is not 0 is true, i32 and u32 wrap. A real outside the range of the integer type, or NaN, gives an unspecified integer.',
  operands: ['x'],
  elementwise: 'aligned',
  type: (inputs, { dtype }) => shapesDiffer(inputs, 1) ?? [{ dtype, shape: inputs[0].shape }],
  gradient: {
    kind: 'rule',
    rule: ({ inputs: [x], attributes, cotangents: [g] }) => [
      x.dtype === 'f32' && attributes.dtype === 'f32' ? g : null,
    ],
  },
  evaluate: ({ inputs: [x], attributes: { dtype }, allocate }) => {
    const apply =
      dtype === 'bool'
        ? (v: number): number => (v === 0 ? 0 : 1)
        : dtype === 'f32'
          ? (v: number): number => v
          : Math.trunc;
    return [{ dtype, shape: x.shape, data: map(x.data, allocate(dtype, x.data.length), apply) }];
  },
  onnx: ({ onnx, names: [x], attributes: { dtype } }) => [cast(onnx, x, dtype)],
  wgsl: elementwise('cheap', ([x], { inputs: [{ dtype: from }], attributes: { dtype } }) =>
    // NaN is not 0, whatever a comparison may say.
    dtype === 'bool' && from === 'f32' ? `!(${x} == 0.0)` : `${dtype}(${x})`,
  ),
  cases: (['f32', 'i32', 'u32', 'bool'] as const).flatMap((from) =>
    (['f32', 'i32', 'u32', 'bool'] as const).map((dtype) => ({
      name: `${from} to ${dtype}`,
      attributes: { dtype },
      inputs: [{ dtype: from, shape: [3, 1, 2] }],
      range: dtype === 'u32' ? ([0, 5] as const) : ([-5, 5] as const),
    })),
  ),
});

const stopGradient = defineOp<NoAttributes>({
  name: 'stop_gradient',
  doc: 'x itself, held constant by differentiation',
  operands: ['x'],
  type: (inputs) => shapesDiffer(inputs, 1) ?? [typeOf(inputs[0])],
  gradient: notDifferentiable('to hold a value constant is what it is for'),
  evaluate: ({ inputs: [x] }) => [x],
  onnx: ({ onnx, names: [x] }) => [onnx.node('Identity', [x])],
  wgsl: view((index) => index),
  cases: [
    { name: 'f32[2,3]', attributes: {}, inputs: [{ dtype: 'f32', shape: [2, 3] }] },
    { name: 'bool[5]', attributes: {}, inputs: [{ dtype: 'bool', shape: [5] }] },
  ],
});

export const unaryOps: readonly Op[] = [...table.map(unary), convert, stopGradient];

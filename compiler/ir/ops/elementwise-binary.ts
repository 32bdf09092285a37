// Operations of two operands that act on every pair of elements alone: arithmetic, extremes, and the bitwise and logical ones.
// Both operands have one shape: broadcasting is an operation of its own. Names and semantics follow StableHLO.

import type { OnnxBuilder } from '../../emit/onnx/builder-types.ts';
import { int, text } from '../../emit/onnx/shapes.ts';
import { bracketed } from '../../emit/wgsl/expressions.ts';
import { elementwise, type Code } from '../../emit/wgsl/lowering.ts';
import type { BinaryName, Builder } from '../builder-types.ts';
import type { Value } from '../graph.ts';
import { defineOp, notDifferentiable } from '../op.ts';
import type { Case, Op } from '../op.ts';
import type { DType, TensorData } from '../tensor.ts';
import { dtypesDiffer, fullLike, numbers, shapesDiffer } from './type-rules.ts';

type NoAttributes = Record<string, never>;

interface Operands {
  readonly b: Builder;
  readonly lhs: Value;
  readonly rhs: Value;
  readonly y: Value;
  readonly g: Value;
}

type Pair = (a: number, b: number) => number;

interface Binary {
  readonly name: BinaryName;
  readonly doc: string;
  readonly dtypes: readonly DType[];
  readonly apply: Pair;
  /** For dtypes whose arithmetic is not the real one rounded. */
  readonly applyTo?: Partial<Readonly<Record<DType, Pair>>>;
  /** The cotangents of lhs and rhs, made only when wanted; or why there are none. */
  readonly gradient: readonly [(o: Operands) => Value, (o: Operands) => Value] | string;
  readonly onnx: string | ((onnx: OnnxBuilder, names: readonly string[], dtype: DType) => string);
  /** A WGSL operator between the operands, or what to write. */
  readonly wgsl: string | ((a: string, b: string, dtype: DType, code: Code) => string);
  /** Whether that takes many instructions. */
  readonly dear?: boolean;
  readonly range?: readonly [number, number];
  /** Integer operands of the tests are below it. Default 100000, whose products overflow. */
  readonly bound?: number;
}

const reals: readonly DType[] = ['f32'];
const bits: readonly DType[] = ['bool', 'i32', 'u32'];

const bitwise = 'it acts on booleans and bits, which have no derivative';

/** 32-bit products exceed 2^53: multiply in 32 bits. */
const integerProduct: Binary['applyTo'] = { i32: Math.imul, u32: Math.imul };

const zeros = (b: Builder, like: Value): Value => fullLike(b, 0, like);

/** g where `winner` is beyond `loser` in the direction, half of it where they tie, else 0. */
const winnersShare = (
  { b, g }: Operands,
  direction: 'gt' | 'lt',
  winner: Value,
  loser: Value,
): Value => {
  const tied = b.select(
    b.compare('eq', winner, loser),
    b.multiply(fullLike(b, 0.5, g), g),
    zeros(b, g),
  );
  return b.select(b.compare(direction, winner, loser), g, tied);
};

/** b a^(b-1) g; 0 where b = 0, whatever a is. The inner select keeps 0^-1 = inf out of higher derivatives. */
function powerBase({ b, lhs, rhs, g }: Operands): Value {
  const isZero = b.compare('eq', rhs, zeros(b, rhs));
  const one = fullLike(b, 1, rhs);
  const exponent = b.select(isZero, one, b.subtract(rhs, one));
  const slope = b.multiply(rhs, b.binary('power', lhs, exponent));
  return b.multiply(g, b.select(isZero, zeros(b, g), slope));
}

/** a^b log(a) g where a > 0, else 0: for a < 0 no derivative in b exists, and at 0 it is 0 for b > 0. */
function powerExponent({ b, lhs, y, g }: Operands): Value {
  const positive = b.compare('gt', lhs, zeros(b, lhs));
  const safe = b.select(positive, lhs, fullLike(b, 1, lhs));
  return b.multiply(g, b.select(positive, b.multiply(y, b.log(safe)), zeros(b, g)));
}

/** The quotient without its fraction. */
function truncatedQuotient({ b, lhs, rhs }: Operands): Value {
  const quotient = b.divide(lhs, rhs);
  return b.multiply(b.unary('sign', quotient), b.unary('floor', b.unary('abs', quotient)));
}

/** g / (a^2 + b^2). */
const overSquares = ({ b, lhs, rhs, g }: Operands): Value =>
  b.divide(g, b.add(b.multiply(lhs, lhs), b.multiply(rhs, rhs)));

/** ONNX has no two-operand arctangent: artan(a / b), moved by pi left of the axis, and pi/2 by the sign of a on it. */
function atan2Onnx(onnx: OnnxBuilder, [a, b]: readonly string[]): string {
  const zero = onnx.scalar(0);
  const isNegative = onnx.node('Less', [b, zero]);
  const turn = onnx.node('Where', [
    onnx.node('Less', [a, zero]),
    onnx.scalar(-Math.PI),
    onnx.scalar(Math.PI),
  ]);
  const principal = onnx.node('Atan', [onnx.node('Div', [a, b])]);
  const turned = onnx.node('Where', [isNegative, onnx.node('Add', [principal, turn]), principal]);
  const upright = onnx.node('Mul', [onnx.node('Sign', [a]), onnx.scalar(Math.PI / 2)]);
  return onnx.node('Where', [onnx.node('Equal', [b, zero]), upright, turned]);
}

const logicOrBits =
  (logic: string): Binary['onnx'] =>
  (onnx, names, dtype) =>
    onnx.node(dtype === 'bool' ? logic : `Bitwise${logic}`, names);

const shift =
  (direction: 'LEFT' | 'RIGHT'): Binary['onnx'] =>
  (onnx, names) =>
    onnx.node('BitShift', names, { direction: text(direction) });

/** WGSL's own max and min may lose a NaN. */
const extreme =
  (integer: string, real: string) =>
  (a: string, b: string, dtype: DType, code: Code): string =>
    dtype === 'f32' ? code.call(real, a, b) : `${integer}(${a}, ${b})`;

const table: readonly Binary[] = [
  {
    name: 'add',
    doc: 'a + b; integers wrap',
    dtypes: numbers,
    apply: (a, b) => a + b,
    gradient: [({ g }) => g, ({ g }) => g],
    onnx: 'Add',
    wgsl: '+',
  },
  {
    name: 'subtract',
    doc: 'a - b; integers wrap',
    dtypes: numbers,
    apply: (a, b) => a - b,
    gradient: [({ g }) => g, ({ b, g }) => b.negate(g)],
    onnx: 'Sub',
    wgsl: '-',
  },
  {
    name: 'multiply',
    doc: 'a b; integers wrap',
    dtypes: numbers,
    apply: (a, b) => a * b,
    applyTo: integerProduct,
    gradient: [({ b, rhs, g }) => b.multiply(g, rhs), ({ b, lhs, g }) => b.multiply(g, lhs)],
    onnx: 'Mul',
    wgsl: '*',
  },
  {
    name: 'divide',
    doc: 'a / b; integers lose the fraction (towards 0), and must not divide by 0',
    dtypes: numbers,
    apply: (a, b) => a / b,
    applyTo: { i32: (a, b) => Math.trunc(a / b), u32: (a, b) => Math.trunc(a / b) },
    gradient: [
      ({ b, rhs, g }) => b.divide(g, rhs),
      ({ b, rhs, y, g }) => b.negate(b.divide(b.multiply(g, y), rhs)),
    ],
    onnx: 'Div',
    wgsl: '/',
    range: [0.4, 2],
  },
  {
    name: 'power',
    doc: 'a^b, as IEEE 754 pow, but that 1^NaN and (-1)^inf are NaN in the interpreter. The derivative in a is 0 where b = 0; that in b is 0 where a <= 0.',
    dtypes: reals,
    apply: (a, b) => a ** b,
    gradient: [powerBase, powerExponent],
    onnx: 'Pow',
    wgsl: (a, b, _dtype, code) => code.call('power', a, b),
    dear: true,
    range: [0.4, 2],
  },
  {
    name: 'maximum',
    doc: 'The larger; NaN if either is. Where both are equal each takes half of the cotangent.',
    dtypes: numbers,
    apply: Math.max,
    gradient: [
      (o) => winnersShare(o, 'gt', o.lhs, o.rhs),
      (o) => winnersShare(o, 'gt', o.rhs, o.lhs),
    ],
    onnx: 'Max',
    wgsl: extreme('max', 'maximum'),
  },
  {
    name: 'minimum',
    doc: 'The smaller; NaN if either is. Where both are equal each takes half of the cotangent.',
    dtypes: numbers,
    apply: Math.min,
    gradient: [
      (o) => winnersShare(o, 'lt', o.lhs, o.rhs),
      (o) => winnersShare(o, 'lt', o.rhs, o.lhs),
    ],
    onnx: 'Min',
    wgsl: extreme('min', 'minimum'),
  },
  {
    name: 'remainder',
    doc: 'a - b trunc(a / b): the sign of the numerator, as C fmod. Integers must not divide by 0; reals give NaN.',
    dtypes: numbers,
    apply: (a, b) => a % b,
    gradient: [({ g }) => g, (o) => o.b.negate(o.b.multiply(o.g, truncatedQuotient(o)))],
    onnx: (onnx, names) => onnx.node('Mod', names, { fmod: int(1) }),
    wgsl: (a, b, dtype, code) =>
      dtype === 'f32' ? code.call('remainder', a, b) : `${bracketed(a)} % ${bracketed(b)}`,
    range: [0.4, 2],
  },
  {
    name: 'atan2',
    doc: 'The angle of the point (b, a), from -pi to pi; 0 at the origin. Zeros have no sign in ONNX: atan2(-0, -1) is pi there and -pi in the interpreter. Two infinities give NaN in ONNX.',
    dtypes: reals,
    apply: Math.atan2,
    gradient: [
      (o) => o.b.multiply(overSquares(o), o.rhs),
      (o) => o.b.negate(o.b.multiply(overSquares(o), o.lhs)),
    ],
    onnx: atan2Onnx,
    wgsl: (a, b, _dtype, code) => code.call('angle', a, b),
    dear: true,
  },
  {
    name: 'and',
    doc: 'Logical and of booleans, bitwise and of integers',
    dtypes: bits,
    apply: (a, b) => a & b,
    gradient: bitwise,
    onnx: logicOrBits('And'),
    wgsl: '&',
  },
  {
    name: 'or',
    doc: 'Logical or of booleans, bitwise or of integers',
    dtypes: bits,
    apply: (a, b) => a | b,
    gradient: bitwise,
    onnx: logicOrBits('Or'),
    wgsl: '|',
  },
  {
    name: 'xor',
    doc: 'Exclusive or of booleans, bitwise of integers',
    dtypes: bits,
    apply: (a, b) => a ^ b,
    gradient: bitwise,
    onnx: logicOrBits('Xor'),
    wgsl: (a, b, dtype) => `${bracketed(a)} ${dtype === 'bool' ? '!=' : '^'} ${bracketed(b)}`,
  },
  {
    name: 'shift_left',
    doc: 'a 2^b modulo 2^32. b must be below 32 (processors differ beyond).',
    dtypes: ['u32'],
    apply: (a, b) => a << b,
    gradient: bitwise,
    onnx: shift('LEFT'),
    wgsl: '<<',
    bound: 32,
  },
  {
    name: 'shift_right_logical',
    doc: 'floor(a / 2^b). b must be below 32 (processors differ beyond).',
    dtypes: ['u32'],
    apply: (a, b) => a >>> b,
    gradient: bitwise,
    onnx: shift('RIGHT'),
    wgsl: '>>',
    bound: 32,
  },
];

function casesOf(rule: Binary): Case<NoAttributes>[] {
  return rule.dtypes.flatMap((dtype) =>
    (dtype === 'f32' ? [[], [1], [3, 1, 5]] : [[3, 1, 5]]).map((shape) => ({
      name: `${dtype}[${shape.join(',')}]`,
      attributes: {},
      inputs: [
        { dtype, shape },
        { dtype, shape },
      ],
      bound: rule.bound ?? 100000,
      ...(rule.range === undefined ? {} : { range: rule.range }),
    })),
  );
}

function zip(a: TensorData, b: TensorData, into: TensorData, apply: Pair): TensorData {
  for (let i = 0; i < a.length; i++) into[i] = apply(a[i], b[i]);
  return into;
}

const binary = (rule: Binary): Op =>
  defineOp<NoAttributes>({
    name: rule.name,
    doc: rule.doc,
    operands: ['a', 'b'],
    elementwise: 'stretching',
    type: (inputs) =>
      shapesDiffer(inputs, 2) ??
      dtypesDiffer(inputs, rule.dtypes) ?? [{ dtype: inputs[0].dtype, shape: inputs[0].shape }],
    gradient:
      typeof rule.gradient === 'string'
        ? notDifferentiable(rule.gradient)
        : {
            kind: 'rule',
            rule: ({ builder, inputs: [lhs, rhs], outputs: [y], cotangents: [g], wanted }) => {
              const { gradient } = rule;
              if (g === null || typeof gradient === 'string') return [null, null];
              const operands: Operands = { b: builder, lhs, rhs, y, g };
              return gradient.map((rule, i) => (wanted[i] ? rule(operands) : null));
            },
          },
    evaluate: ({ inputs: [a, b], allocate }) => {
      const apply = rule.applyTo?.[a.dtype] ?? rule.apply;
      return [
        {
          dtype: a.dtype,
          shape: a.shape,
          data: zip(a.data, b.data, allocate(a.dtype, a.data.length), apply),
        },
      ];
    },
    onnx: ({ onnx, names, inputs }) => [
      typeof rule.onnx === 'string'
        ? onnx.node(rule.onnx, names)
        : rule.onnx(onnx, names, inputs[0].dtype),
    ],
    wgsl: elementwise(rule.dear === true ? 'dear' : 'cheap', ([a, b], { inputs, code }) =>
      typeof rule.wgsl === 'string'
        ? `${bracketed(a)} ${rule.wgsl} ${bracketed(b)}`
        : rule.wgsl(a, b, inputs[0].dtype, code),
    ),
    cases: casesOf(rule),
  });

export const binaryOps: readonly Op[] = table.map(binary);

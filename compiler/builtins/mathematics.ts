// Elementwise mathematics: functions of one real with a signature, and the few with rules of their own. Everything that is
// a composition of these (relu, gelu, softplus) is the standard library's.

import { add as addDims, constant } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import type { Builder, UnaryName } from '../ir/builder-types.ts';
import type { Value } from '../ir/graph.ts';
import { broadcastAll } from './broadcast.ts';
import type { Builtin, BuiltinCall, BuiltinResult } from './builtin.ts';
import type { BuiltinElaboration, Elaborated } from './elaboration.ts';
import { asTensor, dtypeOf, elementwise, numberOf, tensorOf } from './labelled.ts';
import { applyNumeric, numericRule, unifyNumbers } from './operators.ts';
import {
  fin,
  int,
  isTensor,
  real,
  refuse,
  sizeOfArgument,
  tensorArguments,
  tensorType,
} from './type-tools.ts';

/** A function of one real, element by element; numbers fold in float64. */
const unary = (
  name: string,
  op: UnaryName | ((builder: Builder, x: Value) => Value),
  fold: (x: number) => number,
  doc: string,
): Builtin => ({
  name,
  doc,
  signature: `fn ${name}(x: [..S]) -> [..S]`,
  rule: null,
  elaborate: ({ builder, arguments: [x] }) => {
    if (x.kind === 'number') return numberOf(fold(x.value));
    return elementwise(builder, [asTensor(builder, x, 'f32')], (value) =>
      typeof op === 'string' ? builder.unary(op, value) : op(builder, value),
    );
  },
});

/** To the nearest whole number, halves to the even one. */
function roundEven(x: number): number {
  const nearest = Math.round(x);
  return Math.abs(x - Math.trunc(x)) === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}

/**
 * The error function in float64, for folding numbers: the Maclaurin series below 3, where it loses at most 4 digits to
 * cancellation, and 1 - erfc by its continued fraction above.
 */
function erf(x: number): number {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  if (a < 3) {
    let [term, sum] = [x, x];
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction));
}

/** Functions that keep the base: an int gives an int. */
const keepsInt = (
  name: string,
  op: UnaryName,
  fold: (x: number) => number,
  doc: string,
): Builtin => {
  const signature = `${name}(x)`;
  return {
    name,
    doc,
    signature,
    rule: numericRule(signature, 1),
    elaborate: (call) =>
      applyNumeric(call, {
        numbers: fold,
        dims: null,
        values: (builder, x) => builder.unary(op, x),
      }),
  };
};

const atan2: Builtin = {
  name: 'atan2',
  doc: 'The angle of the point (x, y), in (-pi, pi].',
  signature: 'atan2(y, x)',
  rule: numericRule('atan2(y, x)', 2, () => real),
  elaborate: (call) =>
    applyNumeric(call, {
      numbers: Math.atan2,
      dims: null,
      values: (builder, y, x) => builder.binary('atan2', y, x),
    }),
};

/** `clamp` of an int between known bounds that are not negative is a `fin`: it may index. */
function clampRule(call: BuiltinCall): BuiltinResult | null {
  const signature = 'clamp(x, low, high)';
  const result = numericRule(signature, 3)(call);
  if (result?.type.kind !== 'tensor' || result.type.base.kind !== 'int') return result;
  const [, low, high] = call.arguments.map(sizeOfArgument);
  const inRange = low !== null && high !== null && call.atMost(constant(0), low).kind === 'proved';
  if (!inRange || high === null || call.atMost(low, high).kind !== 'proved') return result;
  return { ...result, type: tensorType(fin(addOne(high)), result.type.shape) };
}

const addOne = (d: Dim): Dim => addDims(d, constant(1));

const clamp: Builtin = {
  name: 'clamp',
  doc: 'x cut to the range from `low` to `high`. An int between sizes becomes a `fin(high + 1)`.',
  signature: 'clamp(x, low, high)',
  rule: clampRule,
  elaborate: (call) =>
    applyNumeric(call, {
      numbers: (x, low, high) => Math.min(Math.max(x, low), high),
      dims: null,
      values: (builder, x, low, high) =>
        builder.binary('minimum', builder.binary('maximum', x, low), high),
    }),
};

const ind: Builtin = {
  name: 'ind',
  doc: 'The indicator: 1 where true, 0 where false.',
  signature: 'fn ind(c: bool[..S]) -> [..S]',
  rule: null,
  elaborate: ({ builder, arguments: [c] }) =>
    c.kind === 'boolean' ? numberOf(c.value ? 1 : 0) : asTensor(builder, c, 'f32'),
};

/** Conversions to real, which the checker inserts anyway; for those who like to see them. */
const toReal = (name: string): Builtin => ({
  name,
  doc: 'The same number as a real.',
  signature: `${name}(x)`,
  rule: numericRule(`${name}(x)`, 1, () => real),
  elaborate: ({ builder, arguments: [x] }) =>
    x.kind === 'number' ? numberOf(x.value) : asTensor(builder, x, 'f32'),
});

const toInt: Builtin = {
  name: 'int',
  doc: 'The whole part of a real, cut towards 0.',
  signature: 'int(x)',
  rule: (call) => {
    const given = tensorArguments(call, 'int(x)', 1);
    if (given.kind === 'refused') return given.result;
    return { type: tensorType(int, given.tensors[0].type.shape) };
  },
  elaborate: ({ builder, arguments: [x] }) =>
    x.kind === 'number' ? numberOf(Math.trunc(x.value), true) : asTensor(builder, x, 'i32'),
};

const stop: Builtin = {
  name: 'stop',
  doc: 'The value, taken as constant by every derivative.',
  signature: 'stop(x)',
  rule: (call) => {
    const given = tensorArguments(call, 'stop(x)', 1);
    return given.kind === 'refused' ? given.result : { type: given.tensors[0].type };
  },
  elaborate: ({ builder, arguments: [x] }) =>
    x.kind === 'tensor' ? tensorOf(builder.stopGradient(x.value), x.labels) : x,
};

/** `max` and `min` of two operands; of one, the builtins in reductions.ts. */
export const extremum = (
  name: 'max' | 'min',
): { readonly rule: NonNullable<Builtin['rule']>; readonly elaborate: Builtin['elaborate'] } => ({
  rule: (call) => {
    const signature = `${name}(a, b)`;
    const given = tensorArguments(call, signature, 2);
    if (given.kind === 'refused') return given.result;
    if (given.tensors.some((t) => t.type.base.kind === 'bool'))
      return refuse(call, signature, 'it compares numbers');
    const shape = broadcastAll(
      call,
      given.tensors.filter(isTensor).map((t) => t.type.shape),
    );
    if (shape === null) return null;
    const { base, operands } = unifyNumbers(call, given.tensors);
    return { type: tensorType(base, shape), arguments: operands };
  },
  elaborate: (call: BuiltinElaboration): Elaborated => {
    const integer = call.arguments.every((a) => dtypeOf(a) === 'i32');
    const op = name === 'max' ? 'maximum' : 'minimum';
    return applyNumeric(integer ? call : { ...call, type: tensorType(real, []) }, {
      numbers: name === 'max' ? Math.max : Math.min,
      dims: null,
      values: (builder, a, b) => builder.binary(op, a, b),
    });
  },
});

export const mathematicsBuiltins: readonly Builtin[] = [
  unary('exp', 'exponential', Math.exp, 'e to the power x.'),
  unary('expm1', 'expm1', Math.expm1, '`exp(x) - 1`, accurate near 0.'),
  unary('log', 'log', Math.log, 'The natural logarithm; minus infinity at 0, not a number below.'),
  unary('log1p', 'log1p', Math.log1p, '`log(1 + x)`, accurate near 0.'),
  unary('sqrt', 'sqrt', Math.sqrt, 'The square root; its derivative at 0 is infinite.'),
  unary('rsqrt', 'rsqrt', (x) => 1 / Math.sqrt(x), '`1 / sqrt(x)`.'),
  unary('sin', 'sine', Math.sin, 'The sine of an angle in radians.'),
  unary('cos', 'cosine', Math.cos, 'The cosine of an angle in radians.'),
  unary(
    'tan',
    (builder, x) => builder.divide(builder.unary('sine', x), builder.unary('cosine', x)),
    Math.tan,
    'The tangent of an angle in radians.',
  ),
  unary('tanh', 'tanh', Math.tanh, 'The hyperbolic tangent.'),
  unary('sigmoid', 'logistic', (x) => 1 / (1 + Math.exp(-x)), '`1 / (1 + exp(-x))`.'),
  unary(
    'erf',
    'erf',
    erf,
    'The error function `2 / sqrt(pi)` times the integral of `exp(-t^2)` from 0 to x.',
  ),
  unary('floor', 'floor', Math.floor, 'The largest whole number at most x; its derivative is 0.'),
  unary('ceil', 'ceil', Math.ceil, 'The smallest whole number at least x; its derivative is 0.'),
  unary('round', 'round_even', roundEven, 'The nearest whole number, halves to the even one.'),
  keepsInt('abs', 'abs', Math.abs, 'The absolute value; its derivative at 0 is 0.'),
  keepsInt('sign', 'sign', Math.sign, '-1, 0 or 1.'),
  atan2,
  clamp,
  ind,
  toReal('real'),
  toReal('float'),
  toInt,
  stop,
];

// The operators of the language: arithmetic, comparisons, logic and the matrix product. Numbers known at elaboration fold in
// float64; whole numbers stay exact; sizes stay dimensions as long as the result is one.

import type { Base } from '../check/types.ts';
import {
  add as addDims,
  constant,
  floorDivide,
  isConstant,
  isDefined,
  multiply as multiplyDims,
  remainder as dimRemainder,
  subtract as subtractDims,
} from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import type { Builder, Comparison } from '../ir/builder-types.ts';
import type { Value } from '../ir/graph.ts';
import type { DType } from '../ir/tensor.ts';
import type { Builtin, BuiltinCall, BuiltinResult } from './builtin.ts';
import { broadcastAll } from './broadcast.ts';
import type { BuiltinElaboration, Elaborated } from './elaboration.ts';
import { asTensor, dtypeOf, elementwise, numberOf, sizeValue } from './labelled.ts';
import { matmul } from './matmul.ts';
import {
  bool,
  int,
  isNumeric,
  real,
  refuse,
  tensorArguments,
  tensorType,
  toInt,
  type TensorExpression,
} from './type-tools.ts';

/** Operands brought to one base: real if any is, else int. */
export function unifyNumbers(
  call: BuiltinCall,
  tensors: readonly TensorExpression[],
): { readonly base: Base; readonly operands: readonly TensorExpression[] } {
  if (!tensors.some((t) => t.type.base.kind === 'real'))
    return { base: int, operands: tensors.map(toInt) };
  const operands = tensors.map((t) => call.toReal(t) as TensorExpression);
  return { base: real, operands };
}

/** The rule of an elementwise operation on numbers; `result` says what base comes out. */
export function numericRule(
  signature: string,
  count: number,
  result: (base: Base, tensors: readonly TensorExpression[]) => Base = (base) => base,
): (call: BuiltinCall) => BuiltinResult | null {
  return (call) => {
    const given = tensorArguments(call, signature, count);
    if (given.kind === 'refused') return given.result;
    const wrong = given.tensors.find((t) => !isNumeric(t.type));
    if (wrong !== undefined)
      return refuse(call, signature, `this is ${call.showType(wrong.type)}, not a number`, wrong);
    const shape = broadcastAll(
      call,
      given.tensors.map((t) => t.type.shape),
    );
    if (shape === null) return null;
    const { base, operands } = unifyNumbers(call, given.tensors);
    const out = result(base, given.tensors);
    const converted = out.kind === 'real' ? operands.map((t) => call.toReal(t)) : operands;
    return { type: tensorType(out, shape), arguments: converted };
  };
}

const logicRule =
  (signature: string, count: number): ((call: BuiltinCall) => BuiltinResult | null) =>
  (call) => {
    const given = tensorArguments(call, signature, count);
    if (given.kind === 'refused') return given.result;
    const wrong = given.tensors.find((t) => t.type.base.kind !== 'bool');
    if (wrong !== undefined)
      return refuse(call, signature, `this is ${call.showType(wrong.type)}, not a bool`, wrong);
    const shape = broadcastAll(
      call,
      given.tensors.map((t) => t.type.shape),
    );
    return shape === null ? null : { type: tensorType(bool, shape) };
  };

/** `==` takes bools too. */
const comparisonRule =
  (signature: string, ordered: boolean): ((call: BuiltinCall) => BuiltinResult | null) =>
  (call) => {
    const bools = call.arguments.every(
      (a) => a.type.kind === 'tensor' && a.type.base.kind === 'bool',
    );
    if (bools && !ordered) return logicRule(signature, 2)(call);
    const result = numericRule(signature, 2)(call);
    if (result === null || result.type.kind !== 'tensor') return result;
    return { ...result, type: tensorType(bool, result.type.shape) };
  };

// ---- elaboration --------------------------------------------------------------------------------------------------

/** How an operation on numbers is done at each level; each level may decline with null. */
export interface NumericOperation {
  readonly numbers: (...values: number[]) => number;
  /** On sizes, where the result is a size. */
  readonly dims: ((...dims: Dim[]) => Dim | null) | null;
  readonly values: (builder: Builder, ...values: Value[]) => Value;
}

const dimOfValue = (value: Elaborated): Dim | null => {
  if (value.kind === 'dim') return value.dim;
  return value.kind === 'number' && value.integer && Number.isSafeInteger(value.value)
    ? constant(value.value)
    : null;
};

/** Applies an operation at the lowest level that can: numbers, sizes, tensors. */
export function applyNumeric(
  { builder, arguments: values, type }: BuiltinElaboration,
  operation: NumericOperation,
): Elaborated {
  const integer = type.kind === 'tensor' && type.base.kind !== 'real';
  const numbers = values.filter((v) => v.kind === 'number');
  if (numbers.length === values.length)
    return numberOf(operation.numbers(...numbers.map((n) => n.value)), integer);
  const dims = values.map(dimOfValue).filter((d) => d !== null);
  if (integer && operation.dims !== null && dims.length === values.length) {
    const result = operation.dims(...dims);
    if (result !== null && isDefined(result)) return sizeValue(result);
  }
  const dtype: DType = integer ? 'i32' : 'f32';
  return elementwise(
    builder,
    values.map((v) => asTensor(builder, v, dtype)),
    (...operands) => operation.values(builder, ...operands),
  );
}

const positiveConstant = (d: Dim): boolean => (isConstant(d) ?? 0) > 0;

const operations = {
  add: {
    numbers: (a, b) => a + b,
    dims: addDims,
    values: (builder, a, b) => builder.add(a, b),
  },
  subtract: {
    numbers: (a, b) => a - b,
    dims: subtractDims,
    values: (builder, a, b) => builder.subtract(a, b),
  },
  multiply: {
    numbers: (a, b) => a * b,
    dims: multiplyDims,
    values: (builder, a, b) => builder.multiply(a, b),
  },
  divide: {
    numbers: (a, b) => a / b,
    dims: null,
    values: (builder, a, b) => builder.divide(a, b),
  },
  floor_divide: {
    numbers: (a, b) => Math.floor(a / b),
    dims: (a, b) => (positiveConstant(b) ? floorDivide(a, b) : null),
    values: floorDivideValues,
  },
  remainder: {
    numbers: (a, b) => a - b * Math.floor(a / b),
    dims: (a, b) => (positiveConstant(b) ? dimRemainder(a, b) : null),
    values: (builder, a, b) => {
      // The sign of the divisor, as for sizes; the operation's own is that of the dividend.
      const rest = builder.binary('remainder', a, b);
      const zero = builder.full(0, a.shape, a.dtype);
      const negative = (x: Value): Value => builder.compare('lt', x, zero);
      const opposite = builder.binary('xor', negative(rest), negative(b));
      const wrong = builder.binary('and', builder.compare('ne', rest, zero), opposite);
      return builder.select(wrong, builder.add(rest, b), rest);
    },
  },
  power: {
    numbers: (a, b) => a ** b,
    dims: null,
    values: powerValues,
  },
} as const satisfies Record<string, NumericOperation>;

/** Rounds towards minus infinity, as `//` of sizes does; integer division of the targets truncates. */
function floorDivideValues(builder: Builder, a: Value, b: Value): Value {
  if (a.dtype === 'f32') return builder.unary('floor', builder.divide(a, b));
  const rest = operations.remainder.values(builder, a, b);
  return builder.divide(builder.subtract(a, rest), b);
}

function powerValues(builder: Builder, a: Value, b: Value): Value {
  if (a.dtype === 'f32') return builder.binary('power', a, b);
  const power = builder.binary('power', builder.convert(a, 'f32'), builder.convert(b, 'f32'));
  return builder.convert(power, a.dtype);
}

const numeric = (name: keyof typeof operations, sign: string, doc: string): Builtin => {
  const signature = `a ${sign} b`;
  return {
    name,
    doc,
    signature,
    rule: numericRule(signature, 2, (base, tensors) => resultOf(name, base, tensors)),
    elaborate: (call) =>
      name === 'power' ? elaboratePower(call) : applyNumeric(call, operations[name]),
  };
};

/** `/` is real; so is an integer to a power that may be negative. */
function resultOf(name: string, base: Base, [, exponent]: readonly TensorExpression[]): Base {
  if (name === 'divide') return real;
  if (name !== 'power') return base;
  const whole = exponent.kind === 'number' && exponent.value >= 0;
  return base.kind === 'int' && !whole ? real : base;
}

/** Small whole exponents are products: faster than a power on every target, and exact in their derivatives at 0. */
function elaboratePower(call: BuiltinElaboration): Elaborated {
  const [base, exponent] = call.arguments;
  const n = exponent.kind === 'number' ? exponent.value : null;
  if (base.kind !== 'tensor' || n === null || !Number.isInteger(n) || n < 1 || n > 4)
    return applyNumeric(call, operations.power);
  const { builder } = call;
  return elementwise(builder, [base], (x) => {
    if (n === 1) return x;
    const square = builder.multiply(x, x);
    if (n === 2) return square;
    return builder.multiply(square, n === 3 ? x : square);
  });
}

const negate: Builtin = {
  name: 'negate',
  doc: 'The opposite `-a`.',
  signature: '-a',
  rule: numericRule('-a', 1),
  elaborate: (call) =>
    applyNumeric(call, {
      numbers: (a) => -a,
      dims: (a) => subtractDims(constant(0), a),
      values: (builder, a) => builder.negate(a),
    }),
};

const compare: Readonly<Record<Comparison, (a: number, b: number) => boolean>> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
};

const comparison = (name: string, sign: string, direction: Comparison): Builtin => {
  const signature = `a ${sign} b`;
  return {
    name,
    doc: `Whether \`a ${sign} b\`, element by element.`,
    signature,
    rule: comparisonRule(signature, direction !== 'eq' && direction !== 'ne'),
    elaborate: ({ builder, arguments: [a, b] }) => {
      if (a.kind === 'number' && b.kind === 'number')
        return { kind: 'boolean', value: compare[direction](a.value, b.value) };
      if (a.kind === 'boolean' && b.kind === 'boolean')
        return { kind: 'boolean', value: compare[direction](Number(a.value), Number(b.value)) };
      const dtypes = [dtypeOf(a), dtypeOf(b)];
      const dtype = dtypes.includes('f32') ? 'f32' : dtypes[0];
      const operands = [asTensor(builder, a, dtype), asTensor(builder, b, dtype)];
      return elementwise(builder, operands, (x, y) => builder.compare(direction, x, y));
    },
  };
};

const logic = (name: 'and' | 'or', doc: string): Builtin => ({
  name,
  doc,
  signature: `a ${name} b`,
  rule: logicRule(`a ${name} b`, 2),
  elaborate: ({ builder, arguments: [a, b] }) => {
    for (const [known, other] of [
      [a, b],
      [b, a],
    ])
      if (known.kind === 'boolean') {
        const decides = known.value === (name === 'or');
        // A known operand decides only for all elements at once; a tensor keeps its shape.
        if (!decides) return other;
        if (other.kind === 'boolean') return known;
      }
    const operands = [asTensor(builder, a, 'bool'), asTensor(builder, b, 'bool')];
    return elementwise(builder, operands, (x, y) => builder.binary(name, x, y));
  },
});

const not: Builtin = {
  name: 'not',
  doc: 'True where `a` is false.',
  signature: 'not a',
  rule: logicRule('not a', 1),
  elaborate: ({ builder, arguments: [a] }) =>
    a.kind === 'boolean'
      ? { kind: 'boolean', value: !a.value }
      : elementwise(builder, [asTensor(builder, a, 'bool')], (x) => builder.unary('not', x)),
};

export const operatorBuiltins: readonly Builtin[] = [
  numeric('add', '+', 'The sum. Ints stay ints; a real on either side makes it real.'),
  numeric('subtract', '-', 'The difference.'),
  numeric('multiply', '*', 'The product, element by element.'),
  numeric('divide', '/', 'The quotient, always real.'),
  numeric('floor_divide', '//', 'The quotient rounded towards minus infinity.'),
  numeric('remainder', '%', 'What floor division leaves: `a - b * (a // b)`, of the sign of `b`.'),
  numeric('power', '^', 'Power. A negative base with a fractional exponent is not a number.'),
  negate,
  comparison('equal', '==', 'eq'),
  comparison('not_equal', '!=', 'ne'),
  comparison('less', '<', 'lt'),
  comparison('less_equal', '<=', 'le'),
  comparison('greater', '>', 'gt'),
  comparison('greater_equal', '>=', 'ge'),
  logic('and', 'True where both are.'),
  logic('or', 'True where one is.'),
  not,
  matmul,
];

// Simplifications of arithmetic. They hold for every input, infinities included, but that factors which are combined may round
// (or, at the ends of the range, overflow) otherwise; x * 0 stays, since it is not 0 where x is infinite.

import type { GraphBuilder } from '../ir/builder.ts';
import type { Value } from '../ir/graph.ts';
import { attributesIf } from '../ir/node-attributes.ts';
import { uniform } from '../ir/patterns.ts';
import type { Rule } from './rules.ts';
import { broadcastOf, eitherWay, isReal, operandsIf } from './rules.ts';

const plusZero = eitherWay((b, x, zero) => (uniform(b, zero) === 0 ? x : null));
const plusNegative = eitherWay((b, x, y) =>
  over(operandsIf(b, 'negate', y), ([z]) => b.subtract(x, z)),
);

const minusZero: Rule = ({ builder: b, inputs: [x, zero] }) => (uniform(b, zero) === 0 ? x : null);
const zeroMinus: Rule = ({ builder: b, inputs: [zero, x] }) =>
  isReal(x) && uniform(b, zero) === 0 ? b.negate(x) : null;
const minusNegative: Rule = ({ builder: b, inputs: [x, y] }) =>
  over(operandsIf(b, 'negate', y), ([z]) => b.add(x, z));

const timesOne = eitherWay((b, x, one) => (uniform(b, one) === 1 ? x : null));
const timesMinusOne = eitherWay((b, x, c) =>
  isReal(x) && uniform(b, c) === -1 ? b.negate(x) : null,
);
const integerTimesZero = eitherWay((b, x, zero) =>
  !isReal(x) && uniform(b, zero) === 0 ? zero : null,
);
const timesNegative = eitherWay((b, x, y) =>
  over(operandsIf(b, 'negate', y), ([z]) => {
    const c = uniform(b, x);
    if (c !== null) return b.multiply(b.full(-c, x.shape), z);
    return over(operandsIf(b, 'negate', x), ([w]) => b.multiply(w, z));
  }),
);
const constantTimesConstantTimes = eitherWay((b, x, y) => {
  const [c, inner] = [uniform(b, x), scaled(b, y)];
  return c === null || inner === null || !isReal(x)
    ? null
    : b.multiply(b.full(c * inner.factor, x.shape), inner.x);
});

/**
 * Factors that are one number for the whole tensor meet before the tensor does: s (t x) = (s t) x, also through a quotient,
 * s ((t x) / y) = ((s t) x) / y.
 */
const scalarTimes = eitherWay((b, x, y) => {
  const s = repeated(b, x);
  if (s === null || !isReal(x)) return null;
  const scaling = scalingOf(b, y);
  if (scaling !== null) return scaling.times(s);
  return over(operandsIf(b, 'divide', y), ([p, q]) => {
    const above = scalingOf(b, p);
    return above === null ? null : b.divide(above.times(s), q);
  });
});
const overScalar: Rule = ({ builder: b, inputs: [x, y] }) => {
  const s = repeated(b, y);
  return s === null || !isReal(x) ? null : (scalingOf(b, x)?.over(s) ?? null);
};

/** `y` as t x, x / t or t / x, with t a scalar: what it is times and over another scalar, at the price of y alone. */
function scalingOf(
  b: GraphBuilder,
  y: Value,
): { times: (s: Value) => Value; over: (s: Value) => Value } | null {
  const fill = (s: Value): Value => b.fill(s, y.shape);
  const product = operandsIf(b, 'multiply', y);
  if (product !== null)
    for (const [p, x] of [product, product.toReversed()]) {
      const t = repeated(b, p);
      if (t !== null)
        return {
          times: (s) => b.multiply(fill(b.multiply(s, t)), x),
          over: (s) => b.multiply(fill(b.divide(t, s)), x),
        };
    }
  const [p, q] = operandsIf(b, 'divide', y) ?? [];
  const [above, below] = [p, q].map((value) => (value === undefined ? null : repeated(b, value)));
  if (below !== null)
    return {
      times: (s) => b.multiply(fill(b.divide(s, below)), p),
      over: (s) => b.divide(p, fill(b.multiply(below, s))),
    };
  if (above !== null)
    return {
      times: (s) => b.divide(fill(b.multiply(s, above)), q),
      over: (s) => b.divide(fill(b.divide(above, s)), q),
    };
  return null;
}

/** The scalar that `value` repeats over a shape. */
function repeated(b: GraphBuilder, value: Value): Value | null {
  const broadcast = broadcastOf(b, value);
  return broadcast?.x.shape.length === 0 ? broadcast.x : null;
}

const overOne: Rule = ({ builder: b, inputs: [x, one] }) => (uniform(b, one) === 1 ? x : null);
const overMinusOne: Rule = ({ builder: b, inputs: [x, c] }) =>
  isReal(x) && uniform(b, c) === -1 ? b.negate(x) : null;

const negateNegative: Rule = ({ builder: b, inputs: [x] }) =>
  operandsIf(b, 'negate', x)?.[0] ?? null;
const negateDifference: Rule = ({ builder: b, inputs: [x] }) =>
  over(operandsIf(b, 'subtract', x), ([p, q]) => b.subtract(q, p));
const negateScaled: Rule = ({ builder: b, inputs: [x] }) =>
  over(isReal(x) ? scaled(b, x) : null, (s) => b.multiply(b.full(-s.factor, x.shape), s.x));

/** `factor * x`, the product with a constant. */
function scaled(
  b: GraphBuilder,
  value: Value,
): { readonly factor: number; readonly x: Value } | null {
  const operands = operandsIf(b, 'multiply', value);
  if (operands === null) return null;
  const [p, q] = operands;
  const [left, right] = [uniform(b, p), uniform(b, q)];
  if (left !== null) return { factor: left, x: q };
  return right === null ? null : { factor: right, x: p };
}

const largestPower = 16;

/** Powers by a constant: products, square roots, a reciprocal. (ONNX Runtime's Pow is up to 20 times slower.) */
const constantPower: Rule = ({ builder: b, inputs: [x, exponent] }) => {
  const n = isReal(x) ? uniform(b, exponent) : null;
  if (n === null) return null;
  if (n === 0.5 || n === -0.5) return n > 0 ? b.sqrt(x) : b.unary('rsqrt', x);
  if (!Number.isInteger(n) || Math.abs(n) > largestPower) return null;
  const one = b.full(1, x.shape);
  if (n === 0) return one;
  const positive = product(b, x, Math.abs(n));
  return n > 0 ? positive : b.divide(one, positive);
};

/** `x^n`, n >= 1, by repeated squaring. */
function product(b: GraphBuilder, x: Value, n: number): Value {
  if (n === 1) return x;
  const half = product(b, x, Math.floor(n / 2));
  const even = b.multiply(half, half);
  return n % 2 === 0 ? even : b.multiply(even, x);
}

const constantChoice: Rule = ({ builder: b, inputs: [p, onTrue, onFalse] }) => {
  const known = uniform(b, p);
  return known === null ? null : known !== 0 ? onTrue : onFalse;
};
const sameChoice: Rule = ({ inputs: [, onTrue, onFalse] }) => (onTrue === onFalse ? onTrue : null);
const negatedChoice: Rule = ({ builder: b, inputs: [p, onTrue, onFalse] }) =>
  over(operandsIf(b, 'not', p), ([q]) => b.select(q, onFalse, onTrue));
/** select(p, select(p, a, _), c) = select(p, a, c), and on the other side. */
const repeatedChoice: Rule = ({ builder: b, inputs: [p, onTrue, onFalse] }) => {
  const inTrue = operandsIf(b, 'select', onTrue);
  if (inTrue?.[0] === p) return b.select(p, inTrue[1], onFalse);
  const inFalse = operandsIf(b, 'select', onFalse);
  return inFalse?.[0] === p ? b.select(p, onTrue, inFalse[2]) : null;
};

const sameDtype: Rule = ({ inputs: [x], attributes }) =>
  attributesIf('convert', { op: 'convert', attributes })?.dtype === x.dtype ? x : null;

const notNot: Rule = ({ builder: b, inputs: [x] }) => operandsIf(b, 'not', x)?.[0] ?? null;

/** Rules by the operation they simplify, tried in order. */
export const arithmeticRules: Readonly<Record<string, readonly Rule[]>> = {
  add: [plusZero, plusNegative],
  subtract: [minusZero, zeroMinus, minusNegative],
  multiply: [
    timesOne,
    timesMinusOne,
    integerTimesZero,
    timesNegative,
    constantTimesConstantTimes,
    scalarTimes,
  ],
  divide: [overOne, overMinusOne, overScalar],
  negate: [negateNegative, negateDifference, negateScaled],
  power: [constantPower],
  select: [constantChoice, sameChoice, negatedChoice, repeatedChoice],
  convert: [sameDtype],
  not: [notNot],
};

/** `then` of what is not null. */
function over<T>(found: T | null, then: (found: T) => Value | null): Value | null {
  return found === null ? null : then(found);
}

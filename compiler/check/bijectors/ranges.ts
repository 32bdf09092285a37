// Which reals an expression can be, whatever its inputs, sizes and parameters: how a scale is proved not to be zero. Definitions are looked
// into, so that `softplus` needs no rule of its own. Rounding is not considered: exp(s) counts as positive, though it is 0 for s < -104.

import { constant, isConstant, subtract, surelyNonNegative } from '../../dims/arithmetic.ts';
import type { Local, TypedBody, TypedExpression, TypedFunction, TypedStatement } from '../typed.ts';
import {
  anything,
  between,
  contains,
  hull,
  increasing,
  isNegative,
  isPositive,
  larger,
  magnitude,
  negated,
  openBetween,
  point,
  product,
  reciprocal,
  signKeeping,
  smaller,
  sum,
  sumOfMany,
  type Interval,
} from './interval.ts';

/** What names stand for. */
export interface Meanings {
  readonly intervals: ReadonlyMap<Local, Interval>;
  readonly definitions: ReadonlyMap<Local, TypedExpression>;
  readonly depth: number;
}

const MOST_CALLS = 12;

const positive = openBetween(0, Infinity);
const nonNegative = between(0, Infinity);

type Rule = (...values: readonly Interval[]) => Interval;

const same: Rule = (a) => a;
const union: Rule = (...values) => values.reduce(hull);

/** By the names of the builtins; what is not here can be anything. */
const rules: Readonly<Record<string, Rule>> = {
  add: (a, b) => sum(a, b),
  subtract: (a, b) => sum(a, negated(b)),
  multiply: (a, b) => product(a, b),
  divide: (a, b) => product(a, reciprocal(b)),
  negate: (a) => negated(a),
  power: powerOf,
  exp: (a) => increasing(Math.exp, a, positive),
  expm1: (a) => signKeeping(Math.expm1, a, openBetween(-1, Infinity)),
  log: (a) => (a.low < 0 ? anything : increasing(Math.log, a)),
  log1p: (a) => (a.low < -1 ? anything : signKeeping(Math.log1p, a)),
  sqrt: (a) => (a.low < 0 ? nonNegative : signKeeping(Math.sqrt, a)),
  rsqrt: (a) => (a.low < 0 ? positive : reciprocal(signKeeping(Math.sqrt, a))),
  tanh: (a) => signKeeping(Math.tanh, a, openBetween(-1, 1)),
  erf: (a) => signKeeping(Math.sign, a, openBetween(-1, 1)),
  sigmoid: (a) => increasing((x) => 1 / (1 + Math.exp(-x)), a, openBetween(0, 1)),
  sin: () => between(-1, 1),
  cos: () => between(-1, 1),
  abs: (a) => magnitude(a),
  max: (a, b) => (b === undefined ? a : larger(a, b)),
  min: (a, b) => (b === undefined ? a : smaller(a, b)),
  clamp: (x, low, high) => smaller(larger(x, low), high),
  ind: () => between(0, 1),
  stop: same,
  real: same,
  float: same,
  sum: (a) => sumOfMany(a),
  mean: same,
  norm: () => nonNegative,
  softmax: () => openBetween(0, 1),
  zeros: () => point(0),
  ones: () => point(1),
  fill: same,
  reshape: same,
  flatten: same,
  transpose: same,
  reverse: same,
  concat: union,
  stack: union,
  halves: same,
  unstack: same,
};

function powerOf(base: Interval, exponent: Interval): Interval {
  if (isPositive(base)) return positive;
  if (exponent.low !== exponent.high || !Number.isInteger(exponent.low)) return anything;
  const even = exponent.low % 2 === 0;
  const sign = even ? magnitude(base) : base;
  const whole = isNegative(sign) ? openBetween(-Infinity, 0) : even ? nonNegative : anything;
  return { ...whole, withoutZero: !contains(base, 0) && exponent.low > 0 };
}

const binders: Readonly<Record<string, Rule>> = {
  sum: (a) => sumOfMany(a),
  cumsum: (a) => sumOfMany(a),
  prod: (a) => (isPositive(a) ? positive : anything),
  cumprod: (a) => (isPositive(a) ? positive : anything),
  mean: same,
  max: same,
  min: same,
  softmax: () => openBetween(0, 1),
};

/** Sums and products of nothing. */
const neutral: Readonly<Record<string, number>> = { sum: 0, prod: 1 };

export function rangeOf(expression: TypedExpression, meanings: Meanings): Interval {
  const of = (e: TypedExpression): Interval => rangeOf(e, meanings);
  switch (expression.kind) {
    case 'number':
      return point(expression.value);
    case 'dim': {
      const size = isConstant(expression.dim);
      if (size !== null) return point(size);
      const least = [1, 0].find((n) => surelyNonNegative(subtract(expression.dim, constant(n))));
      return least === undefined ? anything : between(least, Infinity);
    }
    case 'index':
      return nonNegative;
    case 'local': {
      const known = meanings.intervals.get(expression.local);
      if (known !== undefined) return known;
      const definition = meanings.definitions.get(expression.local);
      return definition === undefined ? anything : of(definition);
    }
    case 'constant':
      return rangeOf(expression.constant.value, { ...meanings, definitions: new Map() });
    case 'convert':
    case 'variable':
      return of(expression.value);
    case 'project':
    case 'read':
      return of(expression.target);
    case 'comprehension':
      return of(expression.body);
    case 'tuple':
    case 'array':
      return expression.items.map(of).reduce(hull, of(expression.items[0]));
    case 'if':
      return hull(of(expression.then), of(expression.else));
    case 'builtin':
      return rules[expression.builtin.name]?.(...expression.arguments.map(of)) ?? anything;
    case 'binder': {
      const range = binders[expression.binder]?.(of(expression.body)) ?? anything;
      const none = neutral[expression.binder];
      const mayBeEmpty = expression.indices.some(({ prefix }) => prefix !== null);
      return mayBeEmpty && none !== undefined ? hull(range, point(none)) : range;
    }
    case 'call':
      return rangeOfCall(expression, meanings);
    default:
      return anything;
  }
}

function rangeOfCall(
  { callee, arguments: given }: Extract<TypedExpression, { kind: 'call' }>,
  meanings: Meanings,
): Interval {
  if (callee.kind === 'value') {
    const { value } = callee;
    if (value.kind !== 'builtin-function') return anything;
    return rules[value.builtin.name]?.(...given.map((a) => rangeOf(a, meanings))) ?? anything;
  }
  const body = meanings.depth < MOST_CALLS ? callee.function.body() : null;
  if (body === null) return anything;
  return rangeOfBody(
    body,
    callee.function,
    given.map((a) => rangeOf(a, meanings)),
    meanings,
  );
}

function rangeOfBody(
  body: TypedBody,
  { parameters }: TypedFunction,
  given: readonly Interval[],
  { depth }: Meanings,
): Interval {
  const intervals = new Map(parameters.map(({ local }, i) => [local, given[i] ?? anything]));
  const inside: Meanings = { intervals, definitions: new Map(), depth: depth + 1 };
  const run = (statements: readonly TypedStatement[]): void => {
    for (const statement of statements)
      if (statement.kind === 'let') {
        const known = intervals.get(statement.local);
        const found = rangeOf(statement.value, inside);
        intervals.set(statement.local, known === undefined ? found : hull(known, found));
      } else if (statement.kind === 'if') {
        run(statement.then);
        run(statement.else);
      }
  };
  run(body.statements);
  return rangeOf(body.result, inside);
}

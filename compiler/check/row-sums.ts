// Whether the rows of a decision process sum to one, by algebra: the sum of P[s, a, r] over r is worked out as a polynomial in what
// does not depend on r. `(1 - slip) * ind(r == move(s, a)) + slip * mean[k] ind(r == move(s, k))` gives (1 - slip) + slip = 1.

import { textOf } from '../../grammar/source.ts';
import { dimOf } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import { showDim } from '../dims/show.ts';
import { liesIn } from './assign.ts';
import type { Context } from './context.ts';
import { partsOf } from './parts.ts';
import type { Index, TypedConstant, TypedExpression } from './typed.ts';

/** Products of powers of what is not taken apart, by their text, with a number before each. */
type Polynomial = ReadonlyMap<string, Term>;

interface Term {
  readonly coefficient: number;
  readonly powers: ReadonlyMap<string, number>;
}

const termsToPolynomial = (terms: readonly Term[]): Polynomial => {
  const sum = new Map<string, Term>();
  for (const { coefficient, powers } of terms) {
    const present = [...powers].filter(([, power]) => power !== 0).sort();
    const key = JSON.stringify(present);
    const total = (sum.get(key)?.coefficient ?? 0) + coefficient;
    if (Math.abs(total) < 1e-12) sum.delete(key);
    else sum.set(key, { coefficient: total, powers: new Map(present) });
  }
  return sum;
};

const number = (value: number): Polynomial =>
  termsToPolynomial([{ coefficient: value, powers: new Map() }]);

const atom = (text: string): Polynomial =>
  termsToPolynomial([{ coefficient: 1, powers: new Map([[text, 1]]) }]);

/** A size, which is a polynomial already. */
const ofSize = ({ terms }: Dim): Polynomial =>
  termsToPolynomial(
    terms.map(({ coefficient, factors }) => ({
      coefficient,
      powers: new Map(factors.map((factor) => [showDim(dimOf(factor.atom)), factor.power])),
    })),
  );

const plus = (a: Polynomial, b: Polynomial): Polynomial =>
  termsToPolynomial([...a.values(), ...b.values()]);

function times(a: Polynomial, b: Polynomial): Polynomial {
  const products = [...a.values()].flatMap((x) =>
    [...b.values()].map((y): Term => {
      const powers = new Map(x.powers);
      for (const [name, power] of y.powers) powers.set(name, (powers.get(name) ?? 0) + power);
      return { coefficient: x.coefficient * y.coefficient, powers };
    }),
  );
  return termsToPolynomial(products);
}

const minus = (a: Polynomial, b: Polynomial): Polynomial => plus(a, times(number(-1), b));

/** 1 / a, where a is one product. */
function inverse(a: Polynomial): Polynomial | null {
  const [term, ...others] = a.values();
  if (term === undefined || others.length > 0) return null;
  const powers = new Map([...term.powers].map(([name, power]) => [name, -power]));
  return termsToPolynomial([{ coefficient: 1 / term.coefficient, powers }]);
}

const mentions = (expression: TypedExpression, index: Index): boolean =>
  (expression.kind === 'index' && expression.index === index) ||
  partsOf(expression).some((part) => mentions(part, index));

const isCall = (
  expression: TypedExpression,
  name: string,
): expression is Extract<TypedExpression, { kind: 'builtin' }> =>
  expression.kind === 'builtin' && expression.builtin.name === name;

const unconverted = (expression: TypedExpression): TypedExpression =>
  expression.kind === 'convert' ? unconverted(expression.value) : expression;

/** An expression as it stands: sums, products and quotients taken apart, the rest by its text. */
function polynomialOf(expression: TypedExpression): Polynomial {
  if (expression.kind === 'convert') return polynomialOf(expression.value);
  if (expression.kind === 'number') return number(expression.value);
  if (expression.kind === 'dim') return ofSize(expression.dim);
  if (expression.kind === 'builtin') {
    const [a, b] = expression.arguments;
    const known = arithmetic[expression.builtin.name]?.(polynomialOf(a), () => polynomialOf(b));
    if (known !== undefined && known !== null) return known;
  }
  return atom(textOf(expression.span));
}

const arithmetic: Readonly<
  Record<string, (a: Polynomial, b: () => Polynomial) => Polynomial | null>
> = {
  add: (a, b) => plus(a, b()),
  subtract: (a, b) => minus(a, b()),
  multiply: (a, b) => times(a, b()),
  negate: (a) => times(number(-1), a),
  divide: (a, b) => {
    const factor = inverse(b());
    return factor === null ? null : times(a, factor);
  },
};

/** One index and what an expression is summed over it. */
interface Sum {
  readonly context: Context;
  readonly index: Index;
}

/** The sum of an expression over the index; null where the algebra does not know. */
function sumOf(sum: Sum, expression: TypedExpression): Polynomial | null {
  const { index } = sum;
  if (!mentions(expression, index)) return times(polynomialOf(expression), ofSize(index.range));
  const again = (of: TypedExpression): Polynomial | null => sumOf(sum, of);
  const both = (a: TypedExpression, b: TypedExpression, join: typeof plus): Polynomial | null => {
    const [left, right] = [again(a), again(b)];
    return left === null || right === null ? null : join(left, right);
  };
  if (expression.kind === 'convert') return again(expression.value);
  if (expression.kind === 'if') return sumOfChoice(sum, expression);
  if (expression.kind === 'binder') return sumOfBinder(sum, expression);
  if (expression.kind !== 'builtin') return null;
  const [a, b] = expression.arguments;
  switch (expression.builtin.name) {
    case 'add':
      return both(a, b, plus);
    case 'subtract':
      return both(a, b, minus);
    case 'negate': {
      const inner = again(a);
      return inner === null ? null : times(number(-1), inner);
    }
    case 'multiply': {
      const [factor, rest] = mentions(a, index) ? [b, a] : [a, b];
      const inner = mentions(factor, index) ? null : again(rest);
      return inner === null ? null : times(polynomialOf(factor), inner);
    }
    case 'divide': {
      const [factor, inner] = mentions(b, index)
        ? [null, null]
        : [inverse(polynomialOf(b)), again(a)];
      return factor === null || inner === null ? null : times(factor, inner);
    }
    case 'ind':
      return meets(sum, a) ? number(1) : null;
    default:
      return null;
  }
}

/** Whether a condition is `r == e` for an e that is one of the values of r: true for exactly one. */
function meets({ context, index }: Sum, condition: TypedExpression): boolean {
  if (!isCall(condition, 'equal')) return false;
  const [a, b] = condition.arguments.map(unconverted);
  const isIndex = (e: TypedExpression): boolean => e.kind === 'index' && e.index === index;
  const other = isIndex(a) ? b : isIndex(b) ? a : null;
  return other !== null && !mentions(other, index) && liesIn(context, other, index.range);
}

function sumOfChoice(
  sum: Sum,
  { condition, then, else: otherwise }: Extract<TypedExpression, { kind: 'if' }>,
): Polynomial | null {
  const { index } = sum;
  if (meets(sum, condition)) {
    if (mentions(then, index) || mentions(otherwise, index)) return null;
    const others = minus(ofSize(index.range), number(1));
    return plus(polynomialOf(then), times(others, polynomialOf(otherwise)));
  }
  const [a, b] = [sumOf(sum, then), sumOf(sum, otherwise)];
  const same = a !== null && b !== null && minus(a, b).size === 0;
  return mentions(condition, index) || !same ? null : a;
}

function sumOfBinder(
  sum: Sum,
  { binder, indices, body }: Extract<TypedExpression, { kind: 'binder' }>,
): Polynomial | null {
  const [only] = indices;
  if (indices.some(({ prefix }) => prefix !== null)) return null;
  if (binder === 'softmax') return only.index === sum.index ? number(1) : null;
  if (binder !== 'mean' && binder !== 'sum') return null;
  const inner = sumOf(sum, body);
  if (inner === null) return null;
  // What is left must not vary along the binder's own indices: then the sum is a product, and the mean is it.
  const names = new Set(indices.map(({ index }) => index.name));
  const varies = [...inner.values()].some(({ powers }) =>
    [...powers.keys()].some((text) =>
      (text.match(/[\p{L}_][\p{L}\p{N}_']*/gu) ?? []).some((word) => names.has(word)),
    ),
  );
  if (varies) return null;
  const count = indices.map(({ index }) => ofSize(index.range)).reduce(times, number(1));
  return binder === 'mean' ? inner : times(inner, count);
}

/** The sum of each row of `P[s, a, r] = ...`: 1, another number, or null where algebra does not tell. */
export function rowSum(context: Context, { value }: TypedConstant): number | null {
  const table = unconverted(value);
  const last = table.kind === 'comprehension' ? table.axes.at(-1) : undefined;
  if (table.kind !== 'comprehension' || last?.length !== 1) return null;
  const sum = sumOf({ context, index: last[0] }, table.body);
  if (sum === null) return null;
  const terms = [...sum.values()];
  if (terms.length === 0) return 0;
  return terms.length === 1 && terms[0].powers.size === 0 ? terms[0].coefficient : null;
}

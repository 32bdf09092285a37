// The body of a sum as a product: numbers, divisors and factors without the summed index go outside, a windowed read times the
// rest is tried as a convolution, and what is left is contracted pair by pair.

import type { Elaborated, Environment, Label, TensorValue } from '../builtins/elaboration.ts';
import { asTensor, elementwise, tensorOf, varies } from '../builtins/labelled.ts';
import type { TypedExpression } from '../check/typed.ts';
import type { Builder } from '../ir/builder-types.ts';
import type { Context } from './context.ts';
import { wholeValue } from './draws.ts';
import { countOfLabels, multiplyAll, sumOfProduct } from './contract.ts';
import type { TaggedValue } from './axes.ts';
import { finishRead } from './finish-read.ts';
import { prepareRead, prepareReadWithoutPadding } from './reads.ts';
import { convolve, hasWindows, pool } from './windows.ts';

/** `number * product of factors / product of divisors`; divisors do not vary along the summed labels. */
export interface Product {
  readonly number: number;
  readonly factors: readonly Factor[];
  readonly divisors: readonly TensorValue[];
}

/** A read with windows is kept open: `bare` is the read inside the zeros around its target, for convolutions. */
type Factor =
  | TensorValue
  | {
      readonly kind: 'windows';
      readonly read: TaggedValue;
      readonly bare: () => TaggedValue | null;
    };

/** The factors of `body`, each evaluated once. */
export function collectProduct(
  context: Context,
  body: TypedExpression,
  environment: Environment,
  over: readonly Label[],
): Product {
  const nothing: Product = { number: 1, factors: [], divisors: [] };
  if (body.kind === 'number') return { ...nothing, number: body.value };
  if (body.kind === 'convert' && body.value.kind === 'number' && body.to.kind === 'real')
    return { ...nothing, number: body.value.value };
  if (body.kind === 'read')
    return { ...nothing, factors: [readFactor(context, body, environment)] };
  if (body.kind === 'builtin' && body.builtin.name in splits) {
    const parts = body.arguments;
    if (parts.every((part) => part.type.kind === 'tensor' && part.type.base.kind === 'real'))
      return splits[body.builtin.name]({ context, environment, over, parts });
  }
  return ofValue(context, context.evaluate(body, environment));
}

function ofValue(context: Context, value: Elaborated): Product {
  if (value.kind === 'number') return { number: value.value, factors: [], divisors: [] };
  return { number: 1, factors: [asTensor(context.builder, value, 'f32')], divisors: [] };
}

interface Split {
  readonly context: Context;
  readonly environment: Environment;
  readonly over: readonly Label[];
  readonly parts: readonly TypedExpression[];
}

const splits: Readonly<Record<string, (split: Split) => Product>> = {
  multiply: ({ context, environment, over, parts }) => {
    const [a, b] = parts.map((part) => collectProduct(context, part, environment, over));
    return {
      number: a.number * b.number,
      factors: [...a.factors, ...b.factors],
      divisors: [...a.divisors, ...b.divisors],
    };
  },
  negate: ({ context, environment, over, parts: [x] }) => {
    const product = collectProduct(context, x, environment, over);
    return { ...product, number: -product.number };
  },
  divide: ({ context, environment, over, parts: [x, y] }) => {
    const product = collectProduct(context, x, environment, over);
    const by = context.evaluate(y, environment);
    if (by.kind === 'number') return { ...product, number: product.number / by.value };
    const divisor = asTensor(context.builder, by, 'f32');
    if (!over.some((label) => varies(divisor, label)))
      return { ...product, divisors: [...product.divisors, divisor] };
    const reciprocal = divide(context.builder, tensorOf(context.builder.scalar(1)), divisor);
    return { ...product, factors: [...product.factors, reciprocal] };
  },
};

const divide = (builder: Builder, a: TensorValue, b: TensorValue): TensorValue =>
  elementwise(builder, [a, b], (x, y) => builder.divide(x, y));

function readFactor(
  context: Context,
  { target, slots }: Extract<TypedExpression, { kind: 'read' }>,
  environment: Environment,
): Factor {
  const value = wholeValue(context, target, environment);
  const read = prepareRead(context, value, slots, environment);
  if (!hasWindows(read)) return finishRead(context.builder, read);
  const bare = (): TaggedValue | null =>
    prepareReadWithoutPadding(context, value, slots, environment);
  return { kind: 'windows', read, bare };
}

/** The sum over `over` of a product. */
export function productOfSum(
  context: Context,
  { number, factors, divisors }: Product,
  over: readonly Label[],
): TensorValue {
  const { builder } = context;
  const summed = sumOfFactors(context, factors, over);
  const { tensor } = summed;
  // An index that no factor has repeats the sum as often as it has values.
  const missing = over.filter((label) => !summed.covered.some((l) => l.id === label.id));
  const repeated =
    missing.length === 0 ? tensor : multiplyByCount(builder, tensor, countOfLabels(missing));
  const scaled =
    number === 1
      ? repeated
      : elementwise(builder, [repeated, tensorOf(builder.scalar(number))], (x, c) =>
          builder.multiply(x, c),
        );
  return divisors.reduce((t, divisor) => divide(builder, t, divisor), scaled);
}

function multiplyByCount(
  builder: Builder,
  t: TensorValue,
  count: ReturnType<typeof countOfLabels>,
): TensorValue {
  const by = tensorOf(builder.dim(count, 'f32'));
  return elementwise(builder, [t, by], (x, n) => builder.multiply(x, n));
}

function labelsOfFactor(factor: Factor): readonly Label[] {
  if (factor.kind === 'tensor') return factor.labels;
  return factor.read.tags.flatMap((tag) => {
    if (tag.kind === 'label' || tag.kind === 'repeat') return [tag.label];
    if (tag.kind === 'window') return tag.terms.map((term) => term.label);
    return tag.kind === 'gather' ? tag.at.labels : [];
  });
}

function sumOfFactors(
  context: Context,
  factors: readonly Factor[],
  over: readonly Label[],
): { readonly tensor: TensorValue; readonly covered: readonly Label[] } {
  const { builder } = context;
  const covered = factors.flatMap(labelsOfFactor);
  const concerned = (factor: Factor): boolean =>
    labelsOfFactor(factor).some((label) => over.some((l) => l.id === label.id));
  const inside = factors.filter(concerned);
  const outside = factors.filter((factor) => !concerned(factor)).map((f) => closed(context, f));
  const sum =
    inside.length === 0
      ? null
      : (windowed(context, inside, over) ??
        sumOfProduct(
          builder,
          inside.map((factor) => closed(context, factor)),
          over,
        ));
  const all = sum === null ? outside : [sum, ...outside];
  const tensor = all.length === 0 ? tensorOf(builder.scalar(1)) : multiplyAll(builder, all);
  return { tensor, covered };
}

const closed = (context: Context, factor: Factor): TensorValue =>
  factor.kind === 'tensor' ? factor : finishRead(context.builder, factor.read);

/** A convolution or a pool, where one factor is a read by windows and the sum is one of these. */
function windowed(
  context: Context,
  factors: readonly Factor[],
  over: readonly Label[],
): TensorValue | null {
  const { builder } = context;
  const open = factors.flatMap((factor) => (factor.kind === 'windows' ? [factor] : []));
  const [only] = open;
  if (open.length !== 1) return null;
  const rest = factors.flatMap((factor) => (factor.kind === 'tensor' ? [factor] : []));
  if (rest.length === 0) return pool(builder, 'add', only.read, over);
  const kernel = multiplyAll(builder, rest);
  const bare = only.bare();
  const inPadding = bare === null ? null : convolve(builder, bare, kernel, over);
  return inPadding ?? convolve(builder, only.read, kernel, over);
}

// `check 0 < beta < 1, decreasing(abar)`: the first entry where a condition does not hold, and what the tables are there.

import type { InstanceValue } from '../builtins/elaboration.ts';
import { asTensor, dtypeOf } from '../builtins/labelled.ts';
import type { TypedCheck, TypedExpression } from '../check/typed.ts';
import { textOf, type Span } from '../../grammar/source.ts';
import type { Tensor } from '../ir/tensor.ts';
import { computeNow } from './build-time.ts';
import type { Context } from './context.ts';

export interface Failure {
  /** The condition that fails: one relation of a chain. */
  readonly condition: string;
  /** `t = 999`; empty for a condition that is one truth value. */
  readonly at: string;
  /** "`beta` is 1.2"; empty where nothing is worth telling. */
  readonly values: string;
}

/** The first entry of a check that is false; null where all are true. */
export function failureOf(
  context: Context,
  { condition }: TypedCheck,
  owner: InstanceValue,
  made: Span,
): Failure | null {
  for (const atom of atomsOf(condition)) {
    const operands = operandsOf(atom);
    const [holds, ...values] = computeNow(
      context,
      'a check',
      { made, written: atom.span },
      (inner) => {
        const { builder } = inner;
        return [atom, ...operands].map((expression) => {
          const value = inner.evaluate(expression, owner.environment);
          return asTensor(builder, value, dtypeOf(value));
        });
      },
    );
    const failure = firstFailure(atom, holds, operands, values);
    if (failure !== null) return failure;
  }
  return null;
}

type Call = Extract<TypedExpression, { kind: 'builtin' }>;

const isCall = (expression: TypedExpression, name: string): expression is Call =>
  expression.kind === 'builtin' && expression.builtin.name === name;

/** The conditions that `and` joins. */
const atomsOf = (condition: TypedExpression): readonly TypedExpression[] =>
  isCall(condition, 'and') ? condition.arguments.flatMap(atomsOf) : [condition];

const relations: ReadonlySet<string> = new Set([
  'less',
  'less_equal',
  'greater',
  'greater_equal',
  'equal',
  'not_equal',
  'increasing',
  'decreasing',
]);

/** What a condition compares, numbers as written left out. */
const operandsOf = (atom: TypedExpression): readonly TypedExpression[] =>
  atom.kind === 'builtin' && relations.has(atom.builtin.name)
    ? atom.arguments.filter((operand) => unconverted(operand).kind !== 'number')
    : [];

const unconverted = (expression: TypedExpression): TypedExpression =>
  expression.kind === 'convert' ? unconverted(expression.value) : expression;

function firstFailure(
  atom: TypedExpression,
  { shape, data }: Tensor,
  operands: readonly TypedExpression[],
  values: readonly Tensor[],
): Failure | null {
  const flat = data.indexOf(0);
  if (flat < 0) return null;
  const condition = textOf(atom.span);
  if (isCall(atom, 'increasing') || isCall(atom, 'decreasing'))
    return { condition, ...orderFailure(atom, values[0]) };
  const place = placeOf(shape, flat);
  const names = operands.map(indexNames).find((known) => known?.length === shape.length) ?? null;
  const told = operands.map((operand, i) => {
    // An operand of fewer axes is repeated over the first ones.
    const own = place.slice(place.length - values[i].shape.length);
    return `\`${textOf(operand.span)}\` is ${shown(entryOf(values[i], own))}`;
  });
  return { condition, at: showPlace(place, names), values: told.join(', ') };
}

/** Where a table stops rising or falling. */
function orderFailure(atom: Call, { data }: Tensor): Pick<Failure, 'at' | 'values'> {
  const [operand] = atom.arguments;
  const rises = atom.builtin.name === 'increasing';
  const at = data.findIndex(
    (value, i) => i > 0 && !(rises ? value > data[i - 1] : value < data[i - 1]),
  );
  const name = textOf(operand.span);
  return {
    at: showPlace([at], indexNames(operand)),
    values: `\`${name}\` is ${shown(data[at])}, after ${shown(data[at - 1])}`,
  };
}

/** The indices of the table that an expression is: `beta[t < T] = ...` gives ["t"]. */
function indexNames(expression: TypedExpression): readonly string[] | null {
  const inner = unconverted(expression);
  const value = inner.kind === 'constant' ? unconverted(inner.constant.value) : inner;
  if (value.kind !== 'comprehension') return null;
  const { axes } = value;
  return axes.every((group) => group.length === 1) ? axes.map(([index]) => index.name) : null;
}

/** `t = 3, s = 0`, or the bare position where the indices have no names. */
export const showPlace = (place: readonly number[], names: readonly string[] | null): string =>
  place
    .map(
      (position, axis) =>
        `${names?.[axis] ?? 'position'}${names === null ? ' ' : ' = '}${position}`,
    )
    .join(', ');

/** The position of a row-major element along each axis. */
export const placeOf = (shape: readonly number[], flat: number): readonly number[] =>
  shape.map((size, axis) => {
    const below = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    return Math.floor(flat / below) % size;
  });

const entryOf = ({ shape, data }: Tensor, place: readonly number[]): number =>
  data[place.reduce((flat, position, axis) => flat * shape[axis] + position, 0)];

/** A number as a message tells it. */
export const shown = (value: number): string => String(Number(value.toPrecision(7)));

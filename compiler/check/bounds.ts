// How far an integer expression over indices reaches: the least and the most it can be, as sizes. Linear parts keep their
// correlation (`i - i` is 0); products, quotients and `fin` values are bounded as wholes.

import {
  add,
  equal,
  floorDivide,
  isConstant,
  isDefined,
  multiply,
  negate,
  one,
  subtract,
  zero,
} from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import { proveAtMost } from '../dims/prove.ts';
import type { Context } from './context.ts';
import { sizeOfExpression } from './convert.ts';
import type { Index, TypedExpression } from './typed.ts';

export interface Bounds {
  readonly low: Dim;
  readonly high: Dim;
}

/** `constant` plus the sum of coefficient * atom. An atom is an index, or an opaque expression with its own bounds. */
export interface Linear {
  readonly constant: Dim;
  readonly terms: ReadonlyMap<Index | TypedExpression, Dim>;
}

const linearConstant = (constant: Dim): Linear => ({ constant, terms: new Map() });

function combine(a: Linear, b: Linear, sign: 1 | -1): Linear {
  const terms = new Map(a.terms);
  for (const [atom, coefficient] of b.terms) {
    const signed = sign === 1 ? coefficient : negate(coefficient);
    const sum = add(terms.get(atom) ?? zero, signed);
    if (equal(sum, zero)) terms.delete(atom);
    else terms.set(atom, sum);
  }
  return {
    constant: sign === 1 ? add(a.constant, b.constant) : subtract(a.constant, b.constant),
    terms,
  };
}

const scaleLinear = (a: Linear, by: Dim): Linear => ({
  constant: multiply(a.constant, by),
  terms: new Map([...a.terms].map(([atom, coefficient]) => [atom, multiply(coefficient, by)])),
});

export const isIndex = (atom: Index | TypedExpression): atom is Index => !('kind' in atom);

const isLinearConstant = (a: Linear): boolean => a.terms.size === 0;

/** The linear form of an integer expression. */
export function linearOf(expression: TypedExpression): Linear {
  const size = sizeOfExpression(expression);
  if (size !== null) return linearConstant(size);
  if (expression.kind === 'index')
    return { constant: zero, terms: new Map([[expression.index, one]]) };
  if (expression.kind === 'convert' && expression.to.kind !== 'real')
    return linearOf(expression.value);
  if (expression.kind === 'builtin') {
    const parts = expression.arguments.map(linearOf);
    const [a, b] = parts;
    if (expression.builtin.name === 'add') return combine(a, b, 1);
    if (expression.builtin.name === 'subtract') return combine(a, b, -1);
    if (expression.builtin.name === 'negate') return combine(linearConstant(zero), a, -1);
    if (expression.builtin.name === 'multiply') {
      if (isLinearConstant(a)) return scaleLinear(b, a.constant);
      if (isLinearConstant(b)) return scaleLinear(a, b.constant);
    }
  }
  return { constant: zero, terms: new Map([[expression, one]]) };
}

/** The index `i` of a read at `size - 1 - i`: the whole axis, backwards. */
export function backwardsIndex(expression: TypedExpression, size: Dim): Index | null {
  const { constant, terms } = linearOf(expression);
  const [entry, ...others] = terms;
  if (entry === undefined || others.length > 0) return null;
  const [atom, coefficient] = entry;
  const whole = equal(coefficient, negate(one)) && equal(constant, subtract(size, one));
  return whole && isIndex(atom) ? atom : null;
}

/** `i * p + u` without a constant: the ranges of its indices and their coefficients; null for anything else. */
export function affineTerms(
  expression: TypedExpression,
): readonly { readonly range: Dim; readonly coefficient: Dim }[] | null {
  const { constant, terms } = linearOf(expression);
  if (terms.size < 2 || !equal(constant, zero)) return null;
  const known = [...terms].flatMap(([atom, coefficient]) =>
    isIndex(atom) ? [{ range: atom.range, coefficient }] : [],
  );
  return known.length === terms.size ? known : null;
}

/** Replaces indices that a prefix (`j <= t`) bounds by what bounds them, at the end that `towards` asks for. */
function resolvePrefixes(context: Context, linear: Linear, towards: 'low' | 'high'): Linear {
  let result = linear;
  for (const [index, { relation, bound }] of context.notation?.bounds ?? []) {
    const coefficient = result.terms.get(index);
    if (coefficient === undefined) continue;
    const positive = proveAtMost(zero, coefficient, context.assumptions).kind === 'proved';
    const negative = proveAtMost(coefficient, zero, context.assumptions).kind === 'proved';
    if (!positive && !negative) continue;
    const wantsHigh = (towards === 'high') === positive;
    const upper = relation === '<' || relation === '<=' || relation === '==';
    const lower = relation === '>' || relation === '>=' || relation === '==';
    if (wantsHigh ? !upper : !lower) continue;
    const shift = relation === '<' ? negate(one) : relation === '>' ? one : zero;
    const limit = combine(linearOf(bound), linearConstant(shift), 1);
    const without = new Map(result.terms);
    without.delete(index);
    result = combine({ ...result, terms: without }, scaleLinear(limit, coefficient), 1);
  }
  return result;
}

function boundsOfAtom(context: Context, atom: Index | TypedExpression): Bounds | null {
  if (isIndex(atom)) return { low: zero, high: subtract(atom.range, one) };
  const { type } = atom;
  const quotient = boundsOfQuotient(context, atom);
  if (quotient !== null) return quotient;
  if (type.kind === 'tensor' && type.base.kind === 'fin')
    return { low: zero, high: subtract(type.base.size, one) };
  return null;
}

function boundsOfQuotient(context: Context, atom: TypedExpression): Bounds | null {
  if (atom.kind !== 'builtin' || atom.arguments.length < 2) return null;
  const [of, by] = atom.arguments;
  const divisor = sizeOfExpression(by);
  if (atom.builtin.name === 'clamp') {
    const [low, high] = [divisor, sizeOfExpression(atom.arguments[2] ?? by)];
    return low === null || high === null ? null : { low, high };
  }
  if (divisor === null || proveAtMost(one, divisor, context.assumptions).kind !== 'proved')
    return null;
  if (atom.builtin.name === 'remainder') return { low: zero, high: subtract(divisor, one) };
  if (atom.builtin.name !== 'floor_divide') return null;
  const inner = boundsOf(context, of);
  if (inner === null) return null;
  const bounds = { low: floorDivide(inner.low, divisor), high: floorDivide(inner.high, divisor) };
  return isDefined(bounds.low) && isDefined(bounds.high) ? bounds : null;
}

/** One end of a linear form; null where the sign of a coefficient or the bounds of an atom are not known. */
function endOf(context: Context, linear: Linear, towards: 'low' | 'high'): Dim | null {
  const resolved = resolvePrefixes(context, linear, towards);
  let end = resolved.constant;
  for (const [atom, coefficient] of resolved.terms) {
    const bounds = boundsOfAtom(context, atom);
    if (bounds === null) return null;
    const positive =
      (isConstant(coefficient) ?? 0) > 0 ||
      proveAtMost(zero, coefficient, context.assumptions).kind === 'proved';
    const negative =
      !positive && proveAtMost(coefficient, zero, context.assumptions).kind === 'proved';
    if (!positive && !negative) return null;
    const extreme = (towards === 'high') === positive ? bounds.high : bounds.low;
    end = add(end, multiply(coefficient, extreme));
  }
  return isDefined(end) ? end : null;
}

/** The least and the greatest value of an integer expression, null where they are not known. */
export function boundsOf(context: Context, expression: TypedExpression): Bounds | null {
  const linear = linearOf(expression);
  const low = endOf(context, linear, 'low');
  const high = endOf(context, linear, 'high');
  return low === null || high === null ? null : { low, high };
}

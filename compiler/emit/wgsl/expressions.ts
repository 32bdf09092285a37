// Small WGSL texts: types, literals, brackets.

import type { DType } from '../../ir/tensor.ts';
import type { Code } from './lowering.ts';

/** The type an element has inside a kernel. */
export const typeNames: Readonly<Record<DType, string>> = {
  f32: 'f32',
  i32: 'i32',
  u32: 'u32',
  bool: 'bool',
};

/** What a value's elements are in a buffer. */
export type Stored = DType | 'f16';

/** The type of WGSL for that: booleans are no storable type. */
export const storedTypes: Readonly<Record<Stored, string>> = {
  ...typeNames,
  bool: 'u32',
  f16: 'f16',
};

/** A literal. NaN and the infinities have none in WGSL: they are made from their bits at run time (see helpers.ts). */
export function literal(dtype: DType, value: number, call: Code['call']): string {
  if (dtype === 'bool') return value === 0 ? 'false' : 'true';
  if (dtype === 'u32') return `${value >>> 0}u`;
  // The literal of the least i32 would be the negation of a number that is none.
  if (dtype === 'i32') return value === -(2 ** 31) ? 'i32(0x80000000u)' : `${value | 0}i`;
  return realLiteral(Math.fround(value), call);
}

function realLiteral(value: number, call: Code['call']): string {
  if (Number.isNaN(value)) return call('not_a_number');
  if (value === Infinity) return call('infinity');
  if (value === -Infinity) return `-${call('infinity')}`;
  // The shortest decimal that rounds to the same f32, so that listings stay readable.
  for (let digits = 1; digits <= 9; digits++) {
    const text = String(Number(value.toPrecision(digits)));
    // A decimal beyond the largest f32 is refused even where it would round to it.
    if (Math.fround(Number(text)) === value && Math.abs(Number(text)) <= largest)
      return Object.is(value, -0) ? '-0.0' : /[.e]/.test(text) ? text : `${text}.0`;
  }
  return String(value);
}

const largest = 3.4028234663852886e38;

/** Whether it is a name or a number. */
export const isName = (expression: string): boolean => /^-?[\w.]+$/.test(expression);

/** Brackets around what is more than a name, a literal, a call or a subscript. */
export const bracketed = (expression: string): string =>
  isAtom(expression) ? expression : `(${expression})`;

function isAtom(expression: string): boolean {
  const head = /^(\d[\d.]*(e[-+]?\d+)?\w?|[\w.]*)/.exec(expression)?.[0].length ?? 0;
  if (head === expression.length) return true;
  const open = expression[head];
  if (open !== '(' && open !== '[') return false;
  let depth = 0;
  for (let i = head; i < expression.length; i++) {
    if ('(['.includes(expression[i])) depth++;
    if (')]'.includes(expression[i])) depth--;
    if (depth === 0) return i === expression.length - 1;
  }
  return false;
}

/** A u32 expression as a number of another type. */
export const scalarOf = (dtype: DType, expression: string): string =>
  dtype === 'u32' ? expression : `${typeNames[dtype]}(${expression})`;

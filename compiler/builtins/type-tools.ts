// Small constructors and questions about types that the builtins' type rules share.

import type { TypedExpression } from '../check/typed.ts';
import type { Base, TensorType } from '../check/types.ts';
import { constant, isConstant } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import type { Axis, Shape } from '../dims/shape.ts';
import { E0601 } from '../diagnostics/builtins.ts';
import { report } from '../diagnostics/diagnostic.ts';
import type { BuiltinCall, BuiltinResult } from './builtin.ts';

export const real: Base = { kind: 'real' };
export const int: Base = { kind: 'int' };
export const bool: Base = { kind: 'bool' };
export const fin = (size: Dim): Base => ({ kind: 'fin', size });

export const tensorType = (base: Base, shape: Shape): TensorType => ({
  kind: 'tensor',
  base,
  shape,
});

export const sized = (size: Dim): Axis => ({ kind: 'size', size });

/** What a call with a broken argument has: one cause is reported once. */
export const unknownResult: BuiltinResult = { type: { kind: 'unknown' } };

export const isUnknown = (expression: TypedExpression): boolean =>
  expression.type.kind === 'unknown';

export type TensorExpression = TypedExpression & { readonly type: TensorType };

export const isTensor = (expression: TypedExpression): expression is TensorExpression =>
  expression.type.kind === 'tensor';

export const isNumeric = (type: TensorType): boolean => type.base.kind !== 'bool';

/** `value` as an int where it is a `fin`; other bases stay. */
export function toInt(value: TensorExpression): TensorExpression {
  if (value.type.base.kind !== 'fin') return value;
  const type = tensorType(int, value.type.shape);
  return { kind: 'convert', value, to: int, type, span: value.span };
}

/** An argument that is a size: a size expression or a whole number. */
export function sizeOfArgument(expression: TypedExpression): Dim | null {
  if (expression.kind === 'dim') return expression.dim;
  if (expression.kind === 'number' && Number.isInteger(expression.value))
    return constant(expression.value);
  return expression.kind === 'convert' ? sizeOfArgument(expression.value) : null;
}

/** `[a, b]` as sizes, or one size as a list of one. */
export function sizesOfArgument(expression: TypedExpression): readonly Dim[] | null {
  if (expression.kind !== 'array') {
    const size = sizeOfArgument(expression);
    return size === null ? null : [size];
  }
  const sizes = expression.items.map(sizeOfArgument);
  return sizes.some((size) => size === null) ? null : sizes.filter((size) => size !== null);
}

/** Reports that the arguments are not what the builtin takes; `why` is a sentence without its full stop. */
export function refuse(
  call: BuiltinCall,
  signature: string,
  why: string,
  at?: TypedExpression,
): null {
  call.report(
    report(E0601, {
      span: at?.span ?? call.span,
      data: { name: call.name, signature, why },
    }),
  );
  return null;
}

/** The arguments, where there are between `least` and `most` and all are tensors; otherwise what to return. */
export function tensorArguments(
  call: BuiltinCall,
  signature: string,
  least: number,
  most = least,
):
  | { readonly kind: 'tensors'; readonly tensors: readonly TensorExpression[] }
  | { readonly kind: 'refused'; readonly result: BuiltinResult | null } {
  const count = call.arguments.length;
  if (count < least || count > most) {
    const wanted =
      least === most ? `${least}` : most === Infinity ? `at least ${least}` : `${least} to ${most}`;
    const result = refuse(
      call,
      signature,
      `it takes ${wanted} argument${wanted === '1' ? '' : 's'}, here are ${count}`,
    );
    return { kind: 'refused', result };
  }
  if (call.arguments.some(isUnknown)) return { kind: 'refused', result: unknownResult };
  const wrong = call.arguments.find((argument) => !isTensor(argument));
  if (wrong !== undefined) {
    const result = refuse(
      call,
      signature,
      `this is ${call.showType(wrong.type)}, not a tensor`,
      wrong,
    );
    return { kind: 'refused', result };
  }
  return { kind: 'tensors', tensors: call.arguments.filter(isTensor) };
}

/** The last axis, where it is a size and not a pack. */
export function lastSize(shape: Shape): Dim | null {
  const last = shape.at(-1);
  return last?.kind === 'size' ? last.size : null;
}

export const isOne = (dim: Dim): boolean => isConstant(dim) === 1;

/** Whether the axes are equal, pairwise and by proof. */
export const sameAxes = (call: BuiltinCall, a: Shape, b: Shape): boolean =>
  a.length === b.length &&
  a.every((axis, i) => {
    const other = b[i];
    if (axis.kind === 'pack' || other.kind === 'pack')
      return axis.kind === 'pack' && other.kind === 'pack' && axis.pack === other.pack;
    return call.sameSize(axis.size, other.size).kind === 'proved';
  });

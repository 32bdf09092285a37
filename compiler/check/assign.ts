// A value where a type is wanted: conversions between bases are inserted, sizes are proved equal, and what does not fit is
// reported once.

import type { Span } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { paramsDiagnostics } from '../diagnostics/params.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import { constant, one, subtract, zero } from '../dims/arithmetic.ts';
import type { Assumptions } from '../dims/assumptions.ts';
import type { Dim } from '../dims/dim.ts';
import { proveAtMost, proveEqual } from '../dims/prove.ts';
import { sourceDim } from '../dims/show.ts';
import { boundsOf } from './bounds.ts';
import { compareShapes } from './compare-shapes.ts';
import { broken, isBroken, type Context } from './context.ts';
import { convertTo, converts, sizeOfExpression } from './convert.ts';
import { tablesAsRecord } from './records.ts';
import { describe, showType } from './show.ts';
import { difference } from './structures.ts';
import type { TypedExpression } from './typed.ts';
import type { Base, TensorType, TupleType, Type } from './types.ts';

/** How to report that `found` does not fit `wanted`; the default is "wrong type" at the value. */
export type Complain = (found: Type, wanted: Type) => void;

/** Whether two types are the same for all sizes. */
export function sameType(a: Type, b: Type, assumptions: Assumptions): boolean {
  if (a.kind === 'unknown' || b.kind === 'unknown') return true;
  if (a.kind === 'tensor' && b.kind === 'tensor')
    return (
      sameBase(a.base, b.base, assumptions) &&
      compareShapes(a.shape, b.shape, assumptions).kind === 'equal'
    );
  if (a.kind === 'tuple' && b.kind === 'tuple')
    return (
      a.fields.length === b.fields.length &&
      a.fields.every((field, i) => sameType(field.type, b.fields[i].type, assumptions))
    );
  if (a.kind === 'instance' && b.kind === 'instance')
    return (
      a.model === b.model &&
      [...a.bindings.dims].every(([v, d]) => {
        const other = b.bindings.dims.get(v);
        return other !== undefined && proveEqual(d, other, assumptions).kind === 'proved';
      })
    );
  if (a.kind === 'params' && b.kind === 'params') return difference(a, b, assumptions) === null;
  return a === b;
}

const sameBase = (a: Base, b: Base, assumptions: Assumptions): boolean =>
  a.kind === 'fin' && b.kind === 'fin'
    ? proveEqual(a.size, b.size, assumptions).kind === 'proved'
    : a.kind === b.kind;

/** Whether an integer expression lies in 0..size-1 for all sizes and indices. */
export function liesIn(context: Context, value: TypedExpression, size: Dim): boolean {
  const bounds = boundsOf(context, value);
  return (
    bounds !== null &&
    proveAtMost(zero, bounds.low, context.assumptions).kind === 'proved' &&
    proveAtMost(bounds.high, subtract(size, one), context.assumptions).kind === 'proved'
  );
}

/** A number, or a `fin` of another size, as a `fin(size)`, by proof; null after a report. */
export function asFin(
  context: Context,
  value: TypedExpression,
  wanted: TensorType,
  size: Dim,
): TypedExpression | null {
  if (
    value.type.kind !== 'tensor' ||
    value.type.base.kind === 'real' ||
    value.type.base.kind === 'bool'
  )
    return null;
  const proved =
    value.type.base.kind === 'fin' && value.type.shape.length > 0
      ? proveAtMost(value.type.base.size, size, context.assumptions).kind === 'proved'
      : liesIn(context, value, size);
  if (proved)
    return {
      kind: 'convert',
      value,
      to: wanted.base,
      type: { ...wanted, shape: value.type.shape },
      span: value.span,
    };
  return null;
}

function fit(context: Context, value: TypedExpression, wanted: Type): TypedExpression | 'wrong' {
  const found = value.type;
  if (found.kind === 'unknown' || wanted.kind === 'unknown') return value;
  if (found.kind === 'tensor' && wanted.kind === 'tensor') {
    if (compareShapes(found.shape, wanted.shape, context.assumptions).kind !== 'equal')
      return 'wrong';
    if (wanted.base.kind === 'fin') {
      if (sameBase(found.base, wanted.base, context.assumptions)) return value;
      return asFin(context, value, wanted, wanted.base.size) ?? 'wrong';
    }
    return converts(found.base, wanted.base) ? convertTo(value, wanted.base) : 'wrong';
  }
  if (found.kind === 'tuple' && wanted.kind === 'tuple')
    return fitTuple(context, value, found, wanted);
  if (found.kind === 'instance' && wanted.kind === 'tuple') {
    const items = tablesAsRecord(value, wanted);
    return items === null ? 'wrong' : fitItems(context, items, wanted, value.span);
  }
  return sameType(found, wanted, context.assumptions) ? value : 'wrong';
}

function fitTuple(
  context: Context,
  value: TypedExpression,
  found: Extract<Type, { kind: 'tuple' }>,
  wanted: Extract<Type, { kind: 'tuple' }>,
): TypedExpression | 'wrong' {
  if (found.fields.length !== wanted.fields.length) return 'wrong';
  const items = found.fields.map((field, i): TypedExpression =>
    value.kind === 'tuple'
      ? value.items[i]
      : { kind: 'project', target: value, field: i, type: field.type, span: value.span },
  );
  return fitItems(context, items, wanted, value.span);
}

function fitItems(
  context: Context,
  items: readonly TypedExpression[],
  wanted: TupleType,
  span: Span,
): TypedExpression | 'wrong' {
  const fitted = items.map((item, i) => fit(context, item, wanted.fields[i].type));
  const good = fitted.filter((item) => item !== 'wrong');
  return good.length === items.length
    ? { kind: 'tuple', items: good, type: wanted, span }
    : 'wrong';
}

/** What is wrong with the sizes of a value, in the notes of a report. */
export function sizeNotes(context: Context, found: Type, wanted: Type): readonly string[] {
  if (found.kind !== 'tensor' || wanted.kind !== 'tensor') return [];
  const answer = compareShapes(found.shape, wanted.shape, context.assumptions);
  if (answer.kind === 'refuted' && answer.values !== null)
    return [`${sourceDim(answer.left)} and ${sourceDim(answer.right)} differ: ${answer.values}`];
  if (answer.kind === 'unknown')
    return [
      `nothing shows that ${sourceDim(answer.left)} and ${sourceDim(answer.right)} are equal: ` +
        `add \`where ${sourceDim(answer.left)} == ${sourceDim(answer.right)}\` if they are`,
    ];
  return [];
}

/** `value` where `wanted` is needed, converted; after a report, a broken value. */
export function assign(
  context: Context,
  value: TypedExpression,
  wanted: Type,
  complain: Complain | null,
): TypedExpression {
  if (wanted.kind === 'function' && !isBroken(value))
    return context.session.rules.fitFunction(context, value, wanted, value.span);
  const fitted = fit(context, value, wanted);
  if (fitted !== 'wrong') return fitted;
  if (isBroken(value)) return value;
  if (outOfRange(context, value, wanted)) return broken(value.span);
  if (differ(context, value.type, wanted, value.span)) return broken(value.span);
  if (complain !== null) complain(value.type, wanted);
  else
    context.report(
      report(types.E0121, {
        span: value.span,
        data: { found: describe(value.type), expected: showType(wanted) },
        notes: sizeNotes(context, value.type, wanted),
      }),
    );
  return broken(value.span);
}

/** Reports parameters whose structures differ. */
export function differ(context: Context, found: Type, wanted: Type, span: Span): boolean {
  if (found.kind !== 'params' || wanted.kind !== 'params') return false;
  const reason = difference(wanted, found, context.assumptions);
  if (reason === null) return false;
  context.report(report(paramsDiagnostics.E0461, { span, data: { difference: reason } }));
  return true;
}

/** Reports an integer that is not proved to be a `fin`. */
export function outOfRange(context: Context, value: TypedExpression, wanted: Type): boolean {
  if (wanted.kind !== 'tensor' || wanted.base.kind !== 'fin' || value.type.kind !== 'tensor')
    return false;
  const { base, shape } = value.type;
  if (base.kind === 'real' || base.kind === 'bool') return false;
  if (compareShapes(shape, wanted.shape, context.assumptions).kind !== 'equal') return false;
  const known = sizeOfExpression(value);
  const shown =
    known !== null ? sourceDim(known) : base.kind === 'fin' ? `a ${showType(value.type)}` : 'this';
  const size = sourceDim(wanted.base.size);
  context.report(
    report(types.E0135, {
      span: value.span,
      data: { value: shown, size },
      help: `\`clamp(i, 0, ${sourceDim(subtract(wanted.base.size, constant(1)))})\` makes a \`fin(${size})\` of an int`,
    }),
  );
  return true;
}

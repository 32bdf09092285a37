// Numbers, arrays, tuples, and integers that are proved to lie in a range.

import type {
  FinExpression,
  NumberLiteral,
  ShapeNode,
  TupleExpression,
} from '../../grammar/ast.ts';
import { textOf } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { names } from '../diagnostics/names.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import { constant } from '../dims/arithmetic.ts';
import { sourceDim } from '../dims/show.ts';
import type { Axis } from '../dims/shape.ts';
import { asFin } from './assign.ts';
import { compareShapes } from './compare-shapes.ts';
import { broken, isBroken, type Context } from './context.ts';
import { convertTo, intScalar, joinBases, realScalar, tensor } from './convert.ts';
import { describe } from './show.ts';
import type { TypedExpression } from './typed.ts';
import type { Type } from './types.ts';
import { singleLayer } from './values.ts';

export function checkNumber(_: Context, node: NumberLiteral): TypedExpression {
  const value = Number(node.text);
  const whole = /^\d+$/.test(node.text) && Number.isSafeInteger(value);
  return { kind: 'number', value, type: whole ? intScalar : realScalar, span: node.span };
}

/** Items of one type, converted to their common base. */
export function checkArray(
  context: Context,
  node: ShapeNode,
  expected: Type | null,
): TypedExpression {
  const wanted: Type | null =
    expected?.kind === 'tensor' && expected.shape.length > 0
      ? { ...expected, shape: expected.shape.slice(1) }
      : null;
  const items = node.dimensions.map((item) =>
    item.kind === 'pack' ? null : context.session.rules.expression(context, item, wanted),
  );
  if (items.some((item) => item === null)) {
    const pack = node.dimensions.find((item) => item.kind === 'pack');
    context.report(
      report(names.E0212, {
        span: pack?.span ?? node.span,
        data: { name: textOf(pack?.span ?? node.span), what: 'a pack of sizes' },
      }),
    );
  }
  const known = items.filter((item) => item !== null);
  const [first] = known;
  if (first === undefined || known.length !== items.length || known.some(isBroken))
    return broken(node.span);
  let base = first.type.kind === 'tensor' ? first.type.base : null;
  for (const item of known) {
    const same =
      item.type.kind === 'tensor' &&
      first.type.kind === 'tensor' &&
      base !== null &&
      compareShapes(item.type.shape, first.type.shape, context.assumptions).kind === 'equal';
    const joined =
      same && item.type.kind === 'tensor' && base !== null ? joinBases(base, item.type.base) : null;
    if (joined === null) {
      context.report(
        report(types.E0139, {
          span: item.span,
          data: { first: describe(first.type), found: describe(item.type) },
        }),
      );
      return broken(node.span);
    }
    base = joined;
  }
  if (base === null || first.type.kind !== 'tensor') return broken(node.span);
  const common = base;
  const axis: Axis = { kind: 'size', size: constant(known.length) };
  return {
    kind: 'array',
    items: known.map((item) => convertTo(item, common)),
    type: tensor(common, [axis, ...first.type.shape]),
    span: node.span,
  };
}

export function checkTuple(
  context: Context,
  node: TupleExpression,
  expected: Type | null,
): TypedExpression {
  const fields = expected?.kind === 'tuple' ? expected.fields : [];
  const items = node.items.map((item, i) => {
    const value = context.session.rules.expression(context, item, fields[i]?.type ?? null);
    return singleLayer(context, value);
  });
  if (items.some(isBroken)) return broken(node.span);
  return {
    kind: 'tuple',
    items,
    type: { kind: 'tuple', fields: items.map((item) => ({ name: null, type: item.type })) },
    span: node.span,
  };
}

/** `fin(e)`: the range comes from the context. */
export function checkFin(
  context: Context,
  node: FinExpression,
  expected: Type | null,
): TypedExpression {
  const value = context.session.rules.expression(context, node.value, null);
  if (isBroken(value)) return broken(node.span);
  if (expected?.kind !== 'tensor' || expected.base.kind !== 'fin') {
    context.report(
      report(types.E0134, {
        span: node.span,
        data: { what: 'the range of this `fin`' },
        help: 'use it where a `fin(n)` is needed: as an argument, a result, or `y: fin(n) = fin(e)`',
      }),
    );
    return broken(node.span);
  }
  const made = asFin(context, value, { ...expected, shape: [] }, expected.base.size);
  if (made !== null) return { ...made, span: node.span };
  context.report(
    report(types.E0135, {
      span: node.span,
      data: { value: `\`${textOf(node.value.span)}\``, size: sourceDim(expected.base.size) },
      help: `\`clamp(i, 0, ${sourceDim(expected.base.size)} - 1)\` makes a fin of an int`,
    }),
  );
  return broken(node.span);
}

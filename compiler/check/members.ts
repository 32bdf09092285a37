// Members of models that hold values: parameters with their draws, states, constants, sizes.

import type {
  ConstDeclaration,
  Expression,
  ParamDeclaration,
  StateDeclaration,
} from '../../grammar/ast.ts';
import type { Span } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { programs } from '../diagnostics/programs.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import type { Dim } from '../dims/dim.ts';
import { assign } from './assign.ts';
import { isBroken, type Context } from './context.ts';
import { converts, convertTo, isScalar, realScalar } from './convert.ts';
import { checkDistribution } from './draws.ts';
import { sizeAtLeast } from './minimum.ts';
import { describe, showType } from './show.ts';
import type { TypedConstant, TypedExpression, TypedParameter, TypedState } from './typed.ts';
import { toType } from './types-from-syntax.ts';
import type { TensorType, Type } from './types.ts';

/** A number fills a tensor; otherwise the value has the declared type. */
function initialValue(context: Context, node: Expression, wanted: Type): TypedExpression | null {
  const value = context.session.rules.expression(context, node, wanted);
  if (isBroken(value)) return null;
  if (wanted.kind === 'tensor' && isScalar(value.type) && converts(value.type.base, wanted.base))
    return convertTo(value, wanted.base);
  if (wanted.kind === 'tensor' && wanted.base.kind === 'fin' && isScalar(value.type)) {
    const one = assign(context, value, { ...wanted, shape: [] }, null);
    return isBroken(one) ? null : one;
  }
  const fitted = assign(context, value, wanted, (found) =>
    context.report(
      report(programs.E0413, {
        span: node.span,
        data: { found: describe(found), shape: showType(wanted) },
      }),
    ),
  );
  return isBroken(fitted) ? null : fitted;
}

/** `~ normal(0, he(n))`, `~ uniform` */
function drawn(
  context: Context,
  node: Expression,
  wanted: TensorType,
): TypedParameter['initialiser'] | null {
  const draw = checkDistribution(context, node, wanted, (found, { help, fix }) =>
    context.report(
      report(programs.E0413, {
        span: node.span,
        data: { found, shape: showType(wanted) },
        help,
        fix,
      }),
    ),
  );
  return draw === null ? null : { kind: 'draw', ...draw };
}

export function makeParameter(context: Context, node: ParamDeclaration): TypedParameter | null {
  const type = toType(context, node.type);
  if (type.kind === 'unknown') return null;
  if (type.kind !== 'tensor' || type.base.kind !== 'real') {
    context.report(
      report(types.E0121, {
        span: node.type.span,
        data: { found: describe(type), expected: 'a tensor of reals, which learns' },
      }),
    );
    return null;
  }
  const name = node.name.text;
  const initialiser =
    node.initialiser === '~' ? drawn(context, node.value, type) : valued(context, node.value, type);
  // Its type is enough for those who use it.
  return { name, span: node.span, type, initialiser: initialiser ?? zeroInitialiser(node.span) };
}

function valued(
  context: Context,
  node: Expression,
  wanted: Type,
): TypedParameter['initialiser'] | null {
  const value = initialValue(context, node, wanted);
  return value === null ? null : { kind: 'value', value };
}

const zeroInitialiser = (span: Span): TypedParameter['initialiser'] => ({
  kind: 'value',
  value: { kind: 'number', value: 0, type: realScalar, span },
});

/** `state mu: [n] = 0`; in an optimizer without a type, which is that of the parameter it serves. */
export function makeState(context: Context, node: StateDeclaration): TypedState | null {
  const isOptimizer = context.model?.typed.keyword === 'optimizer';
  if (node.type === null && isOptimizer) {
    const initial = initialValue(context, node.value, realScalar);
    return initial === null ? null : { name: node.name.text, span: node.span, type: null, initial };
  }
  const declared = node.type === null ? null : toType(context, node.type);
  if (declared?.kind === 'unknown') return null;
  if (declared === null) {
    const initial = context.session.rules.expression(context, node.value, null);
    if (isBroken(initial)) return null;
    return { name: node.name.text, span: node.span, type: initial.type, initial };
  }
  const initial = initialValue(context, node.value, declared);
  if (initial === null) return null;
  return { name: node.name.text, span: node.span, type: declared, initial };
}

export function makeConstant(context: Context, node: ConstDeclaration): TypedConstant | null {
  const declared = node.type === null ? null : toType(context, node.type);
  const value = context.session.rules.expression(context, node.value, declared);
  if (isBroken(value)) return null;
  const fitted = declared === null ? value : assign(context, value, declared, null);
  if (isBroken(fitted)) return null;
  return { name: node.name.text, span: node.span, type: fitted.type, value: fitted };
}

/** `dim m = 2 * n` */
export const makeDim = (context: Context, node: ConstDeclaration): Dim | null =>
  sizeAtLeast(context, node.value, 0, 'sizes are not negative');

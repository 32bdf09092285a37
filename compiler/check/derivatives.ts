// Derivatives in programs: the types of `grad(y, x)`, `vjp(y, x, u)`, `jvp(y, x, v)` and `jac(y, x)`. Whether a gradient
// reaches x is differentiability.ts's, once the whole body is known.

import type { Expression } from '../../grammar/ast.ts';
import { textOf, type Span } from '../../grammar/source.ts';
import { derivatives } from '../diagnostics/derivatives.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import type { Given } from './arguments.ts';
import { assign } from './assign.ts';
import { keepsIndex } from './binders.ts';
import { broken, isBroken, lookUp, type Context } from './context.ts';
import { convertTo, real, tensor } from './convert.ts';
import { partsOf } from './parts.ts';
import { describe } from './show.ts';
import type {
  DerivativeForm,
  Index,
  LocalExpression,
  ParamsExpression,
  TypedExpression,
} from './typed.ts';
import type { TensorType, Type } from './types.ts';
import { singleLayer } from './values.ts';

interface Form {
  readonly signature: string;
  /** The type of the result, or null where it has none. */
  readonly result: (of: TensorType, by: Type) => Type | null;
  /** What the Jacobian is multiplied by; null where it is not. */
  readonly direction: ((of: TensorType, by: Type) => Type) | null;
}

const forms: Readonly<Record<DerivativeForm, Form>> = {
  grad: { signature: 'grad(y, x)', result: (_, by) => by, direction: null },
  vjp: { signature: 'vjp(y, x, u)', result: (_, by) => by, direction: (of) => of },
  jvp: { signature: 'jvp(y, x, v)', result: (of) => of, direction: (_, by) => by },
  jac: { signature: 'jac(y, x)', result: jacobianType, direction: null },
};

/** [shape of y, shape of x], which has one pack at most. */
function jacobianType(of: TensorType, by: Type): Type | null {
  if (by.kind !== 'tensor') return null;
  const shape = [...of.shape, ...by.shape];
  return shape.filter((axis) => axis.kind === 'pack').length > 1 ? null : tensor(real, shape);
}

export const isDerivative = (name: string): name is DerivativeForm => Object.hasOwn(forms, name);

/** A call of `grad`, `vjp`, `jvp` or `jac`; broken after a report. */
export function checkDerivative(
  context: Context,
  name: DerivativeForm,
  given: readonly Given[],
  span: Span,
): TypedExpression {
  const form = forms[name];
  if (!fitsForm(context, name, given, span)) return broken(span);
  const [y, x, u] = given;
  const of = differentiated(context, name, y);
  const by = variableAt(context, x);
  const along = u === undefined ? null : valueOf(context, u);
  if (of === null || by === null || (along !== null && isBroken(along))) return broken(span);
  const varying = [of.value, ...(along === null ? [] : [along])]
    .map((value) => freeIndex(value, new Set()))
    .find((index) => index !== null);
  if (varying !== undefined) {
    const data = { name, index: varying?.name ?? '' };
    context.report(report(derivatives.E0432, { span, data }));
    return broken(span);
  }
  const direction =
    along === null || form.direction === null
      ? null
      : assign(context, along, form.direction(of.type, by.type), null);
  if (direction !== null && isBroken(direction)) return broken(span);
  const type = form.result(of.type, by.type);
  if (type === null) {
    const expected = 'one tensor, and one pack at most in the shape of the Jacobian';
    wrongType(context, x.blame, by.type, expected);
    return broken(span);
  }
  return { kind: 'derivative', form: name, of: of.value, by, direction, type, span };
}

function fitsForm(
  context: Context,
  name: DerivativeForm,
  given: readonly Given[],
  span: Span,
): boolean {
  const { signature, direction } = forms[name];
  const help = `it is used so: \`${signature}\``;
  const named = given.find((argument) => argument.name !== null)?.name ?? null;
  const count = direction === null ? 2 : 3;
  if (named !== null) {
    const data = { callee: `\`${name}\``, name: named.text, suggestion: null };
    context.report(report(types.E0124, { span: named.span, data, help }));
  } else if (given.length !== count) {
    const data = { callee: `\`${name}\``, expected: `${count} arguments`, found: given.length };
    context.report(report(types.E0123, { span, data, help }));
  }
  return named === null && given.length === count;
}

function valueOf(context: Context, { node, value, span }: Given): TypedExpression {
  if (node === null) return value ?? broken(span);
  return singleLayer(context, context.session.rules.expression(context, node, null));
}

const wrongType = (context: Context, span: Span, found: Type, expected: string): void =>
  context.report(report(types.E0121, { span, data: { found: describe(found), expected } }));

/** The value that is differentiated, real; null after a report. */
function differentiated(
  context: Context,
  name: DerivativeForm,
  given: Given,
): { readonly value: TypedExpression; readonly type: TensorType } | null {
  const value = valueOf(context, given);
  const { type } = value;
  if (isBroken(value)) return null;
  if (type.kind !== 'tensor' || type.base.kind === 'bool') {
    wrongType(context, given.blame, type, name === 'grad' ? 'a number' : 'a tensor of numbers');
    return null;
  }
  if (name === 'grad' && type.shape.length > 0) {
    const data = { found: describe(type) };
    context.report(report(derivatives.E0431, { span: given.blame, data }));
    return null;
  }
  return { value: convertTo(value, real), type: tensor(real, type.shape) };
}

/** Reals, or a tuple of them. */
const isVariable = (type: Type): boolean =>
  type.kind === 'tensor'
    ? type.base.kind === 'real'
    : type.kind === 'params' ||
      (type.kind === 'tuple' && type.fields.every((field) => isVariable(field.type)));

/** What is differentiated by: a variable of the function, or the parameters of a layer; null after a report. */
function variableAt(
  context: Context,
  { node, blame }: Given,
): LocalExpression | ParamsExpression | null {
  const refuse = (found: string): null => {
    context.report(report(derivatives.E0430, { span: blame, data: { found } }));
    return null;
  };
  if (node === null) return refuse('a value without a name');
  if (node.kind === 'call') {
    const value = context.session.rules.expression(context, node, null);
    if (isBroken(value)) return null;
    return value.kind === 'params' ? value : refuse(whatStands(node));
  }
  if (node.kind !== 'name') return refuse(whatStands(node));
  const value = context.session.rules.expression(context, node, null);
  if (isBroken(value)) return null;
  if (value.kind === 'parameter') return refuse('a parameter that a model learns');
  if (value.kind !== 'local' || lookUp(context.scope, node.text)?.kind !== 'local')
    return refuse(describe(value.type));
  if (context.session.isStaticLocal(value.local)) return refuse('known when the program is built');
  return isVariable(value.type) ? value : refuse(describe(value.type));
}

const whatStands = (node: Expression): string =>
  node.kind === 'error' ? 'not an expression' : `the expression \`${textOf(node.span)}\``;

/** An index that an expression varies along and does not bind itself. */
export function freeIndex(expression: TypedExpression, bound: ReadonlySet<Index>): Index | null {
  if (expression.kind === 'index') return bound.has(expression.index) ? null : expression.index;
  const own = boundBy(expression);
  const inner = own.length === 0 ? bound : new Set([...bound, ...own]);
  if (expression.kind === 'read')
    for (const slot of expression.slots)
      if (slot.kind === 'pack' && !inner.has(slot.index)) return slot.index;
  for (const part of partsOf(expression)) {
    const found = freeIndex(part, inner);
    if (found !== null) return found;
  }
  return null;
}

function boundBy(expression: TypedExpression): readonly Index[] {
  if (expression.kind === 'comprehension') return expression.axes.flat();
  if (expression.kind !== 'binder' || keepsIndex(expression.binder)) return [];
  return expression.indices.map(({ index }) => index);
}

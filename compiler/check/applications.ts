// Calls and pipes: of functions, layers, function-typed values and builtins.

import type { BinaryExpression, CallExpression, Expression } from '../../grammar/ast.ts';
import { textOf } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { names } from '../diagnostics/names.ts';
import { programs } from '../diagnostics/programs.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import { constant } from '../dims/arithmetic.ts';
import { givenOf, givenValue, type Given } from './arguments.ts';
import { callBuiltin } from './builtin-calls.ts';
import { bindCall } from './calls.ts';
import { targetOf } from './callables.ts';
import { broken, isBroken, lookUp, type Context, type ModelInfo } from './context.ts';
import { checkDerivative, isDerivative } from './derivatives.ts';
import { int, intScalar, isScalar, tensor } from './convert.ts';
import { toSize } from './dimensions.ts';
import { overEach } from './each.ts';
import { checkParams, withParams } from './params.ts';
import { instantiate } from './layers.ts';
import { resolvePath } from './paths.ts';
import { describe } from './show.ts';
import { isTabulated } from './static.ts';
import type { TypedExpression } from './typed.ts';
import { singleLayer } from './values.ts';

export function checkPipe(context: Context, node: BinaryExpression): TypedExpression {
  const left = singleLayer(context, context.session.rules.expression(context, node.left, null));
  const first = givenValue(left, node.right.span);
  if (node.right.kind === 'call') {
    const { callee, arguments: others, with: given } = node.right;
    return checkApplication(context, callee, [first, ...others.map(givenOf)], given, node);
  }
  return checkApplication(context, node.right, [first], null, node);
}

/** Builtins whose number arguments are sizes, so that `/` in them is exact. */
const takesSizes: ReadonlySet<string> = new Set([
  'zeros',
  'ones',
  'fill',
  'reshape',
  'eye',
  'range',
  'pad',
  'dilate',
]);

/** An argument that is a size written by arithmetic, `d / heads`, as that size. */
function sizeLike(context: Context, node: Expression): TypedExpression | null {
  if (node.kind !== 'binary') return null;
  const isSize = toSize({ ...context, report: () => {} }, node.left) !== null;
  if (!isSize) return null;
  const size = toSize(context, node);
  return size === null
    ? broken(node.span)
    : { kind: 'dim', dim: size, type: intScalar, span: node.span };
}

function builtinArgument(context: Context, name: string, node: Expression): TypedExpression {
  if (takesSizes.has(name)) {
    const size = sizeLike(context, node);
    if (size !== null) return size;
    if (node.kind === 'shape' && node.dimensions.length > 0) {
      const items = node.dimensions.map((item) =>
        item.kind === 'pack'
          ? null
          : (sizeLike(context, item) ?? context.session.rules.expression(context, item, null)),
      );
      const known = items.filter((item) => item !== null);
      if (known.length === items.length && known.every((item) => isScalar(item.type)))
        return {
          kind: 'array',
          items: known,
          type: tensor(int, [{ kind: 'size', size: constant(known.length) }]),
          span: node.span,
        };
      if (known.some(isBroken)) return broken(node.span);
    }
  }
  return singleLayer(context, context.session.rules.expression(context, node, null));
}

export function checkCall(context: Context, node: CallExpression): TypedExpression {
  const tabulated = modelNamed(context, node.callee);
  if (tabulated !== null && isTabulated(tabulated.typed) && node.with === null) {
    const value = instantiate(context, tabulated, node.arguments, node.span);
    if (value === null) return broken(node.span);
    return { kind: 'instantiation', value, type: value.type, span: node.span };
  }
  return checkApplication(context, node.callee, node.arguments.map(givenOf), node.with, node);
}

/** `callee(given)`, `callee(given with w)` */
function checkApplication(
  context: Context,
  calleeNode: Expression,
  given: readonly Given[],
  params: Expression | null,
  node: Expression,
): TypedExpression {
  if (calleeNode.kind === 'name' && lookUp(context.scope, calleeNode.text) === null) {
    if (calleeNode.text === 'params') return checkParams(context, given, node.span);
    if (isDerivative(calleeNode.text))
      return checkDerivative(context, calleeNode.text, given, node.span);
  }
  if (modelNamed(context, calleeNode) !== null) {
    context.report(
      report(names.E0220, { span: node.span, data: { name: textOf(calleeNode.span) } }),
    );
    return broken(node.span);
  }
  const named = singleLayer(context, context.session.rules.expression(context, calleeNode, null));
  const callee = params === null ? named : withParams(context, named, params);
  if (isBroken(callee)) {
    for (const argument of given)
      if (argument.node !== null) context.session.rules.expression(context, argument.node, null);
    return broken(node.span);
  }
  if (callee.kind === 'builtin-function' && callee.builtin.rule !== null) {
    const byName = given.find((argument) => argument.name !== null);
    if (byName !== undefined && byName.name !== null) {
      context.report(
        report(types.E0124, {
          span: byName.name.span,
          data: { callee: `\`${callee.builtin.name}\``, name: byName.name.text, suggestion: null },
          help: `it is used so: \`${callee.builtin.signature}\``,
        }),
      );
      return broken(node.span);
    }
    const values = given.map((argument) =>
      argument.node === null
        ? (argument.value ?? broken(argument.span))
        : builtinArgument(context, callee.builtin.name, argument.node),
    );
    return callBuiltin(context, callee.builtin, values, node.span);
  }
  const target = targetOf(context, callee, textOf(calleeNode.span));
  if (target === null) {
    context.report(
      callee.type.kind === 'instance'
        ? report(programs.E0407, {
            span: calleeNode.span,
            data: { name: callee.type.model.name },
          })
        : report(types.E0122, {
            span: calleeNode.span,
            data: { found: describe(callee.type) },
          }),
    );
    return broken(node.span);
  }
  const bound = bindCall(context, target.callable, given, node.span);
  if (bound === null) return broken(node.span);
  const common = {
    bindings: bound.bindings,
    arguments: bound.arguments,
    type: bound.result,
    span: node.span,
  };
  const call: TypedExpression =
    target.callee.kind === 'builtin'
      ? { kind: 'builtin', builtin: target.callee.builtin, data: null, ...common }
      : { kind: 'call', callee: target.callee, ...common };
  return bound.each === null ? call : overEach(context, call, bound.each);
}

/** The model that a callee names: of a schedule the tables for its arguments, of others no value, as in `MLP(3)(x)`. */
function modelNamed(context: Context, node: Expression): ModelInfo | null {
  if (node.kind === 'name') {
    const entity = lookUp(context.scope, node.text);
    return entity?.kind === 'model' ? entity.info : null;
  }
  if (node.kind !== 'member' || node.target.kind !== 'name') return null;
  if (lookUp(context.scope, node.target.text)?.kind !== 'module') return null;
  const path = {
    parts: [{ text: node.target.text, span: node.target.span }, node.name],
    span: node.span,
  };
  const entity = resolvePath({ ...context, report: () => {} }, path);
  return entity?.kind === 'model' ? entity.info : null;
}

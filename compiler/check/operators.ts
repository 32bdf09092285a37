// Operators, which are builtins by another name, and choices between values.

import type {
  BinaryExpression,
  BinaryOperator,
  CompareExpression,
  ConditionalExpression,
  Relation,
  UnaryExpression,
} from '../../grammar/ast.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import { negate } from '../dims/arithmetic.ts';
import { differ, sameType } from './assign.ts';
import { compareShapes } from './compare-shapes.ts';
import { builtinNamed, callBuiltin } from './builtin-calls.ts';
import { broken, isBroken, type Context } from './context.ts';
import {
  boolScalar,
  convertTo,
  intScalar,
  isScalar,
  joinBases,
  sizeOfExpression,
  tensor,
} from './convert.ts';
import { combineSizes, sizeOperators } from './dimensions.ts';
import { describe, showShape } from './show.ts';
import type { TypedExpression } from './typed.ts';
import type { TensorType, Type } from './types.ts';
import { singleLayer } from './values.ts';
import { checkPipe } from './applications.ts';

const operatorNames: Readonly<Record<Exclude<BinaryOperator, '|>'>, string>> = {
  or: 'or',
  and: 'and',
  '+': 'add',
  '-': 'subtract',
  '*': 'multiply',
  '/': 'divide',
  '//': 'floor_divide',
  '%': 'remainder',
  '@': 'matmul',
  '^': 'power',
};

export function checkBinary(context: Context, node: BinaryExpression): TypedExpression {
  if (node.operator === '|>') return checkPipe(context, node);
  const left = singleLayer(context, context.session.rules.expression(context, node.left, null));
  const right = singleLayer(context, context.session.rules.expression(context, node.right, null));
  if (isBroken(left) || isBroken(right)) return broken(node.span);
  if (sizeOperators.has(node.operator)) {
    const [a, b] = [sizeOfExpression(left), sizeOfExpression(right)];
    if (a !== null && b !== null && isScalar(left.type) && isScalar(right.type)) {
      const size = combineSizes(context, node.operator, a, b, node);
      return size === null
        ? broken(node.span)
        : { kind: 'dim', dim: size, type: intScalar, span: node.span };
    }
  }
  return callBuiltin(context, builtinNamed(operatorNames[node.operator]), [left, right], node.span);
}

/** `x |> f` is `f(x)`, and `x |> f(2)` is `f(x, 2)`. */
const relationNames: Readonly<Record<Relation, string>> = {
  '<': 'less',
  '<=': 'less_equal',
  '>': 'greater',
  '>=': 'greater_equal',
  '==': 'equal',
  '!=': 'not_equal',
};

export function checkCompare(context: Context, node: CompareExpression): TypedExpression {
  const operands = node.operands.map((operand) =>
    singleLayer(context, context.session.rules.expression(context, operand, null)),
  );
  if (operands.some(isBroken)) return broken(node.span);
  const links = node.relations.map((relation, i) =>
    callBuiltin(
      context,
      builtinNamed(relationNames[relation]),
      [operands[i], operands[i + 1]],
      node.relations.length === 1
        ? node.span
        : { ...node.span, start: operands[i].span.start, end: operands[i + 1].span.end },
    ),
  );
  return links.reduce((all, link) =>
    callBuiltin(context, builtinNamed('and'), [all, link], node.span),
  );
}

export function checkUnary(context: Context, node: UnaryExpression): TypedExpression {
  const operand = singleLayer(
    context,
    context.session.rules.expression(context, node.operand, null),
  );
  if (isBroken(operand)) return broken(node.span);
  if (node.operator === 'not')
    return callBuiltin(context, builtinNamed('not'), [operand], node.span);
  if (operand.kind === 'number') return { ...operand, value: -operand.value, span: node.span };
  if (operand.kind === 'dim') return { ...operand, dim: negate(operand.dim), span: node.span };
  return callBuiltin(context, builtinNamed('negate'), [operand], node.span);
}

/** The joined type of two branches: equal shapes, or one a scalar or a suffix of the other. */
function joinTypes(context: Context, a: TensorType, b: TensorType): TensorType | null {
  const base = joinBases(a.base, b.base);
  const [long, short] = a.shape.length >= b.shape.length ? [a, b] : [b, a];
  const tail = long.shape.slice(long.shape.length - short.shape.length);
  const fits = compareShapes(tail, short.shape, context.assumptions).kind === 'equal';
  const trial = (context.notation?.trial ?? null) !== null;
  return base !== null && (fits || trial) ? tensor(base, long.shape) : null;
}

export function checkConditional(
  context: Context,
  node: ConditionalExpression,
  expected: Type | null,
): TypedExpression {
  const condition = context.session.rules.expression(context, node.condition, boolScalar);
  const then = singleLayer(context, context.session.rules.expression(context, node.then, expected));
  const otherwise = singleLayer(
    context,
    context.session.rules.expression(context, node.else, expected),
  );
  if (isBroken(condition) || isBroken(then) || isBroken(otherwise)) return broken(node.span);
  const choice = condition.type;
  if (choice.kind !== 'tensor' || choice.base.kind !== 'bool') {
    context.report(
      report(types.E0121, {
        span: node.condition.span,
        data: { found: describe(choice), expected: 'a truth value' },
        help: 'compare it: `x > 0`',
      }),
    );
    return broken(node.span);
  }
  const common = { kind: 'if', condition, span: node.span } as const;
  if (then.type.kind === 'tensor' && otherwise.type.kind === 'tensor') {
    const branches = joinTypes(context, then.type, otherwise.type);
    const joined =
      branches === null ? null : joinTypes(context, branches, { ...branches, shape: choice.shape });
    if (joined !== null)
      return {
        ...common,
        then: convertTo(then, joined.base),
        else: convertTo(otherwise, joined.base),
        type: joined,
      };
    if (branches !== null) {
      context.report(
        report(types.E0130, {
          span: node.condition.span,
          data: {
            first: describe(branches),
            second: `, and the condition has shape ${showShape(choice.shape)}`,
          },
        }),
      );
      return broken(node.span);
    }
  } else if (differ(context, otherwise.type, then.type, node.else.span)) {
    return broken(node.span);
  } else if (
    isScalar(choice) &&
    sameType(then.type, otherwise.type, context.assumptions) &&
    (then.type.kind === 'tuple' || then.type.kind === 'params')
  ) {
    return { ...common, then, else: otherwise, type: then.type };
  }
  context.report(
    report(types.E0130, {
      span: node.span,
      data: { first: describe(then.type), second: describe(otherwise.type) },
    }),
  );
  return broken(node.span);
}

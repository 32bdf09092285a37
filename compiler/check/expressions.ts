// Expressions: one rule for each kind of node. Every rule returns a typed expression; after a report it is a broken one,
// which silences whatever would follow from it.

import type { Expression } from '../../grammar/ast.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import { broken, type Context } from './context.ts';
import { boolScalar } from './convert.ts';
import { checkBinder } from './notation.ts';
import { checkIndex } from './reads.ts';
import type { TypedExpression } from './typed.ts';
import type { Type } from './types.ts';
import { checkMember, checkName } from './values.ts';
import { checkArray, checkFin, checkNumber, checkTuple } from './literals.ts';
import { checkBinary, checkCompare, checkConditional, checkUnary } from './operators.ts';
import { checkCall } from './applications.ts';

type Rule<K extends Expression['kind']> = (
  context: Context,
  node: Extract<Expression, { readonly kind: K }>,
  expected: Type | null,
) => TypedExpression;

const rules: { readonly [K in Expression['kind']]: Rule<K> } = {
  number: checkNumber,
  string: (context, node) => {
    context.report(
      report(types.E0121, {
        span: node.span,
        data: { found: 'a text', expected: 'a value' },
        help: 'texts stand after `import` only',
      }),
    );
    return broken(node.span);
  },
  boolean: (_, node) => ({
    kind: 'boolean',
    value: node.value,
    type: boolScalar,
    span: node.span,
  }),
  name: checkName,
  fin: checkFin,
  tuple: checkTuple,
  shape: checkArray,
  if: checkConditional,
  binary: checkBinary,
  compare: checkCompare,
  unary: checkUnary,
  binder: checkBinder,
  call: checkCall,
  index: checkIndex,
  member: checkMember,
  error: (_, node) => broken(node.span),
};

/** The typed form of an expression; `expected` is the type its context asks for, where it has a say (`fin`, arrays). */
export function checkExpression(
  context: Context,
  node: Expression,
  expected: Type | null,
): TypedExpression {
  // The table's type ties each rule to its kind; TypeScript cannot follow that through an indexed call.
  const rule = rules[node.kind] as (
    context: Context,
    node: Expression,
    expected: Type | null,
  ) => TypedExpression;
  return rule(context, node, expected);
}

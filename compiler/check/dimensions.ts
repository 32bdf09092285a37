// Expressions where a size stands: from syntax to dimensions. `/` is exact here and needs a proof; everything else is
// polynomial arithmetic with floor quotients.

import type { BinaryOperator, Expression, NameExpression } from '../../grammar/ast.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { names } from '../diagnostics/names.ts';
import { suggest } from '../diagnostics/suggest.ts';
import { sizes, types } from '../diagnostics/types-and-shapes.ts';
import {
  add,
  constant,
  floorDivide,
  isConstant,
  isDefined,
  multiply,
  one,
  power,
  remainder,
  subtract,
} from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import { exactQuotient, proveAtMost } from '../dims/prove.ts';
import { showValuation, sourceDim } from '../dims/show.ts';
import { isBroken, lookUp, visibleNames, type Context } from './context.ts';
import { sizeOfExpression } from './convert.ts';
import { describe } from './show.ts';

type Operation = (context: Context, a: Dim, b: Dim, node: Expression) => Dim | null;

function exact(context: Context, a: Dim, b: Dim, node: Expression): Dim | null {
  if (!divides(context, b, node)) return null;
  const quotient = exactQuotient(a, b, context.assumptions);
  if (quotient.kind === 'exact') return quotient.dim;
  const constants = isConstant(a) !== null && isConstant(b) !== null;
  context.report(
    report(sizes.E0107, {
      span: node.span,
      data: {
        dividend: sourceDim(a),
        divisor: sourceDim(b),
        values:
          quotient.kind === 'refuted' && !constants ? showValuation(quotient.valuation) : null,
      },
      help: constants ? 'round down with `//`' : null,
    }),
  );
  return null;
}

/** Reports a divisor that may be 0. */
function divides(context: Context, by: Dim, node: Expression): boolean {
  if (proveAtMost(one, by, context.assumptions).kind === 'proved') return true;
  context.report(report(sizes.E0113, { span: node.span, data: { divisor: sourceDim(by) } }));
  return false;
}

const operations: Partial<Record<BinaryOperator, Operation>> = {
  '+': (_, a, b) => add(a, b),
  '-': (_, a, b) => subtract(a, b),
  '*': (_, a, b) => multiply(a, b),
  '/': exact,
  '//': (context, a, b, node) => (divides(context, b, node) ? floorDivide(a, b) : null),
  '%': (context, a, b, node) => (divides(context, b, node) ? remainder(a, b) : null),
  '^': (context, a, b, node) => {
    const exponent = isConstant(b);
    if (exponent !== null && exponent >= 0) return power(a, exponent);
    notASize(context, node, 'a power whose exponent is not a number');
    return null;
  },
};

/** The operators whose result on two sizes is a size, in expressions too. */
export const sizeOperators: ReadonlySet<BinaryOperator> = new Set(['+', '-', '*', '//', '%']);

/** `a op b` for sizes, as the value of an expression; null where it is none after a report. */
export const combineSizes = (
  context: Context,
  operator: BinaryOperator,
  a: Dim,
  b: Dim,
  node: Expression,
): Dim | null => operations[operator]?.(context, a, b, node) ?? null;

function notASize(context: Context, node: Expression, found: string): null {
  context.report(report(types.E0121, { span: node.span, data: { found, expected: 'a size' } }));
  return null;
}

/** The size that a name stands for. */
function sizeOfName(context: Context, node: NameExpression): Dim | null {
  const entity = lookUp(context.scope, node.text);
  if (entity === null) {
    const near = suggest(node.text, visibleNames(context.scope));
    const add = context.scope.kind === 'module' ? null : `add a parameter \`${node.text}: dim\``;
    const mean = near === null ? null : `did you mean \`${near}\`?`;
    context.report(
      report(names.E0201, {
        span: node.span,
        data: { name: node.text },
        help: add === null || mean === null ? (mean ?? add) : `${mean} Otherwise ${add}`,
        fix: near === null ? [] : [{ span: node.span, newText: near }],
      }),
    );
    return null;
  }
  if (entity.kind === 'dim') return entity.dim;
  if (entity.kind === 'lazy-dim') return entity.get();
  return entity.kind === 'broken' ? null : sizeOfValue(context, node);
}

function sizeOfValue(context: Context, node: Expression): Dim | null {
  const value = context.session.rules.expression(context, node, null);
  if (isBroken(value)) return null;
  return sizeOfExpression(value) ?? notASize(context, node, describe(value.type));
}

/** The size that an expression stands for where a size is wanted; null after a report. */
export function toSize(context: Context, node: Expression): Dim | null {
  const size = rawSize(context, node);
  if (size === null || isDefined(size)) return size;
  context.report(report(sizes.E0114, { span: node.span }));
  return null;
}

function rawSize(context: Context, node: Expression): Dim | null {
  switch (node.kind) {
    case 'error':
      return null;
    case 'number': {
      const value = Number(node.text);
      if (!/^\d+$/.test(node.text)) return notASize(context, node, `the number ${node.text}`);
      if (Number.isSafeInteger(value)) return constant(value);
      context.report(report(sizes.E0114, { span: node.span }));
      return null;
    }
    case 'name':
      return sizeOfName(context, node);
    case 'unary': {
      if (node.operator === 'not') return notASize(context, node, 'a truth value');
      const operand = rawSize(context, node.operand);
      return operand === null ? null : subtract(constant(0), operand);
    }
    case 'binary': {
      const operation = operations[node.operator];
      if (operation === undefined) return sizeOfValue(context, node);
      const left = rawSize(context, node.left);
      const right = rawSize(context, node.right);
      return left === null || right === null ? null : operation(context, left, right, node);
    }
    default:
      return sizeOfValue(context, node);
  }
}

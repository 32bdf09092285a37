// Flat lists of operands and operators to trees, by precedence. The parser reads them without recursion, so that a long sum
// costs no stack; spans reach from the first token of an operand, parentheses included, to the last.

import type { BinaryOperator, Expression, Relation } from './ast.ts';
import type { Source, Span } from './source.ts';
import { productLevel, relationLevel } from './tokens.ts';

/** An operand with the extent of its tokens, which parentheses make wider than its node. */
export interface Operand {
  readonly node: Expression;
  readonly start: number;
  readonly end: number;
}

export interface Operator {
  readonly text: string;
  readonly span: Span;
  readonly precedence: number;
}

export function binary(source: Source, left: Operand, operator: Operator, right: Operand): Operand {
  const { start } = left;
  const { end } = right;
  return {
    start,
    end,
    node: {
      kind: 'binary',
      operator: operator.text as BinaryOperator,
      operatorSpan: operator.span,
      left: left.node,
      right: right.node,
      span: { source, start, end },
    },
  };
}

/**
 * The tree of `operands[0] operators[0] operands[1] ...`, where every operator binds at least as tightly as `level`. All
 * levels associate to the left, but for relations, which chain.
 */
export function fold(
  source: Source,
  operands: readonly Operand[],
  operators: readonly Operator[],
  level: number,
): Operand {
  if (operators.length === 0) return operands[0];
  if (level > productLevel) throw new Error('an operator binds tighter than all levels');
  const parts: Operand[] = [];
  const between: Operator[] = [];
  let from = 0;
  for (let index = 0; index <= operators.length; index++) {
    if (index < operators.length && operators[index].precedence !== level) continue;
    const inner = operands.slice(from, index + 1);
    parts.push(fold(source, inner, operators.slice(from, index), level + 1));
    if (index < operators.length) between.push(operators[index]);
    from = index + 1;
  }
  if (level === relationLevel && between.length > 0) return chain(source, parts, between);
  return between.reduce(
    (left, operator, index) => binary(source, left, operator, parts[index + 1]),
    parts[0],
  );
}

function chain(
  source: Source,
  operands: readonly Operand[],
  operators: readonly Operator[],
): Operand {
  const { start } = operands[0];
  const { end } = operands[operands.length - 1];
  return {
    start,
    end,
    node: {
      kind: 'compare',
      operands: operands.map(({ node }) => node),
      relations: operators.map(({ text }) => text as Relation),
      span: { source, start, end },
    },
  };
}

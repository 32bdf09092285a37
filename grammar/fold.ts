// Flat lists of operands and operators to trees, by precedence. The parser reads each level as a list, without recursion,
// so that a long sum costs no stack; spans reach from the first token of an operand, parentheses included, to the last.

import type { BinaryOperator, Expression, Relation } from './ast.ts';
import type { Source, Span } from './source.ts';

/** An operand with the extent of its tokens, which parentheses make wider than its node. */
export interface Operand {
  readonly node: Expression;
  readonly start: number;
  readonly end: number;
}

export interface OperatorToken {
  readonly text: string;
  readonly span: Span;
}

/** `operands[0] operators[0] operands[1] ...`, all left-associative and of one precedence. */
export function foldLeft(
  source: Source,
  operands: readonly Operand[],
  operators: readonly OperatorToken[],
): Operand {
  let left = operands[0];
  for (const [index, operator] of operators.entries()) {
    const right = operands[index + 1];
    left = binary(source, left, operator, right);
  }
  return left;
}

export function binary(
  source: Source,
  left: Operand,
  operator: OperatorToken,
  right: Operand,
): Operand {
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

/** Loosest first; an operator in none of them is a relation, the tightest of this list. */
const looseLevels: readonly string[] = ['|>', 'or', 'and'];

/** The levels above sums: `|>`, `or`, `and`, and chains of relations. */
export function foldLoose(
  source: Source,
  operands: readonly Operand[],
  operators: readonly OperatorToken[],
  level = 0,
): Operand {
  if (operators.length === 0) return operands[0];
  const loosest = looseLevels[level];
  if (loosest === undefined) return chain(source, operands, operators);
  const parts: Operand[] = [];
  const between: OperatorToken[] = [];
  let from = 0;
  for (let index = 0; index <= operators.length; index++) {
    if (index < operators.length && operators[index].text !== loosest) continue;
    const inside = operators.slice(from, index);
    parts.push(foldLoose(source, operands.slice(from, index + 1), inside, level + 1));
    if (index < operators.length) between.push(operators[index]);
    from = index + 1;
  }
  return foldLeft(source, parts, between);
}

function chain(
  source: Source,
  operands: readonly Operand[],
  operators: readonly OperatorToken[],
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

// The parser's second layer: expressions. Operators between operands, prefixes, binders and `if`. Later layers, for types, statements and
// declarations, stand on it.

import type { IToken } from 'chevrotain';
import type { BinderIndex, BinderName, Expression, Relation } from './ast.ts';
import { binary, fold, type Operand, type Operator } from './fold.ts';
import { longChain, OperandParser } from './parse-operands.ts';
import {
  Binder,
  Infix,
  keyword,
  looseLevel,
  precedenceOf,
  productLevel,
  relationLevel,
  sumLevel,
  symbol,
} from './tokens.ts';

export abstract class ExpressionParser extends OperandParser {
  /** `if c then a else b`, or operators between operands. */
  protected readonly expression = this.RULE('expression', (): Expression => {
    this.enter();
    this.requireExpression();
    const { node } = this.OR(this.#expressions);
    this.leave();
    return node;
  });

  readonly #expressions: { ALT: () => Operand }[] = [
    { ALT: () => this.SUBRULE(this.conditional) },
    { ALT: () => this.SUBRULE(this.infix, { ARGS: [looseLevel] }) },
  ];

  protected readonly conditional = this.RULE('conditional', (): Operand => {
    const start = this.here;
    this.CONSUME(keyword.if);
    const condition = this.SUBRULE(this.expression);
    this.rejectAssignment();
    this.CONSUME(keyword.then);
    const then = this.SUBRULE1(this.expression);
    this.CONSUME(keyword.else);
    const otherwise = this.SUBRULE2(this.expression);
    const span = this.since(start);
    return { ...span, node: { kind: 'if', condition, then, else: otherwise, span } };
  });

  /** Operands and the operators between them that bind at least as tightly as `level`, to a tree. */
  protected readonly infix = this.RULE('infix', (level: number): Operand => {
    const first = this.SUBRULE(this.unary);
    const operands = [first];
    const operators: Operator[] = [];
    this.MANY({
      GATE: () => (precedenceOf.get(this.LA(1).tokenType) ?? 0) >= level,
      DEF: () => {
        operators.push(this.#operator(this.CONSUME(Infix)));
        operands.push(this.SUBRULE1(this.unary));
      },
    });
    if (operators.length === 0 || this.recording) return first;
    this.longChains ||= operators.length > longChain;
    return fold(this.source, operands, operators, level);
  });

  /** Prefixes, then a binder over the rest of the product, or a power. `-x^2` is `-(x^2)`. */
  protected readonly unary = this.RULE('unary', (): Operand => {
    this.enter();
    let signs: IToken[] | null = null;
    this.MANY(() => (signs ??= []).push(this.OR(this.#signs)));
    this.requireOperand();
    const inner = this.OR1(this.#operands);
    this.leave();
    return signs === null ? inner : this.#signed(signs, inner);
  });

  readonly #signs: { ALT: () => IToken }[] = [
    { ALT: () => this.CONSUME(symbol['-']) },
    { ALT: () => this.CONSUME(keyword.not) },
  ];

  readonly #operands: { GATE?: () => boolean; ALT: () => Operand }[] = [
    {
      GATE: () => this.next(Binder) && this.next(symbol['['], 2),
      ALT: () => this.SUBRULE(this.binder),
    },
    { ALT: () => this.SUBRULE(this.power) },
  ];

  protected readonly power = this.RULE('power', (): Operand => {
    const start = this.here;
    const node = this.SUBRULE(this.postfix);
    const left: Operand = { node, start, end: this.there };
    const raised = this.OPTION(() => {
      const operator = this.CONSUME(symbol['^']);
      const right = this.SUBRULE(this.unary);
      return binary(this.source, left, this.#operator(operator), right);
    });
    return raised ?? left;
  });

  /** `sum[i, j < t] body`: the body is the rest of the product. */
  protected readonly binder = this.RULE('binder', (): Operand => {
    const start = this.here;
    const name = this.CONSUME(Binder);
    const open = this.CONSUME(symbol['[']);
    const indices: BinderIndex[] = [];
    this.expectName('an index name');
    this.AT_LEAST_ONE_SEP({
      SEP: symbol[','],
      DEF: () => indices.push(this.SUBRULE(this.binderIndex)),
    });
    this.closing(symbol[']'], open, 'the indices of a binder', () => this.CONSUME(symbol[']']));
    const { node: body, end } = this.SUBRULE(this.infix, { ARGS: [productLevel] });
    const binder = name.image as BinderName;
    const span = this.span(start, end);
    return { start, end, node: { kind: 'binder', binder, indices, body, span } };
  });

  protected readonly binderIndex = this.RULE('binderIndex', (): BinderIndex => {
    const start = this.here;
    const name = this.SUBRULE(this.identifier);
    const limit = this.OPTION({
      GATE: () => precedenceOf.get(this.LA(1).tokenType) === relationLevel,
      DEF: () => {
        const relation = this.CONSUME(Infix).image as Relation;
        return { relation, bound: this.SUBRULE(this.infix, { ARGS: [sumLevel] }).node };
      },
    });
    const span = this.since(start);
    return { name, relation: limit?.relation ?? null, bound: limit?.bound ?? null, span };
  });

  #operator(token: IToken): Operator {
    const { image } = token;
    const precedence = precedenceOf.get(token.tokenType) ?? 0;
    if (image === '*' && this.next(symbol['*']))
      this.malformed(this.spanOf(this.LA(1)), '`**` is not an operator', 'write `^`');
    return { text: image, span: this.spanOf(token), precedence };
  }

  #signed(signs: readonly IToken[], inner: Operand): Operand {
    this.longChains ||= signs.length > longChain;
    const { end } = inner;
    return signs.reduceRight<Operand>(({ node }, { image, startOffset: start }) => {
      const operator = image === '-' ? '-' : 'not';
      const span = this.span(start, end);
      return { start, end, node: { kind: 'unary', operator, operand: node, span } };
    }, inner);
  }

  /** `if a = b`: whoever writes it means a comparison. */
  protected rejectAssignment(): void {
    if (!this.recording && this.next(symbol['=']))
      this.malformed(this.spanOf(this.LA(1)), '`=` binds a name', 'to compare, write `==`');
  }
}

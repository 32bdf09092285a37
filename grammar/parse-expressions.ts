// The parser's lowest layer: expressions, with indices, arguments, binders and literal arrays (language page, section 8, from
// `expr` down). Later layers, for types, statements and declarations, stand on it.

import type { IToken, TokenType } from 'chevrotain';
import type {
  Argument,
  BinderIndex,
  BinderName,
  Expression,
  Identifier as IdentifierNode,
  PackNode,
  Relation,
  ShapeNode,
  Slot,
} from './ast.ts';
import { binary, fold, type Operand, type Operator } from './fold.ts';
import { ParserBase } from './parser-base.ts';
import {
  Binder,
  Identifier,
  Infix,
  keyword,
  looseLevel,
  names,
  NumberToken,
  precedenceOf,
  productLevel,
  relationLevel,
  StringToken,
  sumLevel,
  symbol,
} from './tokens.ts';

interface CallTail {
  readonly arguments: readonly Argument[];
  readonly with: Expression | null;
}

type Tail = CallTail | { readonly slots: readonly Slot[] } | { readonly name: IdentifierNode };

const operandStarts: ReadonlySet<TokenType> = new Set([
  ...names,
  NumberToken,
  StringToken,
  keyword.true,
  keyword.false,
  keyword.fin,
  keyword.real,
  keyword.int,
  keyword.bool,
  symbol['('],
  symbol['['],
]);

const signs: ReadonlySet<TokenType> = new Set([symbol['-'], keyword.not]);

/** A chain longer than this makes its declaration's depth worth measuring. */
const longChain = 100;

export abstract class ExpressionParser extends ParserBase {
  protected readonly identifier = this.RULE('identifier', (): IdentifierNode => {
    const token = this.CONSUME(Identifier);
    return { text: token.image, span: this.spanOf(token) };
  });

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
    this.#requireOperand();
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

  /** An atom with its calls, indices and members. */
  protected readonly postfix = this.RULE('postfix', (): Expression => {
    const start = this.here;
    let node = this.OR(this.#atoms);
    let length = 0;
    this.MANY(() => {
      const tail = this.OR1(this.#tails);
      if (this.recording) return;
      const span = this.since(start);
      if ('slots' in tail) node = { kind: 'index', target: node, ...tail, span };
      else if ('name' in tail) node = { kind: 'member', target: node, ...tail, span };
      else node = { kind: 'call', callee: node, ...tail, span };
      length++;
    });
    this.longChains ||= length > longChain;
    return node;
  });

  readonly #tails: { ALT: () => Tail }[] = [
    { ALT: () => this.SUBRULE(this.callArguments) },
    { ALT: () => ({ slots: this.SUBRULE(this.index) }) },
    {
      ALT: () => {
        this.CONSUME(symbol['.']);
        return { name: this.SUBRULE(this.identifier) };
      },
    },
  ];

  readonly #atoms: { ALT: () => Expression }[] = [
    { ALT: () => this.#name(this.CONSUME(Identifier)) },
    { ALT: () => this.#number(this.CONSUME(NumberToken)) },
    { ALT: () => this.SUBRULE(this.parenthesised) },
    { ALT: () => this.SUBRULE(this.shape) },
    { ALT: () => this.#string(this.CONSUME(StringToken)) },
    { ALT: () => this.#boolean(this.CONSUME(keyword.true), true) },
    { ALT: () => this.#boolean(this.CONSUME(keyword.false), false) },
    { ALT: () => this.SUBRULE(this.finExpression) },
    // The scalar types are also the names of the conversions to them.
    { ALT: () => this.#name(this.CONSUME(keyword.real)) },
    { ALT: () => this.#name(this.CONSUME(keyword.int)) },
    { ALT: () => this.#name(this.CONSUME(keyword.bool)) },
  ];

  protected readonly finExpression = this.RULE('finExpression', (): Expression => {
    const start = this.here;
    this.CONSUME(keyword.fin);
    const open = this.CONSUME(symbol['(']);
    const value = this.SUBRULE(this.expression);
    this.closing(symbol[')'], open, '`fin(...)`', () => this.CONSUME(symbol[')']));
    return { kind: 'fin', value, span: this.since(start) };
  });

  protected readonly callArguments = this.RULE('callArguments', (): CallTail => {
    const open = this.CONSUME(symbol['(']);
    const list: Argument[] = [];
    this.MANY_SEP({
      SEP: symbol[','],
      DEF: () => list.push(this.SUBRULE(this.argument)),
    });
    const parameters = this.OPTION(() => {
      this.CONSUME(keyword.with);
      return this.SUBRULE(this.expression);
    });
    this.closing(symbol[')'], open, 'the arguments', () => this.CONSUME(symbol[')']));
    return { arguments: list, with: parameters ?? null };
  });

  /** `x`, `beta1 = 0.5`, or a pack, which stands for the shape of that pack alone. */
  protected readonly argument = this.RULE('argument', (): Argument => {
    const start = this.here;
    const name = this.OPTION({
      GATE: () => this.next(symbol['='], 2),
      DEF: () => {
        const named = this.SUBRULE(this.identifier);
        this.CONSUME(symbol['=']);
        return named;
      },
    });
    if (!this.next(symbol['..'])) this.requireExpression();
    const value = this.OR(this.#argumentValues);
    return { name: name ?? null, value, span: this.since(start) };
  });

  readonly #argumentValues: { ALT: () => Expression }[] = [
    {
      ALT: () => {
        const pack = this.SUBRULE(this.pack);
        return { kind: 'shape', dimensions: [pack], span: pack.span };
      },
    },
    { ALT: () => this.SUBRULE(this.expression) },
  ];

  protected readonly pack = this.RULE('pack', (): PackNode => {
    const start = this.here;
    this.CONSUME(symbol['..']);
    const name = this.SUBRULE(this.identifier);
    return { kind: 'pack', name, span: this.since(start) };
  });

  protected readonly index = this.RULE('index', (): Slot[] => {
    const open = this.CONSUME(symbol['[']);
    const slots: Slot[] = [];
    this.#requireSlot();
    this.AT_LEAST_ONE_SEP({
      SEP: symbol[','],
      DEF: () => slots.push(this.SUBRULE(this.slot)),
    });
    this.closing(symbol[']'], open, 'an index', () => this.CONSUME(symbol[']']));
    return slots;
  });

  /** `..`, `:`, `:k`, `i`, `a:b`, `a:` */
  protected readonly slot = this.RULE('slot', (): Slot => {
    this.#requireSlot();
    return this.OR(this.#slots);
  });

  readonly #slots: { ALT: () => Slot }[] = [
    {
      ALT: () => {
        const start = this.here;
        this.CONSUME(symbol['..']);
        return { kind: 'ellipsis', span: this.since(start) };
      },
    },
    {
      ALT: () => {
        const start = this.here;
        const to = this.SUBRULE(this.rangeEnd);
        return { kind: 'range', from: null, to, span: this.since(start) };
      },
    },
    {
      ALT: () => {
        const start = this.here;
        const value = this.SUBRULE(this.expression);
        const range = this.OPTION(() => ({ to: this.SUBRULE1(this.rangeEnd) }));
        const span = this.since(start);
        return range === undefined
          ? { kind: 'at', value, span }
          : { kind: 'range', from: value, to: range.to, span };
      },
    },
  ];

  /** The `:` of a range and what may follow it. */
  protected readonly rangeEnd = this.RULE('rangeEnd', (): Expression | null => {
    this.CONSUME(symbol[':']);
    const end = this.OPTION(() => this.SUBRULE(this.infix, { ARGS: [sumLevel] }));
    return end?.node ?? null;
  });

  /** `(e)` leaves no node; `(a, b)` is a tuple. */
  protected readonly parenthesised = this.RULE('parenthesised', (): Expression => {
    const start = this.here;
    const items: Expression[] = [];
    const open = this.CONSUME(symbol['(']);
    this.requireExpression();
    this.AT_LEAST_ONE_SEP({
      SEP: symbol[','],
      DEF: () => items.push(this.SUBRULE(this.expression)),
    });
    this.closing(symbol[')'], open, 'parentheses', () => this.CONSUME(symbol[')']));
    return items.length === 1 ? items[0] : { kind: 'tuple', items, span: this.since(start) };
  });

  /** `[..B, 2 * n]` of a type, and the literal array `[0, 1]`. */
  protected readonly shape = this.RULE('shape', (): ShapeNode => {
    const start = this.here;
    const dimensions: (PackNode | Expression)[] = [];
    const open = this.CONSUME(symbol['[']);
    this.MANY_SEP({
      SEP: symbol[','],
      DEF: () => {
        if (!this.next(symbol['..'])) this.requireExpression();
        this.OR([
          { ALT: () => dimensions.push(this.SUBRULE(this.pack)) },
          { ALT: () => dimensions.push(this.SUBRULE(this.expression)) },
        ]);
      },
    });
    this.closing(symbol[']'], open, 'a list in brackets', () => this.CONSUME(symbol[']']));
    return { kind: 'shape', dimensions, span: this.since(start) };
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

  #name(token: IToken): Expression {
    return { kind: 'name', text: token.image, span: this.spanOf(token) };
  }

  #string(token: IToken): Expression {
    return { kind: 'string', value: contentOf(token), span: this.spanOf(token) };
  }

  #boolean(token: IToken, value: boolean): Expression {
    return { kind: 'boolean', value, span: this.spanOf(token) };
  }

  #number(token: IToken): Expression {
    const span = this.spanOf(token);
    const after = this.LA(1);
    if (after.startOffset === span.end && this.isName(1))
      this.malformed(
        this.span(span.start, after.startOffset + after.image.length),
        'a number runs into a name',
        `write \`${token.image} * ${after.image}\`, or put a space between them`,
      );
    return { kind: 'number', text: token.image, span };
  }

  /** `if a = b`: whoever writes it means a comparison. */
  protected rejectAssignment(): void {
    if (!this.recording && this.next(symbol['=']))
      this.malformed(this.spanOf(this.LA(1)), '`=` binds a name', 'to compare, write `==`');
  }

  protected requireExpression(): void {
    const { tokenType } = this.LA(1);
    if (tokenType !== keyword.if && !signs.has(tokenType)) this.#requireOperand();
  }

  #requireSlot(): void {
    if (!this.next(symbol['..']) && !this.next(symbol[':'])) this.requireExpression();
  }

  #requireOperand(): void {
    if (operandStarts.has(this.LA(1).tokenType) && !this.lineBeginsBinding) return;
    if (this.next(symbol['<-']))
      this.malformed(
        this.spanOf(this.LA(1)),
        '`<-` updates a name',
        'to compare with a negative number, put a space: `< -`',
      );
    this.expect(false, ['an expression']);
  }
}

/** The text between the quotes; the closing one may be missing. */
export const contentOf = (token: IToken): string =>
  token.image.slice(1, token.image.length > 1 && token.image.endsWith('"') ? -1 : undefined);

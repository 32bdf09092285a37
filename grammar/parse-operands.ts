// The parser's lowest layer: what stands between operators. Names and literals, parentheses and arrays, with the calls, indices and members
// behind them. Inside of these are expressions again, which the next layer parses.

import type { IToken, ParserMethod, TokenType } from 'chevrotain';
import type {
  Argument,
  Expression,
  Identifier as IdentifierNode,
  PackNode,
  ShapeNode,
  Slot,
} from './ast.ts';
import type { Operand } from './fold.ts';
import { ParserBase } from './parser-base.ts';
import {
  Identifier,
  keyword,
  names,
  NumberToken,
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
export const longChain = 100;

export abstract class OperandParser extends ParserBase {
  protected abstract readonly expression: ParserMethod<[], Expression>;
  /** Operands and the operators between them that bind at least as tightly as a level. */
  protected abstract readonly infix: ParserMethod<[number], Operand>;

  protected readonly identifier = this.RULE('identifier', (): IdentifierNode => {
    const token = this.CONSUME(Identifier);
    return { text: token.image, span: this.spanOf(token) };
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

  protected requireExpression(): void {
    const { tokenType } = this.LA(1);
    if (tokenType !== keyword.if && !signs.has(tokenType)) this.requireOperand();
  }

  #requireSlot(): void {
    if (!this.next(symbol['..']) && !this.next(symbol[':'])) this.requireExpression();
  }

  protected requireOperand(): void {
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

// The parser's lowest layer: expressions, with indices, arguments, binders and literal arrays (language page, section 8, from
// `expr` down). Later layers, for types, statements and declarations, stand on it.

import type { IToken } from 'chevrotain';
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
import { binary, foldLeft, foldLoose, type Operand, type OperatorToken } from './fold.ts';
import { ParserBase } from './parser-base.ts';
import {
  Binder,
  Identifier,
  keyword,
  NumberToken,
  placeOf,
  StringToken,
  symbol,
} from './tokens.ts';

const operandStarts = new Set([
  Identifier,
  Binder,
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

const prefixes = new Set([symbol['-'], keyword.not]);

/** A chain longer than this makes its declaration's depth worth measuring. */
const longChain = 100;

export abstract class ExpressionParser extends ParserBase {
  protected readonly identifier = this.RULE('identifier', (): IdentifierNode => {
    const token = this.CONSUME(Identifier);
    return this.ACTION(() => ({ text: token.image, span: this.spanOf(token) }));
  });

  /** `if c then a else b`, or operators over sums. */
  protected readonly expression = this.RULE('expression', (): Expression => {
    this.ACTION(() => {
      this.enter();
      this.requireExpression();
    });
    const node = this.OR<Expression>([
      { ALT: () => this.SUBRULE(this.conditional) },
      { ALT: () => this.SUBRULE(this.loose) },
    ]);
    this.ACTION(() => this.leave());
    return node;
  });

  protected readonly conditional = this.RULE('conditional', (): Expression => {
    const start = this.here;
    this.CONSUME(keyword.if);
    const condition = this.SUBRULE(this.expression);
    this.ACTION(() => {
      if (this.next(symbol['=']))
        this.malformed(this.spanOf(this.LA(1)), '`=` binds a name', 'to compare, write `==`');
    });
    this.CONSUME(keyword.then);
    const then = this.SUBRULE1(this.expression);
    this.CONSUME(keyword.else);
    const otherwise = this.SUBRULE2(this.expression);
    return this.ACTION(() => ({
      kind: 'if',
      condition,
      then,
      else: otherwise,
      span: this.since(start),
    }));
  });

  /** `|>`, `or`, `and` and relations, read as one list. */
  protected readonly loose = this.RULE('loose', (): Expression => {
    const operands: Operand[] = [];
    const operators: OperatorToken[] = [];
    operands.push(this.SUBRULE(this.sum));
    this.MANY(() => {
      const operator = this.OR([
        { ALT: () => this.CONSUME(symbol['|>']) },
        { ALT: () => this.CONSUME(keyword.or) },
        { ALT: () => this.CONSUME(keyword.and) },
        { ALT: () => this.SUBRULE(this.relation) },
      ]);
      this.ACTION(() => operators.push(this.operator(operator)));
      operands.push(this.SUBRULE1(this.sum));
    });
    return this.ACTION(() => {
      this.longChains ||= operators.length > longChain;
      return foldLoose(this.source, operands, operators).node;
    });
  });

  protected readonly relation = this.RULE('relation', (): IToken =>
    this.OR([
      { ALT: () => this.CONSUME(symbol['<']) },
      { ALT: () => this.CONSUME(symbol['<=']) },
      { ALT: () => this.CONSUME(symbol['>']) },
      { ALT: () => this.CONSUME(symbol['>=']) },
      { ALT: () => this.CONSUME(symbol['==']) },
      { ALT: () => this.CONSUME(symbol['!=']) },
    ]),
  );

  protected readonly sum = this.RULE('sum', (): Operand => {
    const operands: Operand[] = [];
    const operators: OperatorToken[] = [];
    operands.push(this.SUBRULE(this.product));
    this.MANY(() => {
      const operator = this.OR([
        { ALT: () => this.CONSUME(symbol['+']) },
        { ALT: () => this.CONSUME(symbol['-']) },
      ]);
      this.ACTION(() => operators.push(this.operator(operator)));
      operands.push(this.SUBRULE1(this.product));
    });
    return this.ACTION(() => {
      this.longChains ||= operators.length > longChain;
      return foldLeft(this.source, operands, operators);
    });
  });

  protected readonly product = this.RULE('product', (): Operand => {
    const operands: Operand[] = [];
    const operators: OperatorToken[] = [];
    operands.push(this.SUBRULE(this.unary));
    this.MANY(() => {
      const operator = this.OR([
        { ALT: () => this.CONSUME(symbol['*']) },
        { ALT: () => this.CONSUME(symbol['/']) },
        { ALT: () => this.CONSUME(symbol['//']) },
        { ALT: () => this.CONSUME(symbol['%']) },
        { ALT: () => this.CONSUME(symbol['@']) },
      ]);
      this.ACTION(() => {
        operators.push(this.operator(operator));
        if (operator.tokenType === symbol['*'] && this.next(symbol['*']))
          this.malformed(this.spanOf(this.LA(1)), '`**` is not an operator', 'write `^`');
      });
      operands.push(this.SUBRULE1(this.unary));
    });
    return this.ACTION(() => {
      this.longChains ||= operators.length > longChain;
      return foldLeft(this.source, operands, operators);
    });
  });

  /** Prefixes, then a binder over the rest of the product, or a power. `-x^2` is `-(x^2)`. */
  protected readonly unary = this.RULE('unary', (): Operand => {
    this.ACTION(() => this.enter());
    const signs: IToken[] = [];
    this.MANY(() => {
      signs.push(
        this.OR([
          { ALT: () => this.CONSUME(symbol['-']) },
          { ALT: () => this.CONSUME(keyword.not) },
        ]),
      );
    });
    this.ACTION(() => this.#requireOperand());
    const inner = this.OR1<Operand>([
      {
        GATE: () => this.next(Binder) && this.next(symbol['['], 2),
        ALT: () => this.SUBRULE(this.binder),
      },
      { ALT: () => this.SUBRULE(this.power) },
    ]);
    return this.ACTION(() => {
      this.leave();
      this.longChains ||= signs.length > longChain;
      return signs.reduceRight<Operand>(
        ({ node, end }, { image, startOffset }) => ({
          start: startOffset,
          end,
          node: {
            kind: 'unary',
            operator: image === '-' ? '-' : 'not',
            operand: node,
            span: this.span(startOffset, end),
          },
        }),
        inner,
      );
    });
  });

  protected readonly power = this.RULE('power', (): Operand => {
    const start = this.here;
    const base = this.SUBRULE(this.postfix);
    const left = this.ACTION((): Operand => ({ node: base, start, end: this.there }));
    const raised = this.OPTION(() => {
      const operator = this.CONSUME(symbol['^']);
      const right = this.SUBRULE(this.unary);
      return this.ACTION(() => binary(this.source, left, this.operator(operator), right));
    });
    return raised ?? left;
  });

  /** `sum[i, j < t] body`: the body is the rest of the product. */
  protected readonly binder = this.RULE('binder', (): Operand => {
    const start = this.here;
    const name = this.CONSUME(Binder);
    const open = this.CONSUME(symbol['[']);
    const indices: BinderIndex[] = [];
    this.ACTION(() => {
      if (!this.isName(1)) this.fail(['an index name']);
    });
    this.AT_LEAST_ONE_SEP({
      SEP: symbol[','],
      DEF: () => indices.push(this.SUBRULE(this.binderIndex)),
    });
    this.closing(symbol[']'], open, 'the indices of a binder', () => this.CONSUME(symbol[']']));
    const body = this.SUBRULE(this.product);
    return this.ACTION(() => ({
      start,
      end: body.end,
      node: {
        kind: 'binder',
        binder: name.image as BinderName,
        indices,
        body: body.node,
        span: this.span(start, body.end),
      },
    }));
  });

  protected readonly binderIndex = this.RULE('binderIndex', (): BinderIndex => {
    const start = this.here;
    const name = this.SUBRULE(this.identifier);
    const limit = this.OPTION(() => {
      const relation = this.SUBRULE(this.relation);
      const bound = this.SUBRULE(this.sum);
      return this.ACTION(() => ({ relation: relation.image as Relation, bound: bound.node }));
    });
    return this.ACTION(() => ({
      name,
      relation: limit?.relation ?? null,
      bound: limit?.bound ?? null,
      span: this.since(start),
    }));
  });

  /** An atom with its calls, indices and members. */
  protected readonly postfix = this.RULE('postfix', (): Expression => {
    const start = this.here;
    let node = this.SUBRULE(this.atom);
    let length = 0;
    this.MANY(() => {
      this.OR([
        {
          ALT: () => {
            const list = this.SUBRULE(this.callArguments);
            this.ACTION(() => {
              node = { kind: 'call', callee: node, ...list, span: this.since(start) };
            });
          },
        },
        {
          ALT: () => {
            const slots = this.SUBRULE(this.index);
            this.ACTION(() => {
              node = { kind: 'index', target: node, slots, span: this.since(start) };
            });
          },
        },
        {
          ALT: () => {
            this.CONSUME(symbol['.']);
            const name = this.SUBRULE(this.identifier);
            this.ACTION(() => {
              node = { kind: 'member', target: node, name, span: this.since(start) };
            });
          },
        },
      ]);
      length++;
    });
    this.ACTION(() => {
      this.longChains ||= length > longChain;
    });
    return node;
  });

  protected readonly callArguments = this.RULE(
    'callArguments',
    (): { readonly arguments: readonly Argument[]; readonly with: Expression | null } => {
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
      return this.ACTION(() => ({ arguments: list, with: parameters ?? null }));
    },
  );

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
    this.ACTION(() => {
      if (!this.next(symbol['..'])) this.requireExpression();
    });
    const value = this.OR<Expression>([
      {
        ALT: () => {
          const pack = this.SUBRULE(this.pack);
          return this.ACTION(() => ({ kind: 'shape', dimensions: [pack], span: pack.span }));
        },
      },
      { ALT: () => this.SUBRULE(this.expression) },
    ]);
    return this.ACTION(() => ({ name: name ?? null, value, span: this.since(start) }));
  });

  protected readonly pack = this.RULE('pack', (): PackNode => {
    const start = this.here;
    this.CONSUME(symbol['..']);
    const name = this.SUBRULE(this.identifier);
    return this.ACTION(() => ({ kind: 'pack', name, span: this.since(start) }));
  });

  protected readonly index = this.RULE('index', (): Slot[] => {
    const open = this.CONSUME(symbol['[']);
    const slots: Slot[] = [];
    this.ACTION(() => this.#requireSlot());
    this.AT_LEAST_ONE_SEP({
      SEP: symbol[','],
      DEF: () => slots.push(this.SUBRULE(this.slot)),
    });
    this.closing(symbol[']'], open, 'an index', () => this.CONSUME(symbol[']']));
    return slots;
  });

  /** `..`, `:`, `:k`, `i`, `a:b`, `a:` */
  protected readonly slot = this.RULE('slot', (): Slot => {
    const start = this.here;
    this.ACTION(() => this.#requireSlot());
    return this.OR<Slot>([
      {
        ALT: () => {
          this.CONSUME(symbol['..']);
          return this.ACTION(() => ({ kind: 'ellipsis', span: this.since(start) }));
        },
      },
      {
        ALT: () => {
          this.CONSUME(symbol[':']);
          const to = this.OPTION(() => this.SUBRULE(this.sum));
          return this.ACTION(() => ({
            kind: 'range',
            from: null,
            to: to?.node ?? null,
            span: this.since(start),
          }));
        },
      },
      {
        ALT: () => {
          const value = this.SUBRULE(this.expression);
          const range = this.OPTION1(() => {
            this.CONSUME1(symbol[':']);
            const to = this.OPTION2(() => this.SUBRULE1(this.sum));
            return this.ACTION(() => ({ to: to?.node ?? null }));
          });
          return this.ACTION(() =>
            range === undefined
              ? { kind: 'at', value, span: this.since(start) }
              : { kind: 'range', from: value, to: range.to, span: this.since(start) },
          );
        },
      },
    ]);
  });

  protected readonly atom = this.RULE('atom', (): Expression => {
    const start = this.here;
    return this.OR<Expression>([
      {
        ALT: () => {
          const token = this.CONSUME(Identifier);
          return this.ACTION(() => ({
            kind: 'name',
            text: token.image,
            span: this.spanOf(token),
          }));
        },
      },
      {
        ALT: () => {
          const token = this.CONSUME(NumberToken);
          return this.ACTION(() => this.#number(token));
        },
      },
      { ALT: () => this.SUBRULE(this.parenthesised) },
      { ALT: () => this.SUBRULE(this.shape) },
      {
        ALT: () => {
          const token = this.CONSUME(StringToken);
          return this.ACTION(() => ({
            kind: 'string',
            value: contentOf(token),
            span: this.spanOf(token),
          }));
        },
      },
      {
        ALT: () => {
          const token = this.OR1([
            { ALT: () => this.CONSUME(keyword.true) },
            { ALT: () => this.CONSUME(keyword.false) },
          ]);
          return this.ACTION(() => ({
            kind: 'boolean',
            value: token.image === 'true',
            span: this.spanOf(token),
          }));
        },
      },
      {
        ALT: () => {
          this.CONSUME(keyword.fin);
          const open = this.CONSUME(symbol['(']);
          const value = this.SUBRULE(this.expression);
          this.closing(symbol[')'], open, '`fin(...)`', () => this.CONSUME(symbol[')']));
          return this.ACTION(() => ({ kind: 'fin', value, span: this.since(start) }));
        },
      },
      {
        // The scalar types are also the names of the conversions to them.
        ALT: () => {
          const token = this.OR2([
            { ALT: () => this.CONSUME(keyword.real) },
            { ALT: () => this.CONSUME(keyword.int) },
            { ALT: () => this.CONSUME(keyword.bool) },
          ]);
          return this.ACTION(() => ({
            kind: 'name',
            text: token.image,
            span: this.spanOf(token),
          }));
        },
      },
    ]);
  });

  /** `(e)` leaves no node; `(a, b)` is a tuple. */
  protected readonly parenthesised = this.RULE('parenthesised', (): Expression => {
    const start = this.here;
    const items: Expression[] = [];
    const open = this.CONSUME(symbol['(']);
    this.ACTION(() => this.requireExpression());
    this.AT_LEAST_ONE_SEP({
      SEP: symbol[','],
      DEF: () => items.push(this.SUBRULE(this.expression)),
    });
    this.closing(symbol[')'], open, 'parentheses', () => this.CONSUME(symbol[')']));
    return this.ACTION(() =>
      items.length === 1 ? items[0] : { kind: 'tuple', items, span: this.since(start) },
    );
  });

  /** `[..B, 2 * n]` of a type, and the literal array `[0, 1]`. */
  protected readonly shape = this.RULE('shape', (): ShapeNode => {
    const start = this.here;
    const dimensions: (PackNode | Expression)[] = [];
    const open = this.CONSUME(symbol['[']);
    this.MANY_SEP({
      SEP: symbol[','],
      DEF: () => {
        this.ACTION(() => {
          if (!this.next(symbol['..'])) this.requireExpression();
        });
        this.OR([
          { ALT: () => dimensions.push(this.SUBRULE(this.pack)) },
          { ALT: () => dimensions.push(this.SUBRULE(this.expression)) },
        ]);
      },
    });
    this.closing(symbol[']'], open, 'a list in brackets', () => this.CONSUME(symbol[']']));
    return this.ACTION(() => ({ kind: 'shape', dimensions, span: this.since(start) }));
  });

  protected operator(token: IToken): OperatorToken {
    return { text: token.image, span: this.spanOf(token) };
  }

  #number(token: IToken): Expression {
    const span = this.spanOf(token);
    const after = this.LA(1);
    if (after.startOffset === span.end && this.isName(1) && !placeOf(after).firstOnLine)
      this.malformed(
        this.span(span.start, after.startOffset + after.image.length),
        'a number runs into a name',
        `write \`${token.image} * ${after.image}\`, or put a space between them`,
      );
    return { kind: 'number', text: token.image, span };
  }

  /** Fails in words where no expression can start, before chevrotain would in token classes. */
  protected requireExpression(): void {
    const { tokenType } = this.LA(1);
    const starts = tokenType === keyword.if || prefixes.has(tokenType);
    if (!starts) this.#requireOperand();
  }

  #requireSlot(): void {
    if (!this.next(symbol['..']) && !this.next(symbol[':'])) this.requireExpression();
  }

  #requireOperand(): void {
    const starts = operandStarts.has(this.LA(1).tokenType) || this.isName(1);
    if (starts && !this.lineBeginsBinding) return;
    if (this.next(symbol['<-']))
      this.malformed(
        this.spanOf(this.LA(1)),
        '`<-` updates a name',
        'to compare with a negative number, put a space: `< -`',
      );
    this.fail(['an expression']);
  }
}

/** The text between the quotes; the closing one may be missing. */
export const contentOf = (token: IToken): string =>
  token.image.slice(1, token.image.length > 1 && token.image.endsWith('"') ? -1 : undefined);

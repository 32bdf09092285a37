// The parser's fourth layer: blocks, loops and bindings.

import type {
  Bind,
  Block,
  ErrorNode,
  Expression,
  FixStatement,
  ForStatement,
  IfStatement,
  Init,
  RootStatement,
  Statement,
  Target,
} from './ast.ts';
import { TypeParser } from './parse-types.ts';
import { bindOperators, sequences, statementWords } from './sequences.ts';
import { contextual, keyword, symbol } from './tokens.ts';

const valueEnds = new Set([symbol['}'], keyword.return]);
const blockEnd = new Set([symbol['}']]);

export abstract class StatementParser extends TypeParser {
  protected readonly block = this.RULE('block', (): Block => {
    const start = this.here;
    const statements: (Statement | ErrorNode)[] = [];
    const open = this.CONSUME(symbol['{']);
    this.enter();
    this.sequence(sequences.statements, statements, () =>
      this.MANY(() => statements.push(this.SUBRULE(this.statement))),
    );
    const result = this.OPTION(() => this.SUBRULE(this.returned));
    this.leave();
    this.closing(symbol['}'], open, 'a block', () => this.CONSUME(symbol['}']));
    return {
      kind: 'block',
      statements,
      result: result ?? null,
      span: this.since(start),
    };
  });

  /** `return e`, after which only the end of the block stands. */
  protected readonly returned = this.RULE('returned', (): Expression => {
    const result = this.attempt(blockEnd, () => {
      this.CONSUME(keyword.return);
      return this.SUBRULE(this.expression);
    });
    const ended = this.next(symbol['}']) || Number.isNaN(this.LA(1).startOffset);
    this.attempt(blockEnd, () => this.expect(ended, ['`}`'], 'a block: `return` ends it'));
    return result;
  });

  /** The body of `root`: a block, or only the expression whose zero is sought. */
  protected readonly rootBody = this.RULE('rootBody', (): Block => {
    const start = this.here;
    return this.OR<Block>([
      {
        IGNORE_AMBIGUITIES: true,
        GATE: () => {
          const ahead = this.LA(2).tokenType;
          if (ahead === symbol['}'] || statementWords.has(ahead)) return true;
          return this.bindAhead(true, 2, Number.POSITIVE_INFINITY);
        },
        ALT: () => this.SUBRULE(this.block),
      },
      {
        ALT: () => {
          const open = this.CONSUME(symbol['{']);
          const result = this.attempt(blockEnd, () => this.SUBRULE(this.expression));
          this.closing(symbol['}'], open, 'a block', () => this.CONSUME(symbol['}']));
          return {
            kind: 'block',
            statements: [],
            result,
            span: this.since(start),
          };
        },
      },
    ]);
  });

  protected readonly statement = this.RULE('statement', (): Statement =>
    this.OR<Statement>([
      { ALT: () => this.SUBRULE(this.forStatement) },
      { ALT: () => this.SUBRULE(this.fixStatement) },
      { ALT: () => this.SUBRULE(this.rootStatement) },
      { ALT: () => this.SUBRULE(this.ifStatement) },
      { ALT: () => this.SUBRULE(this.bind) },
    ]),
  );

  protected readonly forStatement = this.RULE('forStatement', (): ForStatement => {
    const start = this.here;
    this.CONSUME(keyword.for);
    const variable = this.SUBRULE(this.identifier);
    const related = this.next(symbol['<']) || this.next(keyword.in);
    this.expect(related, ['`<`', '`in`'], 'a `for` loop');
    const relation = this.OR([
      { ALT: () => this.CONSUME(symbol['<']) },
      { ALT: () => this.CONSUME(keyword.in) },
    ]);
    const range = this.SUBRULE(this.expression);
    const down = this.OPTION(() => this.CONSUME(contextual.down));
    const recompute = this.OPTION3(() => this.CONSUME(contextual.recompute));
    const until = this.OPTION1(() => {
      this.CONSUME(contextual.until);
      return this.SUBRULE1(this.expression);
    });
    const carries = this.OPTION2(() => {
      this.CONSUME(keyword.with);
      return this.SUBRULE(this.inits);
    });
    const body = this.SUBRULE(this.block);
    return {
      kind: 'for',
      variable,
      relation: relation.image === 'in' ? 'in' : '<',
      range,
      down: down !== undefined,
      recompute: recompute !== undefined,
      until: until ?? null,
      carries: carries ?? [],
      body,
      span: this.since(start),
    };
  });

  protected readonly inits = this.RULE('inits', (): Init[] => {
    const list: Init[] = [];
    this.expectName('a name and its first value');
    this.AT_LEAST_ONE_SEP({
      SEP: symbol[','],
      DEF: () => list.push(this.SUBRULE(this.init)),
    });
    return list;
  });

  /** The value of a binding or declaration; if it fails, an error node, so that its name stands. */
  protected readonly value = this.RULE('value', (): Expression =>
    this.attempt(valueEnds, () => this.SUBRULE(this.expression), true),
  );

  protected readonly init = this.RULE('init', (): Init => {
    const start = this.here;
    const name = this.SUBRULE(this.identifier);
    this.CONSUME(symbol['=']);
    const value = this.SUBRULE(this.expression);
    return { name, value, span: this.since(start) };
  });

  protected readonly fixStatement = this.RULE('fixStatement', (): FixStatement => {
    const start = this.here;
    this.CONSUME(keyword.fix);
    const carries = this.SUBRULE(this.inits);
    this.CONSUME(contextual.tol);
    const tolerance = this.SUBRULE(this.expression);
    this.CONSUME(contextual.within);
    const within = this.SUBRULE1(this.expression);
    const body = this.SUBRULE(this.block);
    return {
      kind: 'fix',
      carries,
      tolerance,
      within,
      body,
      span: this.since(start),
    };
  });

  protected readonly rootStatement = this.RULE('rootStatement', (): RootStatement => {
    const start = this.here;
    this.CONSUME(keyword.root);
    const variable = this.SUBRULE(this.identifier);
    this.CONSUME(keyword.in);
    const open = this.CONSUME(symbol['(']);
    const low = this.SUBRULE(this.expression);
    this.CONSUME(symbol[',']);
    const high = this.SUBRULE1(this.expression);
    this.closing(symbol[')'], open, 'the bracket of a root', () => this.CONSUME(symbol[')']));
    this.CONSUME(contextual.tol);
    const tolerance = this.SUBRULE2(this.expression);
    this.CONSUME(contextual.within);
    const within = this.SUBRULE3(this.expression);
    this.expect(this.next(symbol['{']), ['`{`']);
    const body = this.SUBRULE(this.rootBody);
    return {
      kind: 'root',
      variable,
      low,
      high,
      tolerance,
      within,
      body,
      span: this.since(start),
    };
  });

  protected readonly ifStatement = this.RULE('ifStatement', (): IfStatement => {
    const start = this.here;
    this.CONSUME(keyword.if);
    const condition = this.SUBRULE(this.expression);
    this.rejectAssignment();
    if (this.next(keyword.then))
      this.malformed(
        this.spanOf(this.LA(1)),
        'an `if` with `then` is an expression, and stands in a binding',
        'write `x = if c then a else b`, or `if c { ... } else { ... }`',
      );
    const then = this.SUBRULE(this.block);
    const otherwise = this.OPTION(() => {
      this.CONSUME(keyword.else);
      if (this.next(keyword.if))
        this.malformed(
          this.spanOf(this.LA(1)),
          '`else` takes a block',
          'write `else { if ... { ... } }`',
        );
      return this.SUBRULE1(this.block);
    });
    return {
      kind: 'if-statement',
      condition,
      then,
      else: otherwise ?? null,
      span: this.since(start),
    };
  });

  /** `y[.., o] = e`, `a, b = f(x)`, `e: [B] ~ normal(0, 1)`, `s, c <- cell(x, s, c)` */
  protected readonly bind = this.RULE('bind', (): Bind => {
    const start = this.here;
    const targets: Target[] = [];
    const values: Expression[] = [];
    this.expectName();
    this.AT_LEAST_ONE_SEP({
      SEP: symbol[','],
      DEF: () => targets.push(this.SUBRULE(this.target)),
    });
    this.#requireOperator(start);
    const operator = this.OR([
      { ALT: () => this.CONSUME(symbol['=']) },
      { ALT: () => this.CONSUME(symbol['~']) },
      { ALT: () => this.CONSUME(symbol['<-']) },
    ]);
    values.push(this.SUBRULE(this.value));
    this.MANY(() => {
      this.CONSUME(symbol[',']);
      values.push(this.SUBRULE1(this.value));
    });
    return {
      kind: 'bind',
      targets,
      operator: operator.image as Bind['operator'],
      values,
      span: this.since(start),
    };
  });

  #requireOperator(start: number): void {
    const { tokenType } = this.LA(1);
    if (bindOperators.has(tokenType)) return;
    if (tokenType === symbol['('] || tokenType === symbol['.'])
      this.malformed(
        this.since(start),
        'a statement binds a name, and an expression alone does nothing',
        'write `y = ...`, or `return ...` at the end of a block',
      );
    if (tokenType === symbol['}'])
      this.malformed(
        this.since(start),
        'an expression alone is not a statement',
        'to give it back, write `return`',
      );
    this.expect(false, ['`=`', '`~`', '`<-`']);
  }

  protected readonly target = this.RULE('target', (): Target => {
    const start = this.here;
    const name = this.SUBRULE(this.identifier);
    const slots = this.OPTION(() => this.SUBRULE(this.index));
    const type = this.OPTION1(() => {
      this.CONSUME(symbol[':']);
      return this.SUBRULE(this.type);
    });
    return {
      name,
      slots: slots ?? null,
      type: type ?? null,
      span: this.since(start),
    };
  });
}

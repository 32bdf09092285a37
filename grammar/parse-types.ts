// The parser's third layer: types, fields, parameters and `where` clauses.

import type { BaseType, Expression, Field, Parameter, Path, ScalarBase, TypeNode } from './ast.ts';
import { ExpressionParser } from './parse-expressions.ts';
import { keyword, symbol } from './tokens.ts';

const scalarBases = [keyword.real, keyword.int, keyword.bool, keyword.dim, keyword.mdp];
const typeStarts = new Set([symbol['['], symbol['('], keyword.fin, ...scalarBases]);

/** Where a parameter or a result type that failed is given up. */
const parameterEnds = new Set([symbol[','], symbol[')'], symbol['{'], symbol['}']]);
const resultEnds = new Set([symbol['='], symbol['{'], symbol['}'], keyword.where]);

export abstract class TypeParser extends ExpressionParser {
  protected readonly type = this.RULE('type', (): TypeNode => {
    const start = this.here;
    this.enter();
    this.expect(typeStarts.has(this.LA(1).tokenType) || this.isName(1), ['a type']);
    const node = this.OR<TypeNode>([
      {
        ALT: () => {
          const shape = this.SUBRULE(this.shape);
          return {
            kind: 'tensor-type',
            base: null,
            shape,
            span: shape.span,
          };
        },
      },
      { ALT: () => this.SUBRULE(this.parenthesisedType) },
      {
        ALT: () => {
          const base = this.SUBRULE(this.base);
          const shape = this.OPTION(() => this.SUBRULE1(this.shape));
          return {
            kind: 'tensor-type',
            base,
            shape: shape ?? null,
            span: this.since(start),
          };
        },
      },
    ]);
    this.leave();
    return node;
  });

  protected readonly base = this.RULE('base', (): BaseType => {
    const start = this.here;
    return this.OR<BaseType>([
      {
        ALT: () => {
          const token = this.OR1([
            { ALT: () => this.CONSUME(keyword.real) },
            { ALT: () => this.CONSUME(keyword.int) },
            { ALT: () => this.CONSUME(keyword.bool) },
            { ALT: () => this.CONSUME(keyword.dim) },
            { ALT: () => this.CONSUME(keyword.mdp) },
          ]);
          return {
            kind: 'scalar-base',
            name: token.image as ScalarBase['name'],
            span: this.spanOf(token),
          };
        },
      },
      {
        ALT: () => {
          this.CONSUME(keyword.fin);
          const open = this.CONSUME(symbol['(']);
          const size = this.SUBRULE(this.expression);
          this.closing(symbol[')'], open, '`fin(...)`', () => this.CONSUME(symbol[')']));
          return { kind: 'fin-base', size, span: this.since(start) };
        },
      },
      {
        ALT: () => {
          const path = this.SUBRULE(this.path);
          const list = this.OPTION(() => this.SUBRULE(this.callArguments));
          return {
            kind: 'named-base',
            path,
            arguments: list?.arguments ?? null,
            span: this.since(start),
          };
        },
      },
    ]);
  });

  protected readonly path = this.RULE('path', (): Path => {
    const start = this.here;
    const parts = [this.SUBRULE(this.identifier)];
    this.MANY(() => {
      this.CONSUME(symbol['.']);
      parts.push(this.SUBRULE1(this.identifier));
    });
    return { parts, span: this.since(start) };
  });

  /** `(mu: [B], lv: [B])`, `([N, 3]) -> [N]`; `(t)` leaves no node. */
  protected readonly parenthesisedType = this.RULE('parenthesisedType', (): TypeNode => {
    const start = this.here;
    const fields: Field[] = [];
    const open = this.CONSUME(symbol['(']);
    this.AT_LEAST_ONE_SEP({
      SEP: symbol[','],
      DEF: () => fields.push(this.SUBRULE(this.field)),
    });
    this.closing(symbol[')'], open, 'a list of types', () => this.CONSUME(symbol[')']));
    const result = this.OPTION(() => {
      this.CONSUME(symbol['->']);
      return this.SUBRULE(this.type);
    });
    const span = this.since(start);
    if (result !== undefined) return { kind: 'function-type', parameters: fields, result, span };
    const [first] = fields;
    if (fields.length === 1 && first.name === null) return first.type;
    return { kind: 'record-type', fields, span };
  });

  protected readonly field = this.RULE('field', (): Field => {
    const start = this.here;
    const name = this.OPTION({
      GATE: () => this.next(symbol[':'], 2),
      DEF: () => {
        const named = this.SUBRULE(this.identifier);
        this.CONSUME(symbol[':']);
        return named;
      },
    });
    const type = this.SUBRULE(this.type);
    return { name: name ?? null, type, span: this.since(start) };
  });

  /** A field whose type may have failed; the signature around it stands. */
  protected readonly resultField = this.RULE('resultField', (): Field => {
    const start = this.here;
    const parsed = this.attempt(resultEnds, () => this.SUBRULE(this.field));
    return 'kind' in parsed ? { name: null, type: parsed, span: this.since(start) } : parsed;
  });

  /** `(n: dim, x: [B, n] = 0)`; a parameter that fails keeps its name if it has one. */
  protected readonly parameters = this.RULE('parameters', (): Parameter[] => {
    const list: Parameter[] = [];
    const open = this.CONSUME(symbol['(']);
    this.OPTION({
      GATE: () => !this.next(symbol[')']) && !this.next(symbol['{']),
      DEF: () => {
        this.SUBRULE(this.parameterInto, { ARGS: [list] });
        this.MANY(() => {
          this.CONSUME(symbol[',']);
          this.SUBRULE1(this.parameterInto, { ARGS: [list] });
        });
      },
    });
    this.closing(symbol[')'], open, 'a parameter list', () => this.CONSUME(symbol[')']));
    return list;
  });

  protected readonly parameterInto = this.RULE('parameterInto', (list: Parameter[]): void => {
    const start = this.here;
    this.attempt(parameterEnds, () => {
      const name = this.SUBRULE(this.identifier);
      const type = this.attempt(parameterEnds, () => {
        this.CONSUME(symbol[':']);
        return this.SUBRULE(this.type);
      });
      const value = this.OPTION(() => {
        this.CONSUME(symbol['=']);
        return this.SUBRULE(this.expression);
      });
      if (this.recording) return;
      list.push({ name, type, default: value ?? null, span: this.since(start) });
    });
  });

  protected readonly where = this.RULE('where', (): Expression[] => {
    const conditions: Expression[] = [];
    this.CONSUME(keyword.where);
    this.insideWhere = true;
    this.requireExpression();
    this.AT_LEAST_ONE_SEP({
      SEP: symbol[','],
      DEF: () => conditions.push(this.SUBRULE(this.expression)),
    });
    this.insideWhere = false;
    return conditions;
  });
}

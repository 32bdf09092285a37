// The parser's fifth layer: what stands inside declarations, and at top level too: functions, constants, layers, the members
// of models, the tables of schedules and decision processes, and the steps of training.

import type {
  Block,
  CheckClause,
  Comment,
  ConstDeclaration,
  ErrorNode,
  Expression,
  FunctionDeclaration,
  Identifier,
  LayerDeclaration,
  Member,
  ObserveStep,
  OptimizeStep,
  ParamDeclaration,
  Parameter,
  Path,
  RepeatStep,
  SpaceDeclaration,
  StateDeclaration,
  Step,
  TableMember,
  TypeNode,
} from './ast.ts';
import { standsAlone } from './comments.ts';
import { StatementParser } from './parse-statements.ts';
import { sequences } from './sequences.ts';
import { contextual, keyword, symbol } from './tokens.ts';

/** The name, parameters and conditions that most declarations begin with. */
export interface Head {
  readonly name: Identifier;
  readonly parameters: readonly Parameter[];
  readonly where: readonly Expression[];
}

const annotationEnds = new Set([symbol['='], symbol['~']]);
const bodyEnds = new Set([symbol['}']]);

export abstract class MemberParser extends StatementParser {
  protected comments: readonly Comment[] = [];

  protected readonly head = this.RULE('head', (): Head => {
    const name = this.SUBRULE(this.identifier);
    const parameters = this.OPTION(() => this.SUBRULE(this.parameters));
    const where = this.OPTION1(() => this.SUBRULE(this.where));
    return { name, parameters: parameters ?? [], where: where ?? [] };
  });

  protected readonly fn = this.RULE('fn', (): FunctionDeclaration => {
    const start = this.here;
    const exported = this.OPTION(() => this.CONSUME(keyword.export));
    this.CONSUME(keyword.fn);
    const name = this.OPTION1(() => this.SUBRULE(this.identifier));
    const parameters = this.SUBRULE(this.parameters);
    const result = this.OPTION2(() => {
      this.CONSUME(symbol['->']);
      return this.SUBRULE(this.resultField);
    });
    const where = this.OPTION3(() => this.SUBRULE(this.where));
    const body = this.SUBRULE(this.body);
    return {
      kind: 'fn',
      documentation: this.documentationBefore(start),
      exported: exported !== undefined,
      name: name ?? null,
      parameters,
      result: result ?? null,
      where: where ?? [],
      body,
      span: this.since(start),
    };
  });

  /** `= e` or a block; if it fails, an error node, so that the signature stands. */
  protected readonly body = this.RULE('body', (): Expression | Block =>
    this.attempt(bodyEnds, () => {
      this.expect(this.next(symbol['=']) || this.next(symbol['{']), ['`=`', '`{`']);
      return this.OR<Expression | Block>([
        {
          ALT: () => {
            this.CONSUME(symbol['=']);
            return this.SUBRULE(this.expression);
          },
        },
        { ALT: () => this.SUBRULE(this.block) },
      ]);
    }),
  );

  protected readonly constant = this.RULE('constant', (): ConstDeclaration => {
    const start = this.here;
    const word = this.OR([
      { ALT: () => this.CONSUME(keyword.const) },
      { ALT: () => this.CONSUME(keyword.dim) },
    ]);
    const { name, type, value } = this.SUBRULE(this.definition);
    return {
      kind: 'const',
      documentation: this.documentationBefore(start),
      keyword: word.image === 'dim' ? 'dim' : 'const',
      name,
      type,
      value,
      span: this.since(start),
    };
  });

  protected readonly state = this.RULE('state', (): StateDeclaration => {
    const start = this.here;
    this.CONSUME(keyword.state);
    const { name, type, value } = this.SUBRULE(this.definition);
    return {
      kind: 'state',
      documentation: this.documentationBefore(start),
      name,
      type,
      value,
      span: this.since(start),
    };
  });

  /** `name [: type] = value` */
  protected readonly definition = this.RULE(
    'definition',
    (): {
      readonly name: Identifier;
      readonly type: TypeNode | null;
      readonly value: Expression;
    } => {
      const name = this.SUBRULE(this.identifier);
      const type = this.OPTION(() => {
        this.CONSUME(symbol[':']);
        return this.SUBRULE(this.annotation);
      });
      this.CONSUME(symbol['=']);
      const value = this.SUBRULE(this.value);
      return { name, type: type ?? null, value };
    },
  );

  /** A type before `=` or `~`; if it fails, an error node, so that its name stands. */
  protected readonly annotation = this.RULE('annotation', (): TypeNode =>
    this.attempt(annotationEnds, () => this.SUBRULE(this.type)),
  );

  protected readonly layer = this.RULE('layer', (): LayerDeclaration => {
    const start = this.here;
    this.CONSUME(keyword.layer);
    const name = this.SUBRULE(this.identifier);
    const count = this.OPTION(() => {
      const open = this.CONSUME(symbol['[']);
      const size = this.SUBRULE(this.expression);
      this.closing(symbol[']'], open, 'a count', () => this.CONSUME(symbol[']']));
      return size;
    });
    this.CONSUME(symbol['=']);
    const value = this.SUBRULE(this.value);
    return {
      kind: 'layer',
      documentation: this.documentationBefore(start),
      name,
      count: count ?? null,
      value,
      span: this.since(start),
    };
  });

  protected readonly param = this.RULE('param', (): ParamDeclaration => {
    const start = this.here;
    this.CONSUME(keyword.param);
    const name = this.SUBRULE(this.identifier);
    this.CONSUME(symbol[':']);
    const type = this.SUBRULE(this.annotation);
    this.expect(this.next(symbol['~']) || this.next(symbol['=']), ['`~`', '`=`']);
    const initialiser = this.OR([
      { ALT: () => this.CONSUME(symbol['~']) },
      { ALT: () => this.CONSUME(symbol['=']) },
    ]);
    const value = this.SUBRULE(this.value);
    return {
      kind: 'param',
      documentation: this.documentationBefore(start),
      name,
      type,
      initialiser: initialiser.image === '~' ? '~' : '=',
      value,
      span: this.since(start),
    };
  });

  protected readonly members = this.RULE('members', (): (Member | ErrorNode)[] => {
    const list: (Member | ErrorNode)[] = [];
    const open = this.CONSUME(symbol['{']);
    this.sequence(sequences.members, list, () =>
      this.MANY(() =>
        list.push(
          this.OR<Member>([
            { ALT: () => this.SUBRULE(this.param) },
            { ALT: () => this.SUBRULE(this.state) },
            { ALT: () => this.SUBRULE(this.layer) },
            { ALT: () => this.SUBRULE(this.constant) },
            { ALT: () => this.SUBRULE(this.fn) },
          ]),
        ),
      ),
    );
    this.closing(symbol['}'], open, 'the members', () => this.CONSUME(symbol['}']));
    return list;
  });

  protected readonly check = this.RULE('check', (): CheckClause => {
    const start = this.here;
    const conditions: Expression[] = [];
    this.CONSUME(keyword.check);
    this.requireExpression();
    this.AT_LEAST_ONE_SEP({
      SEP: symbol[','],
      DEF: () => conditions.push(this.SUBRULE(this.expression)),
    });
    return { kind: 'check', conditions, span: this.since(start) };
  });

  /** What stands in the braces of a schedule or decision process, but for its states and actions. */
  protected readonly table = this.RULE('table', (): TableMember =>
    this.OR<TableMember>([
      { ALT: () => this.SUBRULE(this.constant) },
      { ALT: () => this.SUBRULE(this.fn) },
      { ALT: () => this.SUBRULE(this.check) },
      { ALT: () => this.SUBRULE(this.bind) },
    ]),
  );

  /** `states S = n * n`, `actions A = 4` */
  protected readonly space = this.RULE('space', (): SpaceDeclaration => {
    const start = this.here;
    const word = this.OR([
      { ALT: () => this.CONSUME(contextual.states) },
      { ALT: () => this.CONSUME(contextual.actions) },
    ]);
    const name = this.SUBRULE(this.identifier);
    this.CONSUME(symbol['=']);
    const value = this.SUBRULE(this.value);
    return {
      kind: 'space',
      keyword: word.image === 'states' ? 'states' : 'actions',
      name,
      value,
      span: this.since(start),
    };
  });

  // ---- steps ------------------------------------------------------------------------------------------------------

  protected readonly steps = this.RULE('steps', (): (Step | ErrorNode)[] => {
    const list: (Step | ErrorNode)[] = [];
    const open = this.CONSUME(symbol['{']);
    this.enter();
    this.sequence(sequences.steps, list, () => this.MANY(() => list.push(this.SUBRULE(this.step))));
    this.leave();
    this.closing(symbol['}'], open, 'the steps', () => this.CONSUME(symbol['}']));
    return list;
  });

  protected readonly step = this.RULE('step', (): Step =>
    this.OR<Step>([
      { ALT: () => this.SUBRULE(this.layer) },
      { ALT: () => this.SUBRULE(this.state) },
      { ALT: () => this.SUBRULE(this.optimize) },
      { GATE: () => !this.#binds(), ALT: () => this.SUBRULE(this.repeat) },
      { GATE: () => this.isName(2), ALT: () => this.SUBRULE(this.observe) },
      { ALT: () => this.SUBRULE(this.statement) },
    ]),
  );

  protected readonly optimize = this.RULE('optimize', (): OptimizeStep => {
    const start = this.here;
    const over: Path[] = [];
    const sense = this.OR([
      { ALT: () => this.CONSUME(keyword.minimize) },
      { ALT: () => this.CONSUME(keyword.maximize) },
    ]);
    const objective = this.SUBRULE(this.expression);
    this.CONSUME(contextual.over);
    this.expectName('the name of a model');
    this.AT_LEAST_ONE_SEP({
      SEP: symbol[','],
      DEF: () => over.push(this.SUBRULE(this.path)),
    });
    this.CONSUME(contextual.using);
    const using = this.SUBRULE1(this.expression);
    const clip = this.OPTION({
      GATE: () => !this.#binds(),
      DEF: () => {
        this.CONSUME(contextual.clip);
        return this.SUBRULE2(this.expression);
      },
    });
    const accumulate = this.OPTION1({
      GATE: () => !this.#binds(),
      DEF: () => {
        this.CONSUME(contextual.accumulate);
        return this.SUBRULE3(this.expression);
      },
    });
    if (accumulate !== undefined && this.next(contextual.clip) && !this.#binds())
      this.malformed(
        this.spanOf(this.LA(1)),
        '`clip` stands before `accumulate`',
        'write `clip 1 accumulate 4`: the mean of the gradients is clipped',
      );
    return {
      kind: 'optimize',
      sense: sense.image === 'minimize' ? 'minimize' : 'maximize',
      objective,
      over,
      using,
      clip: clip ?? null,
      accumulate: accumulate ?? null,
      span: this.since(start),
    };
  });

  protected readonly repeat = this.RULE('repeat', (): RepeatStep => {
    const start = this.here;
    const word = this.OR([
      { ALT: () => this.CONSUME(contextual.every) },
      { ALT: () => this.CONSUME(contextual.repeat) },
    ]);
    const count = this.SUBRULE(this.expression);
    const steps = this.SUBRULE(this.steps);
    return {
      kind: 'repeat',
      keyword: word.image === 'every' ? 'every' : 'repeat',
      count,
      steps,
      span: this.since(start),
    };
  });

  protected readonly observe = this.RULE('observe', (): ObserveStep => {
    const start = this.here;
    const word = this.OR([
      { ALT: () => this.CONSUME(contextual.report) },
      { ALT: () => this.CONSUME(contextual.track) },
    ]);
    const name = this.SUBRULE(this.identifier);
    this.CONSUME(symbol['=']);
    const value = this.SUBRULE(this.value);
    return {
      kind: 'observe',
      keyword: word.image === 'report' ? 'report' : 'track',
      name,
      value,
      span: this.since(start),
    };
  });

  /** Whether a contextual keyword stands here as the name that a statement binds: `clip = 1`, `every, x <- f(x)`. */
  #binds(): boolean {
    const { tokenType } = this.LA(2);
    return (
      tokenType === symbol['='] ||
      tokenType === symbol['~'] ||
      tokenType === symbol['<-'] ||
      tokenType === symbol['['] ||
      tokenType === symbol[':'] ||
      tokenType === symbol[',']
    );
  }

  /** The `##` lines that end on the line straight above `start`. */
  protected documentationBefore(start: number): string | null {
    const { text } = this.source;
    let low = 0;
    let high = this.comments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.comments[middle].span.end <= start) low = middle + 1;
      else high = middle;
    }
    const lines: string[] = [];
    for (let index = low - 1, below = start; index >= 0; index--) {
      const comment = this.comments[index];
      const { documentation, span, text: line } = comment;
      if (
        !documentation ||
        !standsAlone(comment) ||
        !/^[ \t\r]*\n[ \t]*$/.test(text.slice(span.end, below))
      )
        break;
      lines.unshift(line.replace(/^ /, ''));
      below = span.start;
    }
    return lines.length === 0 ? null : lines.join('\n');
  }
}

// The whole parser: the declarations of a file, on top of the layers for expressions, types, statements and members.
// `parse.ts` is its only caller.

import type { IToken } from 'chevrotain';
import type {
  Comment,
  Declaration,
  ErrorNode,
  Identifier,
  ImportDeclaration,
  JvpDeclaration,
  MdpDeclaration,
  ModelDeclaration,
  ScheduleDeclaration,
  SpaceDeclaration,
  TableMember,
  TrainDeclaration,
  TypeDeclaration,
} from './ast.ts';
import { contentOf } from './parse-operands.ts';
import { MemberParser } from './parse-members.ts';
import { sequences } from './sequences.ts';
import type { SyntaxProblem } from './problem.ts';
import type { Source } from './source.ts';
import { contextual, keyword, StringToken, symbol } from './tokens.ts';

export interface ParsedTokens {
  readonly declarations: readonly Declaration[];
  readonly problems: readonly SyntaxProblem[];
  /** Some chain of operators, calls or signs is long; the tree may be deep though nothing nests. */
  readonly longChains: boolean;
}

export class Parser extends MemberParser {
  constructor(skipValidations: boolean) {
    super(skipValidations);
    this.performSelfAnalysis();
    this.recording = false;
  }

  run(source: Source, tokens: IToken[], comments: readonly Comment[]): ParsedTokens {
    this.begin(source, tokens);
    this.comments = comments;
    const declarations = this.file();
    return { declarations, problems: this.problems, longChains: this.longChains };
  }

  private readonly file = this.RULE('file', (): Declaration[] => {
    const declarations: Declaration[] = [];
    this.sequence(sequences.file, declarations, () =>
      this.MANY(() => declarations.push(this.SUBRULE(this.declaration))),
    );
    return declarations;
  });

  private readonly declaration = this.RULE('declaration', (): Declaration =>
    this.OR<Declaration>([
      { ALT: () => this.SUBRULE(this.import) },
      { ALT: () => this.SUBRULE(this.constant) },
      { ALT: () => this.SUBRULE(this.fn) },
      { ALT: () => this.SUBRULE(this.layer) },
      { ALT: () => this.SUBRULE(this.jvp) },
      { ALT: () => this.SUBRULE(this.model) },
      { ALT: () => this.SUBRULE(this.schedule) },
      { ALT: () => this.SUBRULE(this.mdp) },
      { ALT: () => this.SUBRULE(this.typeDeclaration) },
      { ALT: () => this.SUBRULE(this.train) },
    ]),
  );

  private readonly import = this.RULE('import', (): ImportDeclaration => {
    const start = this.here;
    this.CONSUME(keyword.import);
    const path = this.CONSUME(StringToken);
    const alias = this.OPTION(() => {
      this.CONSUME(contextual.as);
      return this.SUBRULE(this.identifier);
    });
    return {
      kind: 'import',
      path: { value: contentOf(path), span: this.spanOf(path) },
      alias: alias ?? null,
      span: this.since(start),
    };
  });

  /** `jvp f(x, dx) = e` */
  private readonly jvp = this.RULE('jvp', (): JvpDeclaration => {
    const start = this.here;
    const parameters: Identifier[] = [];
    this.CONSUME(contextual.jvp);
    const name = this.SUBRULE(this.identifier);
    const open = this.CONSUME(symbol['(']);
    this.expectName();
    this.AT_LEAST_ONE_SEP({
      SEP: symbol[','],
      DEF: () => parameters.push(this.SUBRULE1(this.identifier)),
    });
    this.closing(symbol[')'], open, 'a parameter list', () => this.CONSUME(symbol[')']));
    this.CONSUME(symbol['=']);
    const value = this.SUBRULE(this.value);
    return {
      kind: 'jvp',
      documentation: this.documentationBefore(start),
      name,
      parameters,
      value,
      span: this.since(start),
    };
  });

  private readonly model = this.RULE('model', (): ModelDeclaration => {
    const start = this.here;
    const word = this.OR([
      { ALT: () => this.CONSUME(keyword.model) },
      { ALT: () => this.CONSUME(keyword.bijector) },
      { ALT: () => this.CONSUME(keyword.optimizer) },
    ]);
    const head = this.SUBRULE(this.head);
    const members = this.SUBRULE(this.members);
    return {
      kind: 'model',
      documentation: this.documentationBefore(start),
      keyword: word.image as ModelDeclaration['keyword'],
      ...head,
      members,
      span: this.since(start),
    };
  });

  private readonly schedule = this.RULE('schedule', (): ScheduleDeclaration => {
    const start = this.here;
    const members: (TableMember | ErrorNode)[] = [];
    this.CONSUME(keyword.schedule);
    const head = this.SUBRULE(this.head);
    const open = this.CONSUME(symbol['{']);
    this.sequence(sequences.tables, members, () =>
      this.MANY(() => members.push(this.SUBRULE(this.table))),
    );
    this.closing(symbol['}'], open, 'the tables', () => this.CONSUME(symbol['}']));
    return {
      kind: 'schedule',
      documentation: this.documentationBefore(start),
      ...head,
      members,
      span: this.since(start),
    };
  });

  private readonly mdp = this.RULE('mdp', (): MdpDeclaration => {
    const start = this.here;
    type Part = SpaceDeclaration | TableMember;
    const members: (Part | ErrorNode)[] = [];
    this.CONSUME(keyword.mdp);
    const head = this.SUBRULE(this.head);
    const open = this.CONSUME(symbol['{']);
    this.sequence(sequences.tables, members, () =>
      this.MANY(() =>
        members.push(
          this.OR<Part>([
            { GATE: () => this.isName(2), ALT: () => this.SUBRULE(this.space) },
            { ALT: () => this.SUBRULE(this.table) },
          ]),
        ),
      ),
    );
    this.closing(symbol['}'], open, 'a decision process', () => this.CONSUME(symbol['}']));
    return {
      kind: 'mdp',
      documentation: this.documentationBefore(start),
      ...head,
      members,
      span: this.since(start),
    };
  });

  /** `type Pose = (R: [3, 3], t: [3])` */
  private readonly typeDeclaration = this.RULE('typeDeclaration', (): TypeDeclaration => {
    const start = this.here;
    this.CONSUME(keyword.type);
    const name = this.SUBRULE(this.identifier);
    this.CONSUME(symbol['=']);
    const type = this.SUBRULE(this.type);
    return {
      kind: 'type',
      documentation: this.documentationBefore(start),
      name,
      type,
      span: this.since(start),
    };
  });

  private readonly train = this.RULE('train', (): TrainDeclaration => {
    const start = this.here;
    this.CONSUME(keyword.train);
    const head = this.SUBRULE(this.head);
    const steps = this.SUBRULE(this.steps);
    return {
      kind: 'train',
      documentation: this.documentationBefore(start),
      ...head,
      steps,
      span: this.since(start),
    };
  });
}

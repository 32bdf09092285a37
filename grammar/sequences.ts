// Where lists of declarations, members, statements and steps begin, go on and end: what recovery after a failure looks for.

import { EOF, type TokenType } from 'chevrotain';
import { keyword, symbol } from './tokens.ts';

/** A set of token types, tested in one step. */
export type TokenSet = ReadonlySet<TokenType>;

const setOf = (...types: readonly (TokenType | undefined)[]): TokenSet =>
  new Set(types.filter((type) => type !== undefined));

/** They begin a declaration and never stand inside one. */
export const outermost = setOf(
  keyword.import,
  keyword.export,
  keyword.model,
  keyword.bijector,
  keyword.optimizer,
  keyword.schedule,
  keyword.train,
);
const declarations = setOf(
  ...outermost,
  keyword.fn,
  keyword.const,
  keyword.dim,
  keyword.layer,
  keyword.type,
  keyword.mdp,
);
export const members = setOf(...declarations, keyword.param, keyword.state, keyword.check);
export const statementWords = setOf(
  keyword.for,
  keyword.fix,
  keyword.root,
  keyword.if,
  keyword.return,
);
const stepWords = setOf(
  ...statementWords,
  keyword.layer,
  keyword.state,
  keyword.minimize,
  keyword.maximize,
);

/** A kind of list: how a person calls its items, where one may begin, and which words cannot stand in it. */
export interface SequenceKind {
  readonly what: string;
  readonly starts: TokenSet;
  /** Whether an item may be a binding, so that a name at the start of a line begins one. */
  readonly binds: boolean;
  /** At the start of a line they show that the list was never closed. */
  readonly foreign: TokenSet;
  readonly closed: boolean;
}

const without = (set: TokenSet, other: TokenSet): TokenSet =>
  new Set([...set].filter((type) => !other.has(type)));

export const sequences = {
  file: {
    what: 'a declaration',
    starts: declarations,
    binds: false,
    foreign: setOf(),
    closed: false,
  },
  members: {
    what: 'a member',
    starts: members,
    binds: false,
    foreign: outermost,
    closed: true,
  },
  tables: { what: 'a table', starts: members, binds: true, foreign: outermost, closed: true },
  statements: {
    what: 'a statement',
    starts: statementWords,
    binds: true,
    foreign: members,
    closed: true,
  },
  steps: {
    what: 'a step',
    starts: stepWords,
    binds: true,
    foreign: without(members, stepWords),
    closed: true,
  },
} as const satisfies Record<string, SequenceKind>;

export const bindOperators = setOf(symbol['='], symbol['~'], symbol['<-']);
/** No index reaches past one. */
export const braces = setOf(symbol['{'], symbol['}'], EOF);
/** Where a bracket that was not closed plausibly should have been. */
export const closers = setOf(
  symbol[')'],
  symbol[']'],
  symbol['}'],
  symbol['{'],
  symbol['='],
  symbol['->'],
);

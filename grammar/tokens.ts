// The vocabulary: chevrotain token types, which the scanner gives out and the parser matches. None has a pattern; scanner.ts
// says how text becomes tokens.

import { createToken, Lexer, type IToken, type TokenType } from 'chevrotain';
import { binderNames } from './ast.ts';

/** Every token is one: what recovery skips. */
export const Any: TokenType = createToken({ name: 'Any', label: 'anything', pattern: Lexer.NA });

const token = (name: string, label: string, categories: TokenType[] = []): TokenType =>
  createToken({ name, label, pattern: Lexer.NA, categories: [Any, ...categories] });

export const Identifier = token('Identifier', 'a name');
export const NumberToken = token('NumberToken', 'a number');
export const StringToken = token('StringToken', 'a string');
/** `sum`, `max`, ...: a binder before `[`, a name everywhere else. */
export const Binder = token('Binder', 'a binder', [Identifier]);

type Words<List extends string> = List extends `${infer Word} ${infer Rest}`
  ? Word | Words<Rest>
  : List;

/** Tokens of the words in `list`, which are separated by single spaces. */
const words = <List extends string>(list: List, categories: TokenType[] = []) =>
  Object.fromEntries(
    list.split(' ').map((word) => [word, token(`word_${word}`, `\`${word}\``, categories)]),
  ) as Record<Words<List>, TokenType>;

/** Words that are always keywords. */
const plainKeywords = words(
  'import export const dim fn layer model bijector optimizer schedule mdp train type param state check where for in fix root if then else with return minimize maximize not true false real int bool fin',
);

/** Words that are keywords only where the grammar asks for them, and names everywhere else. */
export const contextual = words(
  'states actions track report every repeat over using tol within down recompute until clip accumulate as jvp',
  [Identifier],
);

/** Any operator between two operands; the parser sorts them by precedence. */
export const Infix: TokenType = createToken({
  name: 'Infix',
  label: 'an operator',
  pattern: Lexer.NA,
});

/** Operators between operands and how tightly they bind; relations share a level, and chain. `^` is not among them. */
const precedences = {
  '|>': 1,
  or: 2,
  and: 3,
  '<': 4,
  '<=': 4,
  '>': 4,
  '>=': 4,
  '==': 4,
  '!=': 4,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
  '//': 6,
  '%': 6,
  '@': 6,
} as const;

/** The levels at which a reader may begin: everything, sums, products. */
export const looseLevel = 1;
export const relationLevel = 4;
export const sumLevel = 5;
export const productLevel = 6;

export const keyword = { ...plainKeywords, ...words('and or', [Infix]) };

const brackets = '( ) [ ] { }';
const punctuation = '-> <- .. = ~ , : . ^';
const infixes = '|> <= >= == != // < > + - * / % @';

const symbols = <List extends string>(list: List, categories: TokenType[] = []) =>
  Object.fromEntries(
    list.split(' ').map((text) => [text, token(`symbol_${text}`, `\`${text}\``, categories)]),
  ) as Record<Words<List>, TokenType>;

/** Token types of the operators and brackets, by their text. */
export const symbol = {
  ...symbols(brackets),
  ...symbols(punctuation),
  ...symbols(infixes, [Infix]),
};

/** All token types, for the parser. */
export const vocabulary: TokenType[] = [
  Any,
  Infix,
  Identifier,
  NumberToken,
  StringToken,
  Binder,
  ...Object.values(keyword),
  ...Object.values(contextual),
  ...Object.values(symbol),
];

/** The words that are not plain names. */
export const wordTypes: ReadonlyMap<string, TokenType> = new Map([
  ...Object.entries(keyword),
  ...Object.entries(contextual),
  ...binderNames.map((name) => [name, Binder] as const),
]);

/** How tightly an operator binds, by its token; nothing else is in the table. */
export const precedenceOf: ReadonlyMap<TokenType, number> = new Map(
  Object.entries(precedences).map(([text, level]) => [
    text === 'or' || text === 'and' ? keyword[text] : symbol[text as keyof typeof symbol],
    level,
  ]),
);

/** Identifiers and the words that may stand as one. */
export const names: ReadonlySet<TokenType> = new Set([
  Identifier,
  Binder,
  ...Object.values(contextual),
]);

export const isNameToken = (at: IToken): boolean => names.has(at.tokenType);

// Where a token stands, for recovery: statements have no terminators, but people begin them on new lines. Packed into one
// number: twice the count of open `(` and `[` since the innermost open `{`, plus one for the first token of a line.

const payloadOf = (at: IToken): number => (at.payload as number | undefined) ?? 0;

export const isFirstOnLine = (at: IToken): boolean => payloadOf(at) % 2 === 1;

/** Open `(` and `[` since the innermost open `{`. */
export const nestingOf = (at: IToken): number => payloadOf(at) >> 1;

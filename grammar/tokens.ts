// The first stage: text to tokens. The token types are chevrotain's, for the parser's lookahead; the scanner is one sticky
// regular expression, because a Unicode pattern among many others turns chevrotain's own lexer off its fast path, and words
// are matched whole and looked up, so that a keyword never cuts a longer name in two.

import { createToken, Lexer, type IToken, type TokenType } from 'chevrotain';
import { binderNames, type Comment } from './ast.ts';
import type { SyntaxProblem } from './problem.ts';
import type { Source, Span } from './source.ts';

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

const words = <List extends string>(list: List, categories: TokenType[] = []) =>
  Object.fromEntries(
    list.split(' ').map((word) => [word, token(`word_${word}`, `\`${word}\``, categories)]),
  ) as Record<Words<List>, TokenType>;

/** Words that are always keywords. */
export const keyword = words(
  'import export const dim fn layer model bijector optimizer schedule mdp train type param state check where for in fix root if then else with return minimize maximize and or not true false real int bool fin',
);

/** Words that are keywords only where the grammar asks for them, and names everywhere else. */
export const contextual = words(
  'states actions track report every repeat over using tol within down until clip as jvp',
  [Identifier],
);

const operators = {
  '->': 'Arrow',
  '<-': 'Update',
  '|>': 'Pipe',
  '<=': 'LessEqual',
  '>=': 'GreaterEqual',
  '==': 'Equal',
  '!=': 'NotEqual',
  '//': 'FloorDivide',
  '..': 'Ellipsis',
  '(': 'OpenParenthesis',
  ')': 'CloseParenthesis',
  '[': 'OpenBracket',
  ']': 'CloseBracket',
  '{': 'OpenBrace',
  '}': 'CloseBrace',
  '<': 'Less',
  '>': 'Greater',
  '=': 'Assign',
  '~': 'Tilde',
  ',': 'Comma',
  ':': 'Colon',
  '.': 'Dot',
  '+': 'Plus',
  '-': 'Minus',
  '*': 'Times',
  '/': 'Divide',
  '%': 'Modulo',
  '@': 'Matmul',
  '^': 'Power',
} as const;

type Operator = keyof typeof operators;

/** Token types of the operators and brackets, by their text. */
export const symbol = Object.fromEntries(
  Object.entries(operators).map(([text, name]) => [text, token(name, `\`${text}\``)]),
) as Record<Operator, TokenType>;

/** All token types, for the parser. */
export const vocabulary: TokenType[] = [
  Any,
  Identifier,
  NumberToken,
  StringToken,
  Binder,
  ...Object.values(keyword),
  ...Object.values(contextual),
  ...Object.values(symbol),
];

const wordTypes = new Map<string, TokenType>([
  ...Object.entries(keyword),
  ...Object.entries(contextual),
  ...binderNames.map((name) => [name, Binder] as const),
]);

/** Where a token stands, for recovery: statements have no terminators, but people begin them on new lines. */
export interface Place {
  readonly firstOnLine: boolean;
  /** Open `(` and `[` since the innermost open `{`. */
  readonly nesting: number;
}

const nowhere: Place = { firstOnLine: false, nesting: 0 };

export const placeOf = (at: IToken): Place => (at.payload as Place | undefined) ?? nowhere;

export interface Tokens {
  readonly tokens: IToken[];
  readonly comments: readonly Comment[];
  readonly problems: readonly SyntaxProblem[];
}

const escape = (text: string): string => text.replace(/[.()[\]{}|*+^]/g, '\\$&');

/** One alternative for each class of token, in the order of the groups below; longest operators first. */
const scanner = new RegExp(
  [
    '([ \\t\\r]+)',
    '(\\n)',
    '(#[^\\n]*)',
    "([\\p{L}_][\\p{L}\\p{N}\\p{M}_]*'*)",
    '(\\d+(?:\\.\\d+)?(?:[eE][+-]?\\d+)?)',
    '("[^"\\n]*"?)',
    `(${Object.keys(operators)
      .toSorted((a, b) => b.length - a.length)
      .map(escape)
      .join('|')})`,
  ].join('|'),
  'uy',
);

/** The text cut into tokens and comments; characters that start no token are reported, one problem for each run of them. */
export function tokenize(source: Source): Tokens {
  const { text } = source;
  const tokens: IToken[] = [];
  const comments: Comment[] = [];
  const problems: SyntaxProblem[] = [];
  const outer: number[] = [];
  let nesting = 0;
  let firstOnLine = true;
  let strayFrom = -1;
  const span = (start: number, end: number): Span => ({ source, start, end });
  const endStray = (at: number): void => {
    if (strayFrom < 0) return;
    const found = text.slice(strayFrom, at);
    problems.push({ kind: 'unexpected-character', span: span(strayFrom, at), found });
    strayFrom = -1;
  };
  const add = (type: TokenType, image: string, start: number): void => {
    if (type === symbol['}']) nesting = outer.pop() ?? 0;
    if (type === symbol[')'] || type === symbol[']']) nesting = Math.max(0, nesting - 1);
    tokens.push({
      image,
      startOffset: start,
      endOffset: start + image.length - 1,
      tokenTypeIdx: type.tokenTypeIdx ?? 0,
      tokenType: type,
      payload: { firstOnLine, nesting } satisfies Place,
    });
    firstOnLine = false;
    if (type === symbol['('] || type === symbol['[']) nesting++;
    if (type === symbol['{']) {
      outer.push(nesting);
      nesting = 0;
    }
  };

  for (let at = 0; at < text.length;) {
    scanner.lastIndex = at;
    const match = scanner.exec(text);
    if (match === null) {
      if (strayFrom < 0) strayFrom = at;
      at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
      continue;
    }
    endStray(at);
    const [image, , newline, comment, word, number, string] = match;
    const end = at + image.length;
    if (newline !== undefined) firstOnLine = true;
    else if (comment !== undefined) comments.push(commentOf(comment, span(at, end)));
    else if (word !== undefined) add(wordTypes.get(word) ?? Identifier, word, at);
    else if (number !== undefined) add(NumberToken, number, at);
    else if (string !== undefined) {
      if (string.length < 2 || !string.endsWith('"'))
        problems.push({ kind: 'unterminated-string', span: span(at, end) });
      add(StringToken, string, at);
    } else if (image in symbol) add(symbol[image as Operator], image, at);
    at = end;
  }
  endStray(text.length);
  return { tokens, comments, problems };
}

function commentOf(text: string, span: Span): Comment {
  const documentation = text.startsWith('##');
  const body = text.slice(documentation ? 2 : 1).trimEnd();
  const end = span.start + (documentation ? 2 : 1) + body.length;
  return { text: body, documentation, span: { ...span, end } };
}

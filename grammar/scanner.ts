// The first stage: text to tokens and comments. Written by hand rather than on chevrotain's lexer, whose fast path a Unicode
// pattern for names turns off; words are matched whole and looked up, so that no keyword cuts a longer name in two.

import type { IToken, TokenType } from 'chevrotain';
import type { Comment } from './ast.ts';
import type { SyntaxProblem } from './problem.ts';
import type { Source, Span } from './source.ts';
import { Identifier, NumberToken, StringToken, symbol, wordTypes } from './tokens.ts';

export interface Tokens {
  readonly tokens: IToken[];
  readonly comments: readonly Comment[];
  readonly problems: readonly SyntaxProblem[];
}

const newline = 10;
const quote = 34;
const hash = 35;
const space = 32;
const prime = 39;

const wordPattern = /[\p{L}_][\p{L}\p{N}\p{M}_]*'*/uy;
const numberPattern = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** Classes of ASCII characters; most words are found without the Unicode pattern, which is slow to compile. */
const letter = 1;
const digit = 2;
const classes = new Uint8Array(128);
for (const name of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_')
  classes[name.charCodeAt(0)] = letter;
for (const name of '0123456789') classes[name.charCodeAt(0)] = digit;

/** Symbols by their first character, the longest first. */
const symbolsByStart = new Map<number, readonly (readonly [string, TokenType])[]>();
for (const entry of Object.entries(symbol).toSorted(([a], [b]) => b.length - a.length)) {
  const start = entry[0].charCodeAt(0);
  symbolsByStart.set(start, [...(symbolsByStart.get(start) ?? []), entry]);
}

/** Where a match of the sticky `pattern` at `at` ends; `at` if there is none. */
function matchEnd(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

/** Where the word that starts at `at` ends; `at` if none does. */
function wordEnd(text: string, at: number): number {
  let end = at;
  let code = text.charCodeAt(end);
  while (classes[code] > 0) code = text.charCodeAt(++end);
  if (code > 127) return matchEnd(wordPattern, text, at);
  while (end > at && text.charCodeAt(end) === prime) end++;
  return end;
}

const lineEnd = (text: string, at: number): number => {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
};

/** The text cut into tokens and comments; characters that start no token are reported, one problem for each run of them. */
export function tokenize(source: Source): Tokens {
  const { text } = source;
  const tokens: IToken[] = [];
  const comments: Comment[] = [];
  const problems: SyntaxProblem[] = [];
  const outer: number[] = [];
  let nesting = 0;
  let firstOnLine = 1;
  const span = (start: number, end: number): Span => ({ source, start, end });

  const add = (type: TokenType, start: number, end: number): number => {
    if (type === symbol['}']) nesting = outer.pop() ?? 0;
    else if (type === symbol[')'] || type === symbol[']']) nesting = Math.max(0, nesting - 1);
    tokens.push({
      image: text.slice(start, end),
      startOffset: start,
      endOffset: end - 1,
      tokenTypeIdx: type.tokenTypeIdx ?? 0,
      tokenType: type,
      payload: 2 * nesting + firstOnLine,
    });
    firstOnLine = 0;
    if (type === symbol['('] || type === symbol['[']) nesting++;
    else if (type === symbol['{']) {
      outer.push(nesting);
      nesting = 0;
    }
    return end;
  };

  const addString = (start: number): number => {
    const line = lineEnd(text, start);
    const close = text.indexOf('"', start + 1);
    const closed = close >= 0 && close < line;
    const end = closed ? close + 1 : line;
    if (!closed) problems.push({ kind: 'unterminated-string', span: span(start, end) });
    return add(StringToken, start, end);
  };

  /** The end of the token at `at`, which is added; `at` itself if none starts there. */
  const scan = (at: number, code: number): number => {
    for (const [image, type] of symbolsByStart.get(code) ?? [])
      if (text.startsWith(image, at)) return add(type, at, at + image.length);
    if (code === quote) return addString(at);
    if (classes[code] === digit) return add(NumberToken, at, matchEnd(numberPattern, text, at));
    const end = wordEnd(text, at);
    return end > at ? add(wordTypes.get(text.slice(at, end)) ?? Identifier, at, end) : at;
  };

  const strays: { start: number; end: number }[] = [];
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === newline) firstOnLine = 1;
    if (code <= space) {
      at++;
      continue;
    }
    if (code === hash) {
      const end = lineEnd(text, at);
      comments.push(commentOf(text.slice(at, end), span(at, end)));
      at = end;
      continue;
    }
    const end = scan(at, code);
    if (end > at) {
      at = end;
      continue;
    }
    at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
    const stray = strays.at(-1);
    if (stray?.end === end) stray.end = at;
    else strays.push({ start: end, end: at });
  }
  for (const { start, end } of strays)
    problems.push({
      kind: 'unexpected-character',
      span: span(start, end),
      found: text.slice(start, end),
    });
  return { tokens, comments, problems };
}

function commentOf(text: string, span: Span): Comment {
  const documentation = text.startsWith('##');
  const body = text.slice(documentation ? 2 : 1).trimEnd();
  const end = span.start + (documentation ? 2 : 1) + body.length;
  return { text: body, documentation, span: { ...span, end } };
}

// Seeded mutations of programs: what a slip of the hand, a bad merge or a search and replace makes of a text.

import { tokenize } from '../../grammar/scanner.ts';

/** Whole numbers below n, the same for the same seed (mulberry32). */
export type Random = (n: number) => number;

export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}

interface Piece {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const tokensOf = (text: string): readonly Piece[] =>
  tokenize({ path: '', text }).tokens.map(({ image, startOffset }) => ({
    text: image,
    start: startOffset,
    end: startOffset + image.length,
  }));

const pick = <T>(items: readonly T[], random: Random): T | undefined => items[random(items.length)];

const replaced = (text: string, piece: Piece | undefined, by: string): string =>
  piece === undefined ? text : text.slice(0, piece.start) + by + text.slice(piece.end);

const isNumber = ({ text }: Piece): boolean => /^\d/.test(text);
const isName = ({ text }: Piece): boolean => /^\p{L}/u.test(text);

const numbers = '0 1 2 7 1000003 99999999999 9007199254740993 1e308 1e-300 0.5 1.0'.split(' ');

/** Characters that begin something else, or nothing. */
const characters = [...'()[]{}<>+-*/^%=~.,:_#"\'|@!? \n\tx0∀é\u0000\ufffd', '😀', '..', '<-'];

/** Text that is well-formed on its own, in a place where it may not belong. */
const phrases = [
  'fn (x: [..B, n]) -> [..B, n] = x',
  'param W: [n, n] ~ normal(0, 1)',
  'where n % 2 == 0, n <= 3',
  'sum[i] x[.., i] * x[.., i]',
  'import "std/nn"\n',
  'import "std/none" as nn\n',
  'layer l9 = Dense(n, n)',
  'layer l9[3] = Dense(n, n)',
  'x[.., (i, j), u // 2 + v]',
  'grad(sum(x), x)',
  'if training { x = 1 } else { x = 2 }',
  'for t < n with s = 0 { s <- s + t }',
  '((((((1))))))',
  'softmax[i] x[i]',
  '..B',
  'fin(n)[B]',
];

type Mutation = (text: string, random: Random, others: readonly string[]) => string;

const onToken =
  (change: (token: Piece, text: string, random: Random, tokens: readonly Piece[]) => string) =>
  (text: string, random: Random): string => {
    const tokens = tokensOf(text);
    const token = pick(tokens, random);
    return token === undefined ? text : change(token, text, random, tokens);
  };

const onLines =
  (change: (lines: string[], at: number, random: Random) => void) =>
  (text: string, random: Random): string => {
    const lines = text.split('\n');
    change(lines, random(lines.length), random);
    return lines.join('\n');
  };

function swapped(text: string, a: Piece, b: Piece): string {
  const [first, second] = a.start < b.start ? [a, b] : [b, a];
  return replaced(replaced(text, second, first.text), first, second.text);
}

const mutations: Readonly<Record<string, Mutation>> = {
  deleteToken: onToken((token, text) => replaced(text, token, '')),
  duplicateToken: onToken((token, text) => replaced(text, token, `${token.text} ${token.text}`)),
  replaceToken: onToken((token, text, random, tokens) =>
    replaced(text, token, pick(tokens, random)?.text ?? ''),
  ),
  swapTokens: onToken((token, text, random, tokens) =>
    swapped(text, token, pick(tokens, random) ?? token),
  ),
  deleteTokens: onToken((token, text, random, tokens) => {
    const last = tokens[Math.min(tokens.length - 1, tokens.indexOf(token) + random(8))];
    return replaced(text, { ...token, end: last.end }, '');
  }),
  swapNames: (text, random) => {
    const names = tokensOf(text).filter(isName);
    const [a, b] = [pick(names, random), pick(names, random)];
    return a === undefined || b === undefined ? text : swapped(text, a, b);
  },
  renameEverywhere: (text, random) => {
    const names = tokensOf(text).filter(isName);
    const [from, to] = [pick(names, random)?.text, pick(names, random)?.text ?? ''];
    return names
      .filter((name) => name.text === from)
      .reduceRight((result, name) => replaced(result, name, to), text);
  },
  changeNumber: (text, random) =>
    replaced(text, pick(tokensOf(text).filter(isNumber), random), pick(numbers, random) ?? ''),
  numberForName: (text, random) =>
    replaced(text, pick(tokensOf(text).filter(isName), random), pick(numbers, random) ?? ''),
  dropBracket: (text, random) => {
    const brackets = tokensOf(text).filter((token) => /^[()[\]{}]$/.test(token.text));
    return replaced(text, pick(brackets, random), '');
  },
  insertPhrase: onToken((token, text, random) =>
    replaced(text, { ...token, end: token.start }, `${pick(phrases, random)} `),
  ),
  replaceByPhrase: onToken((token, text, random) =>
    replaced(text, token, pick(phrases, random) ?? ''),
  ),
  character: (text, random) => {
    const start = random(text.length + 1);
    const end = Math.min(text.length, start + random(2));
    return replaced(text, { text: '', start, end }, pick(characters, random) ?? '');
  },
  deleteCharacters: (text, random) => {
    const start = random(text.length + 1);
    return replaced(
      text,
      { text: '', start, end: Math.min(text.length, start + 1 + random(4)) },
      '',
    );
  },
  deleteLine: onLines((lines, at) => lines.splice(at, 1)),
  duplicateLine: onLines((lines, at) => lines.splice(at, 0, lines[at])),
  moveLine: onLines((lines, at, random) => {
    const [line] = lines.splice(at, 1);
    lines.splice(random(lines.length + 1), 0, line);
  }),
  cutShort: (text, random) => text.slice(0, random(text.length + 1)),
  splice: (text, random, others) => {
    const other = pick(others, random) ?? '';
    return text.slice(0, random(text.length + 1)) + other.slice(random(other.length + 1));
  },
  insertLines: (text, random, others) => {
    const other = (pick(others, random) ?? '').split('\n');
    const from = random(other.length);
    const lines = text.split('\n');
    lines.splice(random(lines.length + 1), 0, ...other.slice(from, from + 1 + random(6)));
    return lines.join('\n');
  },
};

const kinds = Object.entries(mutations);

/** One to three mutations of `text`, which may bring in pieces of `others`; says which. */
export function mutate(
  text: string,
  others: readonly string[],
  random: Random,
): { readonly text: string; readonly applied: readonly string[] } {
  const applied = Array.from({ length: 1 + random(3) }, () => kinds[random(kinds.length)]);
  return {
    text: applied.reduce((result, [, mutation]) => mutation(result, random, others), text),
    applied: applied.map(([name]) => name),
  };
}

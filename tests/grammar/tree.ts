// Helpers for tests of the grammar: trees without spans, for comparison, and a shorthand for parsing.

import { parse, type ParseResult } from '../../grammar/parse.ts';
import type { Source } from '../../grammar/source.ts';

export const source = (text: string): Source => ({ path: 'test.dlg', text });

export const parseText = (text: string): ParseResult => parse(source(text));

/** A copy without spans and, on the file, without comments: what two texts of one meaning share. */
export function stripSpans(tree: unknown): unknown {
  if (Array.isArray(tree)) return tree.map(stripSpans);
  if (typeof tree !== 'object' || tree === null) return tree;
  return Object.fromEntries(
    Object.entries(tree)
      .filter(([key]) => key !== 'span' && key !== 'operatorSpan' && key !== 'comments')
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [key, stripSpans(value)]),
  );
}

/** Whether two trees differ in nothing but spans and comments. */
export const sameTree = (a: unknown, b: unknown): boolean =>
  JSON.stringify(stripSpans(a)) === JSON.stringify(stripSpans(b));

// Which comments the formatter prints where. A list prints the comments between its items in place; whatever stands at an
// odder spot goes above its statement. Each comment is claimed once, so none is lost or doubled.

import type { Comment } from './ast.ts';
import type { Source } from './source.ts';

export interface Comments {
  readonly source: Source;
  readonly all: readonly Comment[];
  readonly claimed: Set<Comment>;
}

export const commentText = ({ documentation, text }: Comment): string =>
  `${documentation ? '##' : '#'}${text}`;

/** Whether nothing but space stands before the comment on its line. */
export function standsAlone({ span }: Comment): boolean {
  const { text } = span.source;
  for (let at = span.start - 1; at >= 0 && text[at] !== '\n'; at--)
    if (text.charCodeAt(at) > 32) return false;
  return true;
}

/** The comments that start in `from <= offset < to`. */
export function commentsIn({ all }: Comments, from: number, to: number): readonly Comment[] {
  let low = 0;
  let high = all.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (all[middle].span.start < from) low = middle + 1;
    else high = middle;
  }
  let end = low;
  while (end < all.length && all[end].span.start < to) end++;
  return all.slice(low, end);
}

/** Comments between two items of a list. */
export interface Between {
  /** At the end of the line of the item before. */
  readonly trailing: readonly Comment[];
  /** On lines of their own. */
  readonly alone: readonly Comment[];
}

/** Claims what is left between the two offsets. */
export function claim(comments: Comments, from: number, to: number): Between {
  const free = commentsIn(comments, from, to).filter((one) => !comments.claimed.has(one));
  for (const one of free) comments.claimed.add(one);
  // Only one comment can end a line; another that stood behind a comma or a bracket gets a line of its own.
  const trailing = free.length > 0 && !standsAlone(free[0]) ? 1 : 0;
  return { trailing: free.slice(0, trailing), alone: free.slice(trailing) };
}

/** Empty lines in the source between two offsets. */
export function blankBetween(source: Source, from: number, to: number): boolean {
  const first = source.text.indexOf('\n', from);
  if (first < 0 || first >= to) return false;
  return /^[ \t\r]*\n/.test(source.text.slice(first + 1, to));
}

/** Where the first `mark` outside comments after `from` ends; `from` if there is none, as in a tree without a text. */
export function endOfMark({ text }: Source, from: number, mark: string): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === mark) return at + 1;
    if (text[at] !== '#') continue;
    at = text.indexOf('\n', at);
    if (at < 0) return from;
  }
  return from;
}

// The formatter's lines: items on lines of their own with the comments around them, empty lines kept up to one, and like items
// aligned at their operators.

import type { Comment } from './ast.ts';
import { blankBetween, claim, commentText, type Comments } from './comments.ts';
import { blankLine, flat, hardLine, suffix, type Doc } from './layout.ts';
import type { Span } from './source.ts';

/** An item whose operator lines up with that of like items on the lines around it. */
export interface Aligned {
  readonly like: string;
  readonly left: Doc;
  readonly right: Doc;
}

export type ItemDoc = Doc | Aligned;

export const isAligned = (doc: ItemDoc): doc is Aligned => typeof doc === 'object' && 'like' in doc;

interface Piece {
  readonly doc: ItemDoc;
  readonly blankBefore: boolean;
  readonly trailing: Doc[];
}

export interface Pieces {
  /** Comments on the line of the opening brace. */
  readonly opening: Doc[];
  readonly lines: Piece[];
}

/**
 * The items with the comments around them, a piece for each line or more. `from` and `to` are the offsets between which the items and
 * their comments stand.
 */
export function piecesOf<Item extends { readonly span: Span }>(
  comments: Comments,
  list: readonly Item[],
  from: number,
  to: number,
  print: (item: Item) => ItemDoc,
): Pieces {
  const opening: Doc[] = [];
  const lines: Piece[] = [];
  let end = from;
  const add = (doc: ItemDoc, start: number, stop: number): void => {
    const blankBefore = lines.length > 0 && blankBetween(comments.source, end, start);
    lines.push({ doc, blankBefore, trailing: [] });
    end = stop;
  };
  const addComments = (until: number): void => {
    const { trailing, alone } = claim(comments, end, until);
    for (const one of trailing) {
      (lines.at(-1)?.trailing ?? opening).push(suffix(commentText(one)));
      end = one.span.end;
    }
    for (const one of alone) add(commentText(one), one.span.start, one.span.end);
  };
  for (const item of list) {
    const { start, end: stop } = item.span;
    const before = lines.length;
    addComments(start);
    const doc = print(item);
    add(doc, start, stop);
    const { trailing, alone } = claim(comments, start, stop);
    lines.splice(before, 0, ...hoisted([...trailing, ...alone], lines, before));
  }
  addComments(to);
  return { opening, lines };
}

/** Comments from inside an item, to stand above it and its own comments. */
function hoisted(inner: readonly Comment[], lines: Piece[], at: number): readonly Piece[] {
  if (inner.length === 0) return [];
  const first = lines[at];
  const last = inner[inner.length - 1];
  // What was no documentation inside must not become one above.
  lines[at] = { ...first, blankBefore: last.documentation };
  return inner.map((one, index) => ({
    doc: commentText(one),
    blankBefore: index === 0 ? first.blankBefore : false,
    trailing: [],
  }));
}

/** A longer padding reads worse than none. */
const longestPadding = 8;

/** The pieces on lines of their own, each after a line break, like items aligned. */
export function linesOf({ opening, lines }: Pieces): Doc {
  const docs: Doc[] = [...opening];
  for (let from = 0; from < lines.length;) {
    let to = from + 1;
    while (to < lines.length && alike(lines[from], lines[to])) to++;
    const run = lines.slice(from, to);
    const widths = run.map(({ doc }) => (isAligned(doc) ? (flat(doc.left)?.length ?? 0) : 0));
    const most = Math.max(...widths);
    const pads = most - Math.min(...widths) <= longestPadding;
    for (const [index, { doc, blankBefore, trailing }] of run.entries()) {
      docs.push(blankBefore ? blankLine : hardLine);
      const padding = pads ? ' '.repeat(most - widths[index]) : '';
      docs.push(isAligned(doc) ? [doc.left, padding, ' ', doc.right] : doc, ...trailing);
    }
    from = to;
  }
  return docs;
}

const alike = ({ doc: a }: Piece, { doc: b, blankBefore }: Piece): boolean =>
  !blankBefore && isAligned(a) && isAligned(b) && a.like === b.like;

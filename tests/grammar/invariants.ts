// What holds of every tree, of broken texts too.

import { expect } from 'vitest';
import { tokenize } from '../../grammar/scanner.ts';
import type { ParseResult } from '../../grammar/parse.ts';
import { textOf } from '../../grammar/source.ts';
import { childrenOf, isNode, walk } from '../../grammar/walk.ts';
import { source } from './tree.ts';

/** Spans nest, siblings follow one another, leaves say their text, every token belongs to a declaration. */
export function checkInvariants(text: string, { file, problems, printable }: ParseResult): void {
  const failures: string[] = [];
  walk(file, (child) => {
    if (!isNode(child)) {
      if (textOf(child.span) !== child.text) failures.push(`name ${child.text}`);
      return;
    }
    if (child.kind === 'name' && textOf(child.span) !== child.text)
      failures.push(`name ${child.text}`);
    if (child.kind === 'number' && textOf(child.span) !== child.text) failures.push(child.text);
    let { start } = child.span;
    for (const below of childrenOf(child)) {
      const kind = isNode(below) ? below.kind : below.text;
      if (below.span.start < start) failures.push(`${kind} overlaps in ${child.kind}`);
      if (below.span.end > child.span.end) failures.push(`${kind} leaves ${child.kind}`);
      if (below.span.end < below.span.start) failures.push(`${kind} is backwards`);
      start = below.span.end;
    }
    if (child.kind === 'error' && problems.length === 0)
      failures.push('an error without a problem');
  });
  let at = 0;
  for (const { startOffset, image } of tokenize(source(text)).tokens) {
    while (at < file.declarations.length && file.declarations[at].span.end <= startOffset) at++;
    const { start, end } = file.declarations[at]?.span ?? { start: text.length, end: 0 };
    if (startOffset < start || startOffset + image.length > end)
      failures.push(`token ${image} at ${startOffset} is in no declaration`);
  }
  for (const { span } of problems)
    if (span.start < 0 || span.end > text.length || span.end < span.start)
      failures.push(`problem at ${span.start}..${span.end}`);
  if (printable !== (problems.length === 0)) failures.push('printable');
  expect(failures).toEqual([]);
}

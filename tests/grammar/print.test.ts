import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { print } from '../../grammar/print.ts';
import { tokenize } from '../../grammar/scanner.ts';
import { file } from './arbitrary.ts';
import { parseText, source, stripSpans } from './tree.ts';

const fixtures = new URL('fixtures/', import.meta.url);
const fixture = (name: string): string => readFileSync(new URL(name, fixtures), 'utf8');

const format = (text: string): string => {
  const { file: tree, problems } = parseText(text);
  expect(problems).toEqual([]);
  return print(tree);
};

const commentsOf = (text: string): string[] =>
  parseText(text).comments.map(({ documentation, text: words }) => `${documentation} ${words}`);

/** `text` with a comment and a line break after each token that `chosen` takes. */
function sprinkle(text: string, chosen: (index: number) => boolean, mark: string): string {
  let out = '';
  let end = 0;
  for (const [index, { startOffset, image }] of tokenize(source(text)).tokens.entries()) {
    out += text.slice(end, startOffset + image.length);
    if (chosen(index)) out += ` ${mark} ${index}\n`;
    end = startOffset + image.length;
  }
  return out + text.slice(end);
}

describe('random trees', () => {
  test('print and parse back to the same tree, and formatting again changes nothing', () => {
    fc.assert(
      fc.property(file, (tree) => {
        const text = print(tree);
        const parsed = parseText(text);
        expect(parsed.problems).toEqual([]);
        expect(stripSpans(parsed.file)).toEqual(stripSpans(tree));
        expect(print(parsed.file)).toBe(text);
      }),
      { numRuns: 300, seed: 20 },
    );
  }, 60_000);

  test('keep every comment, wherever it stands', () => {
    fc.assert(
      fc.property(file, fc.integer({ min: 1, max: 9 }), fc.boolean(), (tree, every, documents) => {
        const mark = documents ? '##' : '#';
        const text = sprinkle(print(tree), (index) => index % every === 0, mark);
        const parsed = parseText(text);
        expect(parsed.problems).toEqual([]);
        const formatted = print(parsed.file);
        const again = parseText(formatted);
        expect(again.problems).toEqual([]);
        expect(stripSpans(again.file)).toEqual(stripSpans(parsed.file));
        expect(commentsOf(formatted).toSorted()).toEqual(commentsOf(text).toSorted());
        expect(print(again.file)).toBe(formatted);
      }),
      { numRuns: 150, seed: 21 },
    );
  }, 60_000);
});

describe('fixtures', () => {
  test.each(readdirSync(fixtures))('%s keeps its tree, and formatting is idempotent', (name) => {
    const text = fixture(name);
    const formatted = format(text);
    expect(stripSpans(parseText(formatted).file)).toEqual(stripSpans(parseText(text).file));
    expect(format(formatted)).toBe(formatted);
  });

  test.each(['six-programs.dlg', 'kitchen-sink.dlg'])('%s is formatted as it stands', (name) => {
    expect(format(fixture(name))).toBe(fixture(name));
  });

  test('comments stay in place', () => {
    expect(format(fixture('comments.dlg'))).toMatchSnapshot();
  });
});

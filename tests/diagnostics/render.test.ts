// How diagnostics look on a terminal, and as data.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { defineDiagnostics, report } from '../../compiler/diagnostics/diagnostic.ts';
import { toJson } from '../../compiler/diagnostics/json.ts';
import {
  inReadingOrder,
  renderDiagnostic,
  renderDiagnostics,
  summary,
} from '../../compiler/diagnostics/render.ts';
import type { Source, Span } from '../../grammar/source.ts';

const table = defineDiagnostics({
  E9001: {
    severity: 'error',
    title: 'sizes differ',
    message: (data: { actual: string; expected: string }) =>
      `the last axis is ${data.actual}, but l2 needs ${data.expected}`,
    help: (data: { actual: string }) => `did you mean ${data.actual}?`,
    explanation: 'Sizes differ.',
    example: '',
  },
  E9002: {
    severity: 'warning',
    title: 'never used',
    message: () => 'nothing uses it',
    explanation: 'Unused.',
    example: '',
  },
});

const source = (text: string, path = 'net.dlg'): Source => ({ path, text });

/** The n-th occurrence of `text`. */
function spanOf(of: Source, text: string, n = 1): Span {
  let start = -1;
  for (let i = 0; i < n; i++) start = of.text.indexOf(text, start + 1);
  if (start < 0) throw new Error(`no ${text}`);
  return { source: of, start, end: start + text.length };
}

/** The first character of a span. */
const first = (span: Span): Span => ({ ...span, end: span.start + 1 });

const plain = { color: false };
const data = { actual: 'h = 128', expected: 'n = 784' };

describe('terminal', () => {
  test('several lines of one source, in order', () => {
    const net = source(
      [
        'import "std/nn"',
        ...Array.from({ length: 7 }, () => ''),
        '  layer l1 = Dense(n, h)',
        '  layer l2 = Dense(n, k)',
        '',
        '',
        '',
        '  fn (x: [..B, n]) -> [..B, k] = x |> l1 |> l2',
      ].join('\n'),
    );
    const d = report(table.E9001, {
      span: spanOf(net, 'l2', 2),
      data,
      related: [
        { span: first(spanOf(net, 'n, k')), reason: 'so l2 expects [..B, n], n = 784' },
        { span: first(spanOf(net, 'h)')), reason: 'l1 returns [..B, h], h = 128' },
      ],
      help: 'did you mean `Dense(h, k)` on line 10?',
    });
    expect(`\n${renderDiagnostic(d, plain)}\n`).toMatchInlineSnapshot(`
      "
      error[E9001]: sizes differ
        net.dlg:14:45
       9 |   layer l1 = Dense(n, h)
         |                       - l1 returns [..B, h], h = 128
      10 |   layer l2 = Dense(n, k)
         |                    - so l2 expects [..B, n], n = 784
      14 |   fn (x: [..B, n]) -> [..B, k] = x |> l1 |> l2
         |                                             ^^ the last axis is h = 128, but l2 needs n = 784
         = help: did you mean \`Dense(h, k)\` on line 10?
      "
    `);
  });

  test('related places in other files, notes and two marks on a line', () => {
    const main = source('fn f(x: [n], y: [m]) -> [n] = add(x, y)\n', 'main.dlg');
    const lib = source('## Adds.\nfn add(a: [k], b: [k]) -> [k] = a + b\n', 'std/sums');
    const d = report(table.E9001, {
      span: spanOf(main, 'y', 2),
      data,
      related: [
        { span: spanOf(main, 'x', 2), reason: 'k = n from here' },
        { span: spanOf(lib, 'b: [k]'), reason: 'declared here' },
      ],
      notes: ['left: n', 'right: m\nof the second argument'],
      help: null,
    });
    expect(`\n${renderDiagnostic(d, plain)}\n`).toMatchInlineSnapshot(`
      "
      error[E9001]: sizes differ
        main.dlg:1:38
       1 | fn f(x: [n], y: [m]) -> [n] = add(x, y)
         |                                   - k = n from here
         |                                      ^ the last axis is h = 128, but l2 needs n = 784
        std/sums:2:16
       2 | fn add(a: [k], b: [k]) -> [k] = a + b
         |                ------ declared here
         = note: left: n
         = note: right: m
                 of the second argument
         = help: did you mean h = 128?
      "
    `);
  });

  test('tabs, Greek, wide and combining characters keep carets in place', () => {
    const greek = source("\tσ' = Σβ(数据, e\u0301) + x # 🎲 y\n");
    for (const text of ['Σβ', 'x', 'y', '据', 'e\u0301']) {
      const lines = renderDiagnostic(
        report(table.E9002, { span: spanOf(greek, text) }),
        plain,
      ).split('\n');
      expect(`\n${lines.slice(1).join('\n')}\n`).toMatchSnapshot(text);
    }
  });

  test('a span of several lines is marked at both ends', () => {
    const body = source('fn f(x: [n]) -> [n] {\n  y = x\n  z = y\n}\n');
    const d = report(table.E9002, { span: { source: body, start: 20, end: body.text.length - 1 } });
    expect(`\n${renderDiagnostic(d, plain)}\n`).toMatchInlineSnapshot(`
      "
      warning[E9002]: never used
        net.dlg:1:21
       1 | fn f(x: [n]) -> [n] {
         |                     ^
       4 | }
         | ^ nothing uses it
      "
    `);
  });

  test('the end of the text, and no text', () => {
    const open = source('fn f(');
    const at = report(table.E9002, { span: { source: open, start: 5, end: 5 } });
    expect(`\n${renderDiagnostic(at, plain)}\n`).toMatchInlineSnapshot(`
      "
      warning[E9002]: never used
        net.dlg:1:6
       1 | fn f(
         |      ^ nothing uses it
      "
    `);
    const empty = source('');
    const none = report(table.E9002, { span: { source: empty, start: 0, end: 0 } });
    expect(renderDiagnostic(none, plain)).toContain('net.dlg:1:1\n 1 |\n   | ^ nothing uses it');
  });

  test('without a place', () => {
    const d = report(table.E9001, { span: null, data });
    expect(`\n${renderDiagnostic(d, plain)}\n`).toMatchInlineSnapshot(`
      "
      error[E9001]: sizes differ
        the last axis is h = 128, but l2 needs n = 784
        = help: did you mean h = 128?
      "
    `);
  });

  test('no source steers the terminal', () => {
    const evil = source('x = "\u001B[2J" \u202E+ y\r\n');
    const text = renderDiagnostic(report(table.E9002, { span: spanOf(evil, 'y') }), plain);
    expect(text).not.toMatch(/[\u001B\u202E\r]/);
    const [, , line, carets] = text.split('\n');
    expect(carets.indexOf('^')).toBe(line.indexOf('y'));
  });

  test('any span of any text is shown, on lines that are those of the source', () => {
    const texts = fc.string({
      unit: fc.constantFrom('a', '\t', '\n', '\r\n', 'β', '数', '\u0301', '🎲', '\ud800'),
    });
    fc.assert(
      fc.property(texts, fc.nat(20), fc.nat(20), (text, a, b) => {
        const of = source(text);
        const [start, end] = [Math.min(a, text.length), Math.min(a + b, text.length)];
        const d = report(table.E9002, { span: { source: of, start, end } });
        const [, place, ...lines] = renderDiagnostic(d, plain).split('\n');
        expect(place).toMatch(/^ {2}net\.dlg:\d+:\d+$/);
        const numbers = lines.flatMap((line) => /^ *(\d+) \|/.exec(line)?.[1] ?? []).map(Number);
        expect(numbers.length).toBeLessThanOrEqual(2);
        expect(numbers[0]).toBe(text.slice(0, start).split('\n').length);
        expect(lines.filter((line) => /^ +\| *\^+/.test(line)).length).toBe(numbers.length);
      }),
    );
  });

  test('colour is on only when asked for', () => {
    const d = report(table.E9001, { span: spanOf(source('abc'), 'b'), data });
    expect(renderDiagnostic(d, { color: true })).toContain('\u001B[31m');
    expect(renderDiagnostic(d, plain)).not.toContain('\u001B');
  });

  test('a list is ordered by place, without repetitions, and counted', () => {
    const [one, two] = [source('a b c', 'one.dlg'), source('d', 'two.dlg')];
    const at = (of: Source, text: string) => report(table.E9002, { span: spanOf(of, text) });
    const list = [
      at(one, 'c'),
      at(two, 'd'),
      report(table.E9001, { span: spanOf(one, 'a'), data }),
      at(one, 'c'),
    ];
    expect(inReadingOrder(list).map((d) => d.span?.start)).toEqual([0, 4, 0]);
    expect(summary(list.slice(0, 2))).toBe('2 warnings');
    expect(renderDiagnostics(list, plain).endsWith('\n\n1 error, 2 warnings\n')).toBe(true);
    expect(renderDiagnostics([], plain)).toBe('');
  });
});

describe('data', () => {
  test('JSON has places in lines, columns and offsets', () => {
    const net = source('a\n  bc = 1');
    const span = spanOf(net, 'bc');
    const d = report(table.E9001, { span, data, fix: [{ span, newText: 'de' }] });
    const place = {
      file: 'net.dlg',
      start: { line: 2, column: 3, offset: 4 },
      end: { line: 2, column: 5, offset: 6 },
    };
    expect(JSON.parse(JSON.stringify(toJson(d)))).toEqual({
      code: 'E9001',
      severity: 'error',
      title: 'sizes differ',
      message: 'the last axis is h = 128, but l2 needs n = 784',
      span: place,
      related: [],
      notes: [],
      help: 'did you mean h = 128?',
      fix: [{ span: place, newText: 'de' }],
      data,
    });
    expect(toJson(report(table.E9001, { span: null, data })).span).toBeNull();
  });

  test('the help of a report goes before that of its table, and an empty one is none', () => {
    expect(report(table.E9001, { span: null, data, help: 'try this' }).help).toBe('try this');
    expect(report(table.E9001, { span: null, data, help: null }).help).toBe(
      'did you mean h = 128?',
    );
    expect(report(table.E9002, { span: null, help: '' }).help).toBeNull();
  });
});

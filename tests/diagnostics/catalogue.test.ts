// The tables of diagnostics: complete, without clashes, explained.

import { readdirSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { catalogue, explain } from '../../compiler/diagnostics/catalogue.ts';
import { suggest } from '../../compiler/diagnostics/suggest.ts';
import { fromSyntaxProblem } from '../../compiler/diagnostics/syntax.ts';

describe('the catalogue', () => {
  test('gives no code twice', () => {
    const codes = catalogue.map((d) => d.code);
    expect(codes.filter((code, i) => codes.indexOf(code) !== i)).toEqual([]);
  });

  test.each(catalogue.map((d) => [d.code, d] as const))('%s is complete', (code, d) => {
    expect(code).toMatch(/^E\d{4}$/);
    expect(d.title).toMatch(/^[^A-Z].*[^.]$/);
    expect(d.explanation.length).toBeGreaterThan(20);
    expect(d.explanation.trim()).toMatch(/[.:)`]$/);
    expect(d.example.trim()).not.toBe('');
  });

  test('leaves out no table of its folder', async () => {
    const folder = new URL('../../compiler/diagnostics/', import.meta.url);
    const listed = new Set(catalogue.map((d) => d.code));
    const tables: string[] = [];
    for (const file of readdirSync(folder)) {
      const exported: unknown[] = Object.values(await import(new URL(file, folder).href));
      for (const table of exported) {
        const codes = Object.keys(Object(table)).filter((key) => /^E\d{4}$/.test(key));
        if (codes.length > 0) tables.push(file);
        expect(codes.filter((code) => !listed.has(code))).toEqual([]);
      }
    }
    expect(tables.length).toBeGreaterThanOrEqual(8);
  });

  test('explains a code, however it is written', () => {
    const text = explain('E0900');
    expect(text).toMatch(/^error\[E0900\]: not there yet\n\n/);
    expect(text).toContain('An example:\n\n    model M');
    expect(explain('e900')).toBe(text);
    expect(explain('900')).toBe(text);
    for (const { code } of catalogue)
      for (const line of (explain(code) ?? '').split('\n'))
        if (!line.startsWith('    ')) expect(line.length).toBeLessThanOrEqual(88);
  });

  test('knows no other codes', () => {
    expect(explain('E9999')).toBeNull();
    expect(explain('constructor')).toBeNull();
    expect(explain('')).toBeNull();
  });
});

describe('syntax problems', () => {
  const source = { path: 'a.dlg', text: 'fn f(x' };
  const span = { source, start: 6, end: 6 };

  test('what was expected, in words, with what it closes', () => {
    const d = fromSyntaxProblem({
      kind: 'expected',
      span,
      found: 'the end of the file',
      expected: ['`,`', '`)`'],
      context: 'a parameter list',
      opened: { source, start: 4, end: 5 },
    });
    expect(d.code).toBe('E0003');
    expect(d.message).toBe('expected `,` or `)`, found the end of the file in a parameter list');
    expect(d.related).toEqual([
      { span: { source, start: 4, end: 5 }, reason: 'this opens a parameter list' },
    ]);
  });

  test('characters, strings and forms', () => {
    const character = fromSyntaxProblem({ kind: 'unexpected-character', span, found: '$' });
    expect([character.code, character.message]).toEqual([
      'E0001',
      'no part of the language starts with `$`',
    ]);
    expect(fromSyntaxProblem({ kind: 'unterminated-string', span }).code).toBe('E0002');
    const form = fromSyntaxProblem({ kind: 'malformed', span, message: 'no', help: 'yes' });
    expect([form.code, form.message, form.help]).toEqual(['E0004', 'no', 'yes']);
  });
});

describe('suggestions', () => {
  const known = ['relu', 'sigmoid', 'softmax', 'Dense', 'n', 'x'];

  test.each([
    ['rleu', 'relu'],
    ['sofmax', 'softmax'],
    ['dense', 'Dense'],
    ['sigmoide', 'sigmoid'],
    ['conv', null],
    ['m', null],
    ['relu', null],
  ])('%s: %s', (name, expected) => {
    expect(suggest(name, known)).toBe(expected);
  });

  test('the nearest, and of two the first', () => {
    expect(suggest('heads', ['head', 'heats', 'headss'])).toBe('head');
    expect(suggest('softplsu', ['softmax', 'softplus'])).toBe('softplus');
  });
});

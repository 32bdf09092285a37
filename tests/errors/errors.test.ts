// One file for each diagnostic: it gives exactly that one, and reads as the text beside it. `vitest -u` rewrites the texts.

import { existsSync, readFileSync, readdirSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { check } from '../../compiler/check/check.ts';
import { catalogue } from '../../compiler/diagnostics/catalogue.ts';
import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.ts';
import { renderDiagnostics } from '../../compiler/diagnostics/render.ts';
import { compile } from '../../compiler/pipeline.ts';
import type { Source } from '../../grammar/source.ts';

const here = new URL('.', import.meta.url);
const library = new URL('../../stdlib/', import.meta.url);

const read = (base: URL, path: string): string | null => {
  const url = new URL(path, base);
  return existsSync(url) ? readFileSync(url, 'utf8') : null;
};

const host = {
  read: (path: string): string | null =>
    path.startsWith('std/') ? read(library, path.slice(4)) : read(here, path),
};

/** What the checker says, and, where it is content, the elaborator. */
function diagnose(main: Source): readonly Diagnostic[] {
  const checked = check(main, host).diagnostics;
  return checked.length > 0 ? checked : compile(main, host).diagnostics;
}

/** Met while data is read and programs run; their tests are with the command line and the runtime. */
const atRunTime = /^E05/;

const files = readdirSync(here).filter((file) => /^E\d{4}.*\.dlg$/.test(file));
const codeOf = (file: string): string => file.slice(0, 5);

describe('every diagnostic', () => {
  test.each(files)('%s', async (path) => {
    const found = diagnose({ path, text: read(here, path) ?? '' });
    expect(found.map((d) => d.code)).toEqual([codeOf(path)]);
    const text = renderDiagnostics(found, { color: false });
    await expect(text).toMatchFileSnapshot(new URL(path.replace(/dlg$/, 'txt'), here).pathname);
  });

  test('has a file', () => {
    const covered = new Set(files.map(codeOf));
    const missing = catalogue
      .map((d) => d.code)
      .filter((code) => !atRunTime.test(code) && !covered.has(code));
    expect(missing).toEqual([]);
    expect(covered.size).toBeGreaterThanOrEqual(60);
  });

  test('has an example that gives it', () => {
    const wrong = catalogue
      .filter((d) => !atRunTime.test(d.code) && !needsFiles.has(d.code))
      .map((d) => {
        const prelude = /SGD|Adam/.test(d.example) ? 'import "std/optim"\n' : '';
        const found = diagnose({ path: 'example.dlg', text: prelude + d.example });
        return { code: d.code, found: found.map((f) => f.code) };
      })
      .filter(({ code, found }) => found.length !== 1 || found[0] !== code);
    expect(wrong).toEqual([]);
  });
});

/** Their examples import files that exist in this folder only. */
const needsFiles: ReadonlySet<string> = new Set(['E0205', 'E0206']);

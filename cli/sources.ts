// Sources from disk: the files that the user names, and the standard library that ships beside the command.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Source } from '../grammar/source.ts';
import { readBytes } from '../runtime/files.ts';
import { isProblem, type Problem } from '../runtime/problem.ts';

/** Beside cli/ in the sources, beside dist/ once bundled. */
const stdlib = fileURLToPath(new URL('../stdlib/', import.meta.url));

const withSuffix = (path: string): string => (path.endsWith('.dlg') ? path : `${path}.dlg`);

/** The file's text; invalid UTF-8 becomes replacement characters, which the lexer reports. */
export function readSource(path: string): Source | Problem {
  const bytes = readBytes(path);
  return isProblem(bytes) ? bytes : { path, text: new TextDecoder().decode(bytes) };
}

/** Reads what sources import: `std/...` from the library, all else from disk. */
export const host = {
  read(path: string): string | null {
    const library = /^std\/(.+)$/.exec(path)?.[1];
    const source = readSource(library === undefined ? path : join(stdlib, withSuffix(library)));
    return 'kind' in source ? null : source.text;
  },
};

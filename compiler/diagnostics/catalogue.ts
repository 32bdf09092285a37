// Every diagnostic there is, for `dlg explain`, the documentation and the tests.

import { bijectors } from './bijectors.ts';
import { builtinDiagnostics } from './builtins.ts';
import { files } from './data.ts';
import { derivatives } from './derivatives.ts';
import type { Definition } from './diagnostic.ts';
import { elaborationDiagnostics } from './elaboration.ts';
import { indices } from './indices.ts';
import { loops } from './loops.ts';
import { names } from './names.ts';
import { paramsDiagnostics } from './params.ts';
import { programs } from './programs.ts';
import { ruleDiagnostics } from './rules.ts';
import { syntax } from './syntax.ts';
import { tables as tableDiagnostics } from './tables.ts';
import { sizes, types } from './types-and-shapes.ts';

const tables: readonly Readonly<Record<string, Definition>>[] = [
  syntax,
  sizes,
  types,
  names,
  indices,
  programs,
  derivatives,
  paramsDiagnostics,
  loops,
  bijectors,
  ruleDiagnostics,
  files,
  builtinDiagnostics,
  elaborationDiagnostics,
  tableDiagnostics,
];

/** All definitions, by code. */
export const catalogue: readonly Definition[] = tables
  .flatMap((table) => Object.values(table))
  .sort((a, b) => (a.code < b.code ? -1 : 1));

const WIDTH = 88;

/** Greedy lines of at most `WIDTH` characters. */
function wrap(paragraph: string): string {
  const lines = [''];
  for (const word of paragraph.split(/\s+/)) {
    const line = lines[lines.length - 1];
    const joined = line === '' ? word : `${line} ${word}`;
    if (joined.length <= WIDTH) lines[lines.length - 1] = joined;
    else lines.push(word);
  }
  return lines.join('\n');
}

const indented = (program: string): string =>
  program
    .trimEnd()
    .split('\n')
    .map((line) => `    ${line}`.trimEnd())
    .join('\n');

/** What `dlg explain CODE` prints; null for a code that does not exist. `e101` and `101` mean E0101. */
export function explain(code: string): string | null {
  const digits = /^e?(\d{1,4})$/i.exec(code.trim())?.[1];
  const wanted = digits === undefined ? code : `E${digits.padStart(4, '0')}`;
  const definition = catalogue.find((d) => d.code === wanted);
  if (definition === undefined) return null;
  const { severity, title, explanation, example } = definition;
  const paragraphs = explanation.split(/\n\n+/).map(wrap);
  return (
    [
      `${severity}[${definition.code}]: ${title}`,
      ...paragraphs,
      `An example:\n\n${indented(example)}`,
    ].join('\n\n') + '\n'
  );
}

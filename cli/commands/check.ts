// `dlg check FILE...`: parses and checks, writes nothing.

import { setFlagsFromString } from 'node:v8';

import { check } from '../../compiler/check/check.ts';
import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.ts';
import type { Source } from '../../grammar/source.ts';
import { isProblem, plural } from '../../runtime/problem.ts';
import { exit, note, show, toDiagnostic, type ExitCode } from '../output.ts';
import { host, readSource } from '../sources.ts';

export async function checkFiles(
  files: readonly string[],
  options: { readonly json?: boolean },
): Promise<ExitCode> {
  // A check is over before V8's optimising compiler pays: at its default budget (67,584 in Node 20) that compiler took half of
  // the processor time of a check of 1,000 lines (2026-11). Long checks still reach this one.
  setFlagsFromString('--interrupt-budget=1000000');
  const diagnostics = new Map<string, Diagnostic>();
  for (const path of files) {
    const source = readSource(path);
    const found = isProblem(source) ? [toDiagnostic(source)] : await diagnose(source);
    // A file that several of them import is checked for each.
    for (const d of found) diagnostics.set(keyOf(d), d);
  }
  const code = show([...diagnostics.values()], options);
  if (code === exit.done && options.json !== true)
    note(`${plural(files.length, 'file')} checked, no errors`);
  return code;
}

/** What the checker says, and, where it has no errors, what the tables of schedules and decision processes show. */
async function diagnose(source: Source): Promise<readonly Diagnostic[]> {
  const { program, diagnostics } = check(source, host);
  const wrong = diagnostics.some(({ severity }) => severity === 'error');
  if (program === null || wrong || program.tables.length === 0) return diagnostics;
  // Few files have tables, and most checks are over before the elaborator would be loaded.
  const { tableDiagnostics } = await import('../../compiler/elaborate/table-diagnostics.ts');
  return [...diagnostics, ...tableDiagnostics(program)];
}

const keyOf = ({ code, message, span }: Diagnostic): string =>
  JSON.stringify([code, message, span?.source.path, span?.start, span?.end]);

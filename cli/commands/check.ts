// `dlg check FILE...`: parses and checks, writes nothing.

import { setFlagsFromString } from 'node:v8';

import { check } from '../../compiler/check/check.ts';
import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.ts';
import { isProblem, plural } from '../../runtime/problem.ts';
import { exit, note, show, toDiagnostic, type ExitCode } from '../output.ts';
import { host, readSource } from '../sources.ts';

export function checkFiles(
  files: readonly string[],
  options: { readonly json?: boolean },
): ExitCode {
  // A check is over before V8's optimising compiler pays: at its default budget (67,584 in Node 20) that compiler took half of
  // the processor time of a check of 1,000 lines (2026-11). Long checks still reach this one.
  setFlagsFromString('--interrupt-budget=1000000');
  const diagnostics = new Map<string, Diagnostic>();
  for (const path of files) {
    const source = readSource(path);
    const found = isProblem(source) ? [toDiagnostic(source)] : check(source, host).diagnostics;
    // A file that several of them import is checked for each.
    for (const d of found) diagnostics.set(keyOf(d), d);
  }
  const code = show([...diagnostics.values()], options);
  if (code === exit.done && options.json !== true)
    note(`${plural(files.length, 'file')} checked, no errors`);
  return code;
}

const keyOf = ({ code, message, span }: Diagnostic): string =>
  JSON.stringify([code, message, span?.source.path, span?.start, span?.end]);

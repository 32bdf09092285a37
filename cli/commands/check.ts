// `dlg check FILE...`: parses and checks, writes nothing.

import { check as checkProgram } from '../../compiler/check/check.ts';
import { isProblem, plural } from '../../runtime/problem.ts';
import { exit, note, show, toDiagnostic, type ExitCode } from '../output.ts';
import { host, readSource } from '../sources.ts';

export function check(files: readonly string[], options: { readonly json?: boolean }): ExitCode {
  const diagnostics = files.flatMap((path) => {
    const source = readSource(path);
    return isProblem(source) ? [toDiagnostic(source)] : checkProgram(source, host).diagnostics;
  });
  const code = show(diagnostics, options);
  if (code === exit.done && options.json !== true)
    note(`${plural(files.length, 'file')} checked, no errors`);
  return code;
}

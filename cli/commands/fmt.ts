// `dlg fmt FILE...`: rewrites files in the one format, or says which are not in it.

import { fromSyntaxProblem } from '../../compiler/diagnostics/syntax.ts';
import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.ts';
import { parse } from '../../grammar/parse.ts';
import { print as format } from '../../grammar/print.ts';
import { writeAtomic } from '../../runtime/files.ts';
import { isProblem, plural } from '../../runtime/problem.ts';
import { exit, note, print, show, toDiagnostic, type ExitCode } from '../output.ts';
import { readSource } from '../sources.ts';

interface FormatOptions {
  readonly check?: boolean;
  readonly json?: boolean;
}

export function fmt(files: readonly string[], options: FormatOptions): ExitCode {
  const diagnostics: Diagnostic[] = [];
  const unformatted: string[] = [];
  for (const path of files) {
    const source = readSource(path);
    if (isProblem(source)) {
      diagnostics.push(toDiagnostic(source));
      continue;
    }
    const { file, problems, printable } = parse(source);
    // What was skipped in recovery would be lost: such a file is left as it is.
    if (!printable) {
      diagnostics.push(...problems.map(fromSyntaxProblem));
      continue;
    }
    const text = format(file);
    if (text === source.text) continue;
    unformatted.push(path);
    const refused = options.check === true ? null : writeAtomic(path, text);
    if (refused !== null) diagnostics.push(toDiagnostic(refused));
  }
  const code = diagnostics.length > 0 || options.json === true ? show(diagnostics, options) : 0;
  if (options.json !== true) for (const path of unformatted) print(path);
  if (options.check === true && unformatted.length > 0) {
    note(`${plural(unformatted.length, 'file')} not formatted`);
    return exit.userError;
  }
  return code;
}

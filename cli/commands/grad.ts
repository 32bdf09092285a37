// `dlg grad FILE FN --wrt NAME`: prints the derivative of a function by one of its parameters, as DLG or LaTeX.

import { derive } from '../../compiler/pipeline.ts';
import { isProblem, problem } from '../../runtime/problem.ts';
import { exit, fail, print, show, type ExitCode } from '../output.ts';
import { host, readSource } from '../sources.ts';

interface GradOptions {
  readonly wrt: string;
  readonly latex?: boolean;
  readonly json?: boolean;
}

export function grad(file: string, name: string, options: GradOptions): ExitCode {
  const source = readSource(file);
  if (isProblem(source)) return fail(source, options);
  const { derivative, diagnostics } = derive(source, host, { of: name, by: options.wrt });
  const failed = derivative === null;
  if (failed || options.json !== true) {
    const code = show(diagnostics, failed ? options : {});
    if (code !== exit.done || failed) return code;
  }
  if (derivative === null || typeof derivative === 'string')
    return fail(problem('E0510', null, derivative ?? 'there is no derivative'), options);
  for (const line of options.latex === true ? derivative.latex : derivative.dlg) print(line);
  return exit.done;
}

// `dlg explain CODE`: what a diagnostic means, with a program that gets it.

import { catalogue, explain } from '../../compiler/diagnostics/catalogue.ts';
import { exit, note, print, type ExitCode } from '../output.ts';

export function explainCode(code: string): ExitCode {
  const text = explain(code);
  if (text === null) {
    const [first, last] = [catalogue.at(0)?.code, catalogue.at(-1)?.code];
    note(`error: no diagnostic is called ${code}; the codes run from ${first} to ${last}`);
    return exit.userError;
  }
  print(text.trimEnd());
  return exit.done;
}

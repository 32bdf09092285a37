// What the commands print and how: results on standard output, diagnostics and progress on standard error, colours and bars only
// on a terminal. The exit codes of every command stand here.

import pc from 'picocolors';

import { files } from '../compiler/diagnostics/data.ts';
import { report, type Diagnostic } from '../compiler/diagnostics/diagnostic.ts';
import { toJson } from '../compiler/diagnostics/json.ts';
import { renderDiagnostics } from '../compiler/diagnostics/render.ts';
import type { Problem } from '../runtime/problem.ts';

/**
 * 0: done; 1: something is wrong with the user's program or data; 2: the command was misused; 70: a bug in dlg; 130: interrupted
 * from the keyboard, as shells have it.
 */
export const exit = { done: 0, userError: 1, usage: 2, bug: 70, interrupted: 130 } as const;

export type ExitCode = (typeof exit)[keyof typeof exit];

/** A result, on standard output. */
export const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** What accompanies the result, on standard error. */
export const note = (text: string): void => void process.stderr.write(`${text}\n`);

/** Says that an equation, `fix V`, was not solved: its values are those of the last round. */
export const warnUnsolved = (equation: string, when = ''): void =>
  note(
    `warning: \`${equation}\` did not come within its tolerance in the rounds it may take${when === '' ? '' : `, ${when}`}`,
  );

/** Colours for standard error. */
export const colors = pc.createColors(pc.isColorSupported && process.stderr.isTTY === true);

/** A problem of the runtime as a diagnostic without a place in a source. */
export const toDiagnostic = ({ code, file, message, help, notes = [] }: Problem): Diagnostic =>
  report(files[code], { span: null, data: { file, message }, help, notes });

/** Shows diagnostics; the exit code they call for. With `json`, one object on standard output, even for none. */
export function show(
  diagnostics: readonly Diagnostic[],
  { json = false }: { readonly json?: boolean } = {},
): ExitCode {
  if (json) print(JSON.stringify({ diagnostics: diagnostics.map(toJson) }, null, 2));
  else process.stderr.write(renderDiagnostics(diagnostics, { color: colors.isColorSupported }));
  return diagnostics.some((d) => d.severity === 'error') ? exit.userError : exit.done;
}

/** Shows one problem of the runtime. */
export const fail = (problem: Problem, options: { readonly json?: boolean } = {}): ExitCode =>
  show([toDiagnostic(problem)], options);

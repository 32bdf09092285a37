// Programs as text, checked; helpers are strict on the count of diagnostics.

import { existsSync, readFileSync } from 'node:fs';

import { check } from '../../compiler/check/check.ts';
import type { TypedExpression, TypedFunction, TypedProgram } from '../../compiler/check/typed.ts';
import { showType } from '../../compiler/check/show.ts';
import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.ts';
import { positionOf, textOf } from '../../grammar/source.ts';

const library = new URL('../../stdlib/', import.meta.url);

/** Reads `std/...` from the library, everything else from `files`. */
export const hostOf = (files: Readonly<Record<string, string>> = {}) => ({
  read: (path: string): string | null => {
    if (!path.startsWith('std/')) return files[path] ?? null;
    const url = new URL(path.slice(4), library);
    return existsSync(url) ? readFileSync(url, 'utf8') : null;
  },
});

export const diagnose = (
  text: string,
  files: Readonly<Record<string, string>> = {},
): readonly Diagnostic[] => check({ path: 'main.dlg', text }, hostOf(files)).diagnostics;

/** Each report as `E0101 3:7 \`text under the carets\``. */
export const reports = (text: string, files: Readonly<Record<string, string>> = {}): string[] =>
  diagnose(text, files).map(({ code, span }) => {
    if (span === null) return code;
    const { line, column } = positionOf(span.source, span.start);
    return `${code} ${line}:${column} ${textOf(span)}`;
  });

/** The program, which must be without any report. */
export function accepted(text: string, files: Readonly<Record<string, string>> = {}): TypedProgram {
  const { program, diagnostics } = check({ path: 'main.dlg', text }, hostOf(files));
  if (program === null || diagnostics.length > 0)
    throw new Error(diagnostics.map((d) => `${d.code} ${d.message}`).join('\n'));
  return program;
}

/** The only report of a program. */
export function only(text: string, files: Readonly<Record<string, string>> = {}): Diagnostic {
  const all = diagnose(text, files);
  if (all.length !== 1)
    throw new Error(
      `${all.length} reports: ${all.map((d) => `${d.code} ${d.message}`).join('; ')}`,
    );
  return all[0];
}

export function functionOf(program: TypedProgram, name: string): TypedFunction {
  const found = program.functions.find((f) => f.name === name);
  if (found === undefined) throw new Error(`no function ${name}`);
  return found;
}

/** The value of the last `let` of that name, or of the result where `name` is null. */
export function valueIn(program: TypedProgram, of: string, name: string | null): TypedExpression {
  const body = functionOf(program, of).body();
  if (body === null) throw new Error(`${of} has no body`);
  if (name === null) return body.result;
  const found = body.statements.findLast((s) => s.kind === 'let' && s.local.name === name);
  if (found?.kind !== 'let') throw new Error(`no ${name} in ${of}`);
  return found.value;
}

/** The type of an expression over parameters that `parameters` declares. */
export const typeOf = (parameters: string, expression: string): string =>
  showType(functionOf(accepted(`fn f(${parameters}) = ${expression}\n`), 'f').result);

/** The codes of the reports for an expression. */
export const codesOf = (parameters: string, expression: string): string[] =>
  diagnose(`fn f(${parameters}) = ${expression}\n`).map((d) => d.code);

// What every command that runs or writes a program does first: read the file, compile it, show what is wrong.

import { compile, type CompileOptions } from '../compiler/pipeline.ts';
import type { CompiledProgram } from '../compiler/program.ts';
import { isProblem, problem, type Problem } from '../runtime/problem.ts';
import { exit, fail, show, type ExitCode } from './output.ts';
import { host, readSource } from './sources.ts';

export interface Compiled {
  readonly kind: 'compiled';
  readonly program: CompiledProgram;
}

/** The compiled program, or the exit code after its errors were shown. Warnings go to standard error. */
export function compileFile(
  path: string,
  output: { readonly json?: boolean },
  options: CompileOptions = {},
): Compiled | ExitCode {
  const source = readSource(path);
  if (isProblem(source)) return fail(source, output);
  const { program, diagnostics } = compile(source, host, options);
  const failed = program === null;
  if (failed || output.json !== true) {
    const code = show(diagnostics, failed ? output : {});
    if (code !== exit.done) return code;
  }
  if (program === null) throw new Error('a program without errors was not compiled');
  return { kind: 'compiled', program };
}

/** The entry of that name, or the only one. */
export function select<T extends { readonly name: string }>(
  entries: readonly T[],
  kind: 'export fn' | 'train block',
  name: string | undefined,
): T | Problem {
  const [first] = entries;
  const found = name === undefined ? first : entries.find((entry) => entry.name === name);
  const names = entries.map((entry) => entry.name).join(', ');
  if (first === undefined) return problem('E0510', null, `the program has no ${kind}`);
  if (name === undefined && entries.length > 1)
    return problem('E0510', null, `the program has several: ${names}`, 'choose one with --block');
  return (
    found ?? problem('E0510', null, `the program has no ${kind} called ${name}`, `it has ${names}`)
  );
}

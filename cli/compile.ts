// What every command that runs or writes a program does first: read the file, compile it, show what is wrong.

import { compile, type CompileOptions } from '../compiler/pipeline.ts';
import {
  showPort,
  type CompiledFunction,
  type CompiledProgram,
  type CompiledTrain,
} from '../compiler/program.ts';
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

/** The export fn of that name. */
export const chooseFunction = (
  functions: readonly CompiledFunction[],
  name: string,
): CompiledFunction | Problem => named(functions, 'export fn', name);

/** The train block of that name, or the only one. */
export function chooseBlock(
  trains: readonly CompiledTrain[],
  name: string | undefined,
): CompiledTrain | Problem {
  if (name !== undefined) return named(trains, 'train block', name);
  const [first, ...others] = trains;
  if (first === undefined) return problem('E0510', null, 'the program has no train block');
  if (others.length === 0) return first;
  return {
    ...problem(
      'E0510',
      null,
      `the program has ${trains.length} train blocks`,
      `choose one: \`--block ${first.name}\``,
    ),
    notes: trains.map((train) => `${train.name} takes ${showData(train)}`),
  };
}

const showData = ({ data }: CompiledTrain): string =>
  data.length === 0 ? 'no data' : data.map((port) => `${port.name}: ${showPort(port)}`).join(', ');

function named<T extends { readonly name: string }>(
  entries: readonly T[],
  kind: string,
  name: string,
): T | Problem {
  const found = entries.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  const names = entries.map((entry) => entry.name).join(', ');
  return problem(
    'E0510',
    null,
    entries.length === 0
      ? `the program has no ${kind}`
      : `the program has no ${kind} called ${name}`,
    entries.length === 0 ? null : `it has ${names}`,
  );
}

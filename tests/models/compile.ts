// Compiles a program text for the tests of models and artifacts, with the standard library as it stands in stdlib/.

import { expect } from 'vitest';

import { host } from '../../cli/sources.ts';
import { compile } from '../../compiler/pipeline.ts';
import type { CompiledFunction, CompiledProgram, CompiledTrain } from '../../compiler/program.ts';

/** The compiled program; the test fails with the messages where the text is wrong. */
export function compiled(text: string, path = 'test.dlg'): CompiledProgram {
  const { program, diagnostics } = compile({ path, text }, host);
  if (program === null)
    expect.fail(diagnostics.map(({ code, message }) => `${code} ${message}`).join('\n') + text);
  return program;
}

const imports = ['activations', 'nn', 'cnn', 'transformer', 'losses', 'metrics', 'optim']
  .map((file) => `import "std/${file}"\n`)
  .join('');

/** The compiled program of declarations that may use the whole standard library. */
export const compiledWithLibrary = (declarations: string): CompiledProgram =>
  compiled(`${imports}\n${declarations}`);

/** The export fn of that name. */
export function functionOf(program: CompiledProgram, name: string): CompiledFunction {
  const found = program.functions.find((f) => f.name === name);
  if (found === undefined) throw new Error(`no export fn ${name}`);
  return found;
}

/** The only train block. */
export function trainOf({ trains }: CompiledProgram): CompiledTrain {
  if (trains.length !== 1) throw new Error(`${trains.length} train blocks`);
  return trains[0];
}

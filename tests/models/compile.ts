// Compiles a program text for the tests of models and artifacts, with the standard library as it stands in stdlib/.

import { readdirSync, readFileSync } from 'node:fs';

import { expect } from 'vitest';

import { host } from '../../cli/sources.ts';
import { compile, type Host } from '../../compiler/pipeline.ts';
import type { CompiledFunction, CompiledProgram, CompiledTrain } from '../../compiler/program.ts';

/** The compiled program; the test fails with the messages where the text is wrong. */
export function compiled(text: string, path = 'test.dlg', from: Host = host): CompiledProgram {
  const { program, diagnostics } = compile({ path, text }, from);
  if (program === null)
    expect.fail(diagnostics.map(({ code, message }) => `${code} ${message}`).join('\n'));
  return program;
}

const library = new URL('../../stdlib/', import.meta.url);

/** What each file of the library defines. */
const definitions: readonly { readonly file: string; readonly names: ReadonlySet<string> }[] =
  readdirSync(library).map((name) => {
    const text = readFileSync(new URL(name, library), 'utf8');
    const found = [...text.matchAll(/^(?:model|bijector|fn|optimizer) (\w+)/gm)].map(
      ([, defined]) => defined,
    );
    return { file: name.replace('.dlg', ''), names: new Set(found) };
  });

/** The compiled program of declarations that may use the whole standard library; what they use is imported. */
export function compiledWithLibrary(declarations: string): CompiledProgram {
  const words = declarations.match(/\w+/g) ?? [];
  const used = definitions.filter(({ names }) => words.some((word) => names.has(word)));
  return compiled(used.map(({ file }) => `import "std/${file}"\n`).join('') + declarations);
}

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

// The elaborator's entrance: a typed program becomes the graphs of its export fns and train blocks. What goes wrong with
// concrete values is a diagnostic; the other graphs are built all the same.

import type { TypedProgram } from '../check/typed.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { CompiledProgram } from '../program.ts';
import { collectRefusals } from './context.ts';
import { elaborateFunction } from './functions.ts';
import { programInit } from './init.ts';
import { layersTooLarge, tooLarge } from './too-large.ts';
import { tableDiagnostics } from './table-diagnostics.ts';
import { elaborateTrain } from './train.ts';

/** The program's graphs as written, gradients still markers; null with diagnostics where a graph could not be built. */
export function elaborate(
  program: TypedProgram,
  isFrozen: (path: string) => boolean,
): {
  readonly program: CompiledProgram | null;
  readonly diagnostics: readonly Diagnostic[];
} {
  const diagnostics: Diagnostic[] = [];
  const attempt = <T>(body: () => T): T | null => collectRefusals(diagnostics, body);
  diagnostics.push(...tableDiagnostics(program));
  const functions = program.exports.map((entry) => attempt(() => elaborateFunction(entry)));
  const trains = program.trains.map((train) => attempt(() => elaborateTrain(train, isFrozen)));
  const init = attempt(() => programInit(`${program.name}.init`, program.layers));
  if (init !== null) diagnostics.push(...layersTooLarge(init, program.layers));
  const failed = (): boolean => diagnostics.some(({ severity }) => severity === 'error');
  if (!failed()) {
    functions.forEach((f, i) => {
      if (f !== null) diagnostics.push(...tooLarge(f.graph, program.exports[i].span));
    });
    trains.forEach((train, i) => {
      if (train !== null) diagnostics.push(...tooLarge(train.step, program.trains[i].span));
    });
  }
  if (failed() || init === null)
    return { program: null, diagnostics: withoutRepetitions(diagnostics) };
  return {
    program: {
      name: program.name,
      functions: functions.filter((f) => f !== null),
      trains: trains.filter((t) => t !== null),
      init,
    },
    diagnostics,
  };
}

/** A layer that is wrong is met by every graph that uses it. */
const withoutRepetitions = (diagnostics: readonly Diagnostic[]): Diagnostic[] =>
  diagnostics.filter(
    ({ code, span, message }, i) =>
      !diagnostics
        .slice(0, i)
        .some((d) => d.code === code && d.message === message && d.span === span),
  );

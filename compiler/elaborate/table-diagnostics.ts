// Schedules and decision processes that constants of a file hold: all their tables are computed, whether a graph reads them or not.

import type { TypedConstant, TypedProgram } from '../check/typed.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { Tensor } from '../ir/tensor.ts';
import { collectRefusals, emptyEnvironment } from './context.ts';
import { unreachableStates } from './decision-processes.ts';
import { newContext } from './new-context.ts';
import { tableTensor } from './tables.ts';

/** What is wrong with the schedules and decision processes that constants of a program hold, and what is odd. */
export function tableDiagnostics({ tables: constants }: TypedProgram): readonly Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (const { name, value, span } of constants) {
    const context = newContext(false, name);
    const found = collectRefusals(diagnostics, () => {
      const instance = context.evaluate(value, emptyEnvironment);
      if (instance.kind !== 'instance') throw new Error(`${name} is a ${instance.kind}`);
      const read = (table: TypedConstant): Tensor => tableTensor(context, table, instance);
      instance.model.constants.forEach(read);
      return instance.model.keyword === 'mdp' ? unreachableStates(instance, span, read) : [];
    });
    diagnostics.push(...(found ?? []));
  }
  return diagnostics;
}

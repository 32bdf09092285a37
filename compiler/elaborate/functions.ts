// Export fns: one graph each, from the declared inputs and the parameters it uses to the declared results.

import type { Elaborated } from '../builtins/elaboration.ts';
import type { Local, TypedFunction } from '../check/typed.ts';
import type { CompiledFunction, DataPort } from '../program.ts';
import { demandOneSeed } from './draws.ts';
import { outputSolved } from './equations.ts';
import { newContext } from './new-context.ts';
import { dataInputs, dataPort, entryEnvironment, resultValue } from './ports.ts';

export function elaborateFunction(entry: TypedFunction): CompiledFunction {
  const body = entry.body();
  if (body === null) throw new Error(`the body of ${entry.name ?? 'a function'} is broken`);
  const name = entry.name ?? 'main';
  const context = newContext(false, name);
  const locals = new Map<Local, Elaborated>();
  const environment = { ...entryEnvironment(entry, locals), statements: body.statements };
  const data = dataInputs(context, entry.parameters, environment, locals);
  context.run(body.statements, environment, locals);
  const value = context.evaluate(body.result, environment);
  const fields = resultFields(entry, value);
  const results: DataPort[] = fields.map((field) => {
    if (field.type.kind !== 'tensor') throw new Error('a result is a tensor');
    const output = resultValue(context, field.value, field.type, environment);
    context.builder.output(field.name, 'result', output);
    return dataPort(field.name, field.type, environment);
  });
  outputSolved(context);
  demandOneSeed(context, name, entry.span);
  return { name, graph: context.builder.graph(name), data, results };
}

/** The results one by one; those without a name are called after the function. */
function resultFields(
  { name, result, resultNames }: TypedFunction,
  value: Elaborated,
): readonly { name: string; type: TypedFunction['result']; value: Elaborated }[] {
  const base = name ?? 'result';
  if (result.kind !== 'tuple' || value.kind !== 'tuple')
    return [{ name: resultNames[0] ?? base, type: result, value }];
  return result.fields.map((field, i) => ({
    name: resultNames[i] ?? field.name ?? `${base}${i + 1}`,
    type: field.type,
    value: value.items[i],
  }));
}

// A context for one graph to be built.

import { createBuilder } from '../ir/builder.ts';
import type { Context } from './context.ts';
import { evaluate } from './expressions.ts';
import { newStore } from './store.ts';

/** `training`: what the flag of that name is in this graph. */
export function newContext(training: boolean): Context {
  let lastLabel = 0;
  const context: Context = {
    builder: createBuilder(),
    training,
    store: newStore(),
    evaluate: (expression, environment) => evaluate(context, expression, environment),
    instances: new Map(),
    constants: new Map(),
    paddings: new Map(),
    newLabel: (name, size) => ({ id: ++lastLabel, name, size }),
  };
  return context;
}

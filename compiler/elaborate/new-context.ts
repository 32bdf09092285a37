// A context for one graph to be built.

import { createBuilder } from '../ir/builder.ts';
import type { Value } from '../ir/graph.ts';
import type { Context } from './context.ts';
import { newFrame, seedInput } from './draws.ts';
import { evaluate } from './expressions.ts';
import { newStore, portStore, type Store } from './store.ts';

/**
 * `training`: what the flag of that name is in this graph. `root`: the entry point, whose name begins those of its draws.
 * `stream`: the second word of their counter, by default 0. `first`: what the first read of a parameter or state gives, by default
 * a port.
 */
export function newContext(
  training: boolean,
  root: string,
  stream: (context: Context) => Value | null = () => null,
  first: ((context: Context) => Store['first']) | null = null,
): Context {
  let lastLabel = 0;
  const builder = createBuilder();
  const context: Context = {
    builder,
    training,
    store: first === null ? portStore(builder) : newStore((stored) => first(context)(stored)),
    draws: {
      frame: newFrame(root),
      inNotation: false,
      seed: seedInput(builder),
      stream: () => stream(context),
    },
    evaluate: (expression, environment) => evaluate(context, expression, environment),
    instances: new Map(),
    constants: new Map(),
    paddings: new Map(),
    apart: () => newContext(training, root),
    newLabel: (name, size) => ({ id: ++lastLabel, name, size }),
  };
  return context;
}

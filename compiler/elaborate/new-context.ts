// A context for one graph to be built, and those of the loops in it.

import type { Builder } from '../ir/builder-types.ts';
import { createBuilder } from '../ir/builder.ts';
import type { Value } from '../ir/graph.ts';
import type { Context, RootContext } from './context.ts';
import { newFrame, seedInput } from './draws.ts';
import { evaluate } from './expressions.ts';
import { runStatements } from './statements.ts';
import { newStore, portStore, type Store } from './store.ts';

/**
 * `training`: what the flag of that name is in this graph. `root`: the entry point, whose name begins those of its draws.
 * `stream`: the second word of their counter, by default 0. `first`: what the first read of a parameter or state gives, by default
 * a port.
 */
export function newContext(
  training: boolean,
  root: string,
  stream: (context: RootContext) => Value | null = () => null,
  first: ((context: RootContext) => Store['first']) | null = null,
): RootContext {
  let lastLabel = 0;
  const builder = createBuilder();
  const context: RootContext = {
    builder,
    get root() {
      return context;
    },
    within: (inner, seed) => within(context, inner, seed),
    training,
    store: first === null ? portStore(builder) : newStore((stored) => first(context)(stored)),
    draws: {
      frame: newFrame(root),
      inNotation: false,
      seed: seedInput(builder),
      stream: () => stream(context),
    },
    evaluate: (expression, environment) => evaluate(context, expression, environment),
    run: (statements, environment, locals) =>
      runStatements(context, statements, environment, locals),
    solved: [],
    instances: new Map(),
    constants: new Map(),
    paddings: new Map(),
    apart: () => newContext(training, root),
    newLabel: (name, size) => ({ id: ++lastLabel, name, size }),
  };
  return context;
}

function within(outer: Context, builder: Builder, seed: () => Value): Context {
  const { root, store, draws } = outer;
  const context: Context = {
    ...outer,
    root,
    builder,
    within: (inner, innerSeed) => within(context, inner, innerSeed),
    store: { ...store, current: new Map(store.current) },
    draws: { ...draws, seed },
    evaluate: (expression, environment) => evaluate(context, expression, environment),
    run: (statements, environment, locals) =>
      runStatements(context, statements, environment, locals),
    solved: [],
  };
  return context;
}

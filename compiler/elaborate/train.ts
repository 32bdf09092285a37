// Train blocks: the graph of one step (forward, gradients, optimisers), the graph of first values, and the graph that only
// evaluates.

import type { Elaborated } from '../builtins/elaboration.ts';
import { tensorOf } from '../builtins/labelled.ts';
import type { Local, TypedTrain } from '../check/typed.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { E0707 } from '../diagnostics/elaboration.ts';
import type { Graph, Value } from '../ir/graph.ts';
import type { CompiledTrain, DataPort, Loss } from '../program.ts';
import { refuse, type Context } from './context.ts';
import { demandOneSeed } from './draws.ts';
import { outputSolved } from './equations.ts';
import { initGraph } from './init.ts';
import { newContext } from './new-context.ts';
import { dataInputs, entryEnvironment } from './ports.ts';
import { namesOfSteps, outputMeasures, runSteps } from './steps.ts';
import { readCounter, type Store } from './store.ts';
import type { Training } from './training.ts';

/** The port that counts the steps done. */
const counterName = 'step';

/** `isFrozen` tells of a parameter's path whether it stays as it is. */
export function elaborateTrain(
  train: TypedTrain,
  isFrozen: (path: string) => boolean,
): CompiledTrain {
  const step = runTrain(train, true, isFrozen);
  const evaluation = runTrain(train, false, isFrozen);
  return {
    name: train.name,
    data: step.data,
    losses: step.losses,
    step: step.graph,
    init: initGraph(`${train.name}.init`, step.store.entries.values()),
    evaluate: withoutIdle(evaluation.graph, counterName),
  };
}

function runTrain(
  train: TypedTrain,
  learns: boolean,
  isFrozen: (path: string) => boolean,
): {
  readonly graph: Graph;
  readonly data: readonly DataPort[];
  readonly losses: readonly Loss[];
  readonly store: Store;
} {
  const { name, span } = train;
  if ([...train.parameters, ...train.states].some((own) => own.name === counterName))
    refuse(report(E0707, { span, data: { name, port: counterName } }));
  const context = newContext(learns, name, streamOf(learns));
  const { builder, store } = context;
  const locals = new Map<Local, Elaborated>();
  const environment = entryEnvironment(train, locals);
  const parameters = train.parameters.map((local) => ({ local, dim: null }));
  const data = dataInputs(context, parameters, environment, locals);
  const done = readCounter(store, counterName);
  const times = learns ? builder.add(done, builder.scalar(1, 'i32')) : null;
  locals.set(train.counter, tensorOf(times ?? done));
  const training: Training = {
    context,
    environment,
    locals,
    times,
    measures: new Map(),
    names: namesOfSteps(train.steps),
    isFrozen,
  };
  runSteps(training, train.steps);
  outputMeasures(training);
  outputSolved(context);
  if (times !== null) {
    store.current.set(counterName, times);
    for (const { path, role, input } of store.entries.values())
      builder.output(`${path}.next`, role, store.current.get(path) ?? input);
  }
  demandOneSeed(context, name, span);
  const losses = [...training.names.losses].map(([{ sense }, loss]) => ({ name: loss, sense }));
  return { graph: builder.graph(name), data, losses, store };
}

/** Each step draws from a stream of its own, numbered by the steps done; what only evaluates from one that no step has. */
const streamOf =
  (learns: boolean) =>
  ({ builder, store }: Context): Value =>
    learns
      ? builder.convert(readCounter(store, counterName), 'u32')
      : builder.scalar(2 ** 32 - 1, 'u32');

/** The graph without an input of that name that nothing reads. */
function withoutIdle(graph: Graph, name: string): Graph {
  const read = new Set([
    ...graph.nodes.flatMap((node) => node.inputs),
    ...graph.outputs.map((port) => port.value),
  ]);
  const inputs = graph.inputs.filter((port) => port.name !== name || read.has(port.value));
  return { ...graph, inputs };
}

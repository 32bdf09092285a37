// Train blocks: the graph of one step (forward, gradients, optimisers), the graph of first values, and the graph that only
// evaluates.

import type {
  Elaborated,
  Environment,
  InstanceValue,
  TensorValue,
} from '../builtins/elaboration.ts';
import { asTensor, tensorOf } from '../builtins/labelled.ts';
import type { Instantiation, Local, TypedStep, TypedTrain } from '../check/typed.ts';
import type { Graph, Value } from '../ir/graph.ts';
import type { CompiledTrain, DataPort } from '../program.ts';
import { callValue, runStatements } from './calls.ts';
import type { Context } from './context.ts';
import { demandOneSeed } from './draws.ts';
import { initGraph } from './init.ts';
import { instancesWithin, instantiate } from './instances.ts';
import { newContext } from './new-context.ts';
import { dataInputs, entryEnvironment } from './ports.ts';
import { parameterPath, readCounter, type Store } from './store.ts';

/** The port that counts the steps done. */
const counterName = 'step';

export function elaborateTrain(train: TypedTrain): CompiledTrain {
  const step = runTrain(train, true);
  const evaluation = runTrain(train, false);
  return {
    name: train.name,
    data: step.data,
    step: step.graph,
    init: initGraph(`${train.name}.init`, step.store.entries.values()),
    evaluate: evaluation.graph,
  };
}

interface TrainRun {
  readonly context: Context;
  readonly environment: Environment;
  readonly locals: Map<Local, Elaborated>;
  readonly learns: boolean;
  readonly lossNames: Iterator<string>;
  /** How many times each optimiser served each parameter, for states of their own. */
  readonly served: Map<string, number>;
}

function runTrain(
  train: TypedTrain,
  learns: boolean,
): { readonly graph: Graph; readonly data: readonly DataPort[]; readonly store: Store } {
  const context = newContext(learns, train.name, streamOf(learns));
  const { builder, store } = context;
  const locals = new Map<Local, Elaborated>();
  const environment = entryEnvironment(train, locals);
  const parameters = train.parameters.map((local) => ({ local, dim: null }));
  const data = dataInputs(context, parameters, environment, locals, train.span);
  const counter = learns ? readCounter(builder, store, counterName) : null;
  const run: TrainRun = {
    context,
    environment,
    locals,
    learns,
    lossNames: lossNames(train.steps),
    served: new Map(),
  };
  for (const step of train.steps) runStep(run, step);
  if (counter !== null) {
    store.current.set(counterName, builder.add(counter, builder.scalar(1, 'i32')));
    for (const { path, role, input } of store.entries.values())
      builder.output(`${path}.next`, role, store.current.get(path) ?? input);
  }
  demandOneSeed(context, train.name, train.span);
  return { graph: builder.graph(train.name), data, store };
}

/** Each step draws from a stream of its own, numbered by the steps done; what only evaluates from one that no step has. */
const streamOf =
  (learns: boolean) =>
  ({ builder, store }: Context): Value =>
    learns
      ? builder.convert(readCounter(builder, store, counterName), 'u32')
      : builder.scalar(2 ** 32 - 1, 'u32');

/** `loss`, or `loss1`, `loss2`, ... where a block has several objectives. */
function* lossNames(steps: readonly TypedStep[]): Generator<string, string> {
  const several = steps.filter((step) => step.kind === 'optimize').length > 1;
  for (let i = 1; ; i++) yield several ? `loss${i}` : 'loss';
}

function runStep(run: TrainRun, step: TypedStep): void {
  const { context, environment, locals } = run;
  const { builder } = context;
  if (step.kind === 'report')
    builder.at({ path: '', span: step.span }, () =>
      builder.output(step.name, 'report', scalarOf(context, step.value, environment)),
    );
  else if (step.kind === 'optimize')
    builder.at({ path: '', span: step.span }, () => optimize(run, step));
  else runStatements(context, [step], environment, locals);
}

function scalarOf(
  context: Context,
  expression: Parameters<Context['evaluate']>[0],
  environment: Environment,
): Value {
  const { builder } = context;
  return asTensor(builder, context.evaluate(expression, environment), 'f32').value;
}

function optimize(
  run: TrainRun,
  { sense, objective, over, optimizer }: Extract<TypedStep, { kind: 'optimize' }>,
): void {
  const { context, environment, learns } = run;
  const { builder, store } = context;
  const loss = scalarOf(context, objective, environment);
  builder.output(String(run.lossNames.next().value), 'loss', loss);
  if (!learns) return;
  const paths = parametersOf(context, over, environment);
  const values = paths.map((path) => currentValue(store, path));
  const minimized = sense === 'minimize' ? loss : builder.negate(loss);
  const gradients = builder.gradient(minimized, values);
  const counter = readCounter(builder, store, counterName);
  const count = tensorOf(builder.add(counter, builder.scalar(1, 'i32')));
  paths.forEach((path, i) => {
    const instance = optimizerFor(run, optimizer, path, values[i]);
    builder.at({ path: instance.path, span: optimizer.type.model.span }, () => {
      const given = [tensorOf(values[i]), tensorOf(gradients[i]), count];
      store.current.set(path, updated(context, instance, given, values[i], environment));
    });
  });
}

function currentValue(store: Store, path: string): Value {
  const value = store.current.get(path);
  if (value === undefined) throw new Error(`${path} has no value`);
  return value;
}

/** The paths of the real parameters that the named layers have and the graph has read, in the declared order. */
function parametersOf(
  context: Context,
  over: readonly Parameters<Context['evaluate']>[0][],
  environment: Environment,
): string[] {
  const instances = over.flatMap((layer) =>
    instancesWithin(context, context.evaluate(layer, environment)),
  );
  const paths = instances.flatMap((instance) =>
    instance.model.parameters.map((parameter) => parameterPath(instance, parameter)),
  );
  return [...new Set(paths)].filter((path) => context.store.current.get(path)?.dtype === 'f32');
}

/** The optimiser as it serves one parameter: `net.l1.W.adam`, with states of the parameter's shape. */
function optimizerFor(
  run: TrainRun,
  optimizer: Instantiation,
  path: string,
  { shape }: Value,
): InstanceValue {
  const { context, environment, served } = run;
  const name = `${path}.${optimizer.type.model.name.toLowerCase()}`;
  const times = (served.get(name) ?? 0) + 1;
  served.set(name, times);
  const own = times === 1 ? name : `${name}${times}`;
  context.store.optimizerShapes.set(own, shape);
  return instantiate(context, optimizer, own, environment);
}

function updated(
  context: Context,
  instance: InstanceValue,
  given: readonly TensorValue[],
  { shape }: Value,
  environment: Environment,
): Value {
  const type = { kind: 'tensor' as const, base: { kind: 'real' as const }, shape: [] };
  const span = instance.model.span;
  const result = callValue(context, instance, given, { type, environment, span, site: instance });
  const value = asTensor(context.builder, result, 'f32').value;
  return context.builder.reshape(value, shape);
}

// `minimize` and `maximize`: the gradient of the loss, its mean over several runs, its clipping, and the optimiser's step for each
// parameter.

import type { Environment, InstanceValue, TensorValue } from '../builtins/elaboration.ts';
import { asTensor, tensorOf } from '../builtins/labelled.ts';
import type { TypedExpression } from '../check/typed.ts';
import type { Value } from '../ir/graph.ts';
import { callValue } from './calls.ts';
import type { Context } from './context.ts';
import { instancesWithin, instantiate } from './instances.ts';
import { currentValue, parameterPath, readSum, valueAt } from './store.ts';
import { isMultiple, onlyIf, scalarOf, type Optimize, type Training } from './training.ts';

/** A parameter that learns, and its gradient. */
interface Learner {
  readonly path: string;
  readonly gradient: Value;
}

/** Makes the step; gives the loss. */
export function optimize(training: Training, step: Optimize): Value {
  const { context, environment, times } = training;
  const { builder, store } = context;
  const { sense, objective, over, accumulate } = step;
  const loss = scalarOf(context, objective, environment);
  if (times === null) return loss;
  const paths = parametersOf(context, over, environment).filter((path) => !training.isFrozen(path));
  if (paths.length === 0) return loss;
  const values = paths.map((path) => valueAt(store, path));
  const gradients = builder.gradient(sense === 'minimize' ? loss : builder.negate(loss), values);
  const learners = paths.map((path, i): Learner => ({ path, gradient: gradients[i] }));
  if (accumulate === 1) move(training, step, learners, times);
  else moveAfterSeveral(training, step, learners, times);
  return loss;
}

/** Gathers gradients; each `accumulate`-th run moves the parameters by their mean, and starts anew. */
function moveAfterSeveral(
  training: Training,
  step: Optimize,
  learners: readonly Learner[],
  times: Value,
): void {
  const { context } = training;
  const { builder, store } = context;
  const count = step.accumulate;
  const gathered = learners.map(({ path, gradient }) => {
    const name = ownName(training, step, `${path}.accumulated`);
    const sum = builder.add(readSum(store, name, gradient), gradient);
    store.current.set(name, sum);
    return { path, name, sum };
  });
  onlyIf(context, isMultiple(context, times, count), () => {
    const means = gathered.map(({ path, sum }): Learner => {
      const divisor = builder.fill(builder.scalar(count), sum.shape);
      return { path, gradient: builder.divide(sum, divisor) };
    });
    move(training, step, means, builder.divide(times, builder.scalar(count, 'i32')));
    for (const { name, sum } of gathered)
      store.current.set(name, builder.full(0, sum.shape, sum.dtype));
  });
}

/** The `count`-th step of the optimiser. */
function move(
  training: Training,
  step: Optimize,
  learners: readonly Learner[],
  count: Value,
): void {
  const { context, environment } = training;
  const { builder, store } = context;
  for (const { path, gradient } of clipped(training, step, learners)) {
    const value = valueAt(store, path);
    const instance = optimizerFor(training, step, path, value);
    builder.at({ path: instance.path, span: instance.model.span }, () => {
      const given = [value, gradient, count].map((v) => tensorOf(v));
      store.current.set(path, updated(context, instance, given, value, environment));
    });
  }
}

/** The gradients, all scaled alike where their norm together is above the limit. */
function clipped(
  { context, environment }: Training,
  { clip }: Optimize,
  learners: readonly Learner[],
): readonly Learner[] {
  if (clip === null || learners.length === 0) return learners;
  const { builder } = context;
  const limit = scalarOf(context, clip, environment);
  const squares = learners.map(({ gradient: g }) =>
    builder.reduce(
      'add',
      builder.multiply(g, g),
      g.shape.map((_, axis) => axis),
    ),
  );
  const norm = builder.sqrt(squares.reduce((a, b) => builder.add(a, b)));
  // At norm 0 the quotient is infinite, and the scale 1.
  const scale = builder.binary('minimum', builder.scalar(1), builder.divide(limit, norm));
  return learners.map(({ path, gradient }) => ({
    path,
    gradient: builder.multiply(gradient, builder.fill(scale, gradient.shape)),
  }));
}

/** The paths of the real parameters that the named layers have and the graph has read, in the declared order. */
function parametersOf(
  context: Context,
  over: readonly TypedExpression[],
  environment: Environment,
): string[] {
  const instances = over.flatMap((layer) =>
    instancesWithin(context, context.evaluate(layer, environment)),
  );
  const paths = instances.flatMap((instance) =>
    instance.model.parameters.map((parameter) => parameterPath(instance, parameter)),
  );
  return [...new Set(paths)].filter((path) => currentValue(context.store, path)?.dtype === 'f32');
}

/** `name`, or `name2` and so on where other steps of the block have something of that name. */
function ownName({ names }: Training, step: Optimize, name: string): string {
  const steps = names.served.get(name) ?? [];
  names.served.set(name, steps);
  if (!steps.includes(step)) steps.push(step);
  const at = steps.indexOf(step);
  return at === 0 ? name : `${name}${at + 1}`;
}

/** The optimiser as it serves one parameter: `net.l1.W.adam`, with states of the parameter's shape. */
function optimizerFor(
  training: Training,
  step: Optimize,
  path: string,
  { shape }: Value,
): InstanceValue {
  const { context, environment } = training;
  const { optimizer } = step;
  const own = ownName(training, step, `${path}.${optimizer.type.model.name.toLowerCase()}`);
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

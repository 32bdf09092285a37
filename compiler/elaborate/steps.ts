// The steps of a train block in order, and the blocks of steps inside it. The graph of a step is the same for every step: `every`
// computes what it would do each time, and keeps it by `select` when its turn has come; `repeat` is written out or a loop.
//
// 2026-11: an ONNX `If` would save the idle work of `every`, but WGSL has none, and a graph without branches is differentiated,
// fused and planned as a whole. Where the work inside is what costs, `repeat` around the other steps wastes none.

import type { TypedBlock, TypedStep } from '../check/typed.ts';
import { asBlock } from './draws.ts';
import { optimize } from './optimize.ts';
import { runRepeat } from './repeat.ts';
import { moveAverage } from './track.ts';
import {
  isMultiple,
  onlyIf,
  scalarOf,
  type Optimize,
  type StepNames,
  type Training,
} from './training.ts';

/** `loss`, or `loss1`, `loss2`, ... where a block has several objectives. */
export function namesOfSteps(steps: readonly TypedStep[]): StepNames {
  const all = steps.flatMap(objectivesOf);
  const name = (i: number): string => (all.length > 1 ? `loss${i + 1}` : 'loss');
  return { losses: new Map(all.map((step, i) => [step, name(i)])), served: new Map() };
}

function objectivesOf(step: TypedStep): readonly Optimize[] {
  if (step.kind === 'optimize') return [step];
  return step.kind === 'every' || step.kind === 'repeat' ? step.steps.flatMap(objectivesOf) : [];
}

export function outputMeasures({ context, measures }: Training): void {
  for (const [name, { role, value }] of measures) context.builder.output(name, role, value);
}

export function runSteps(training: Training, steps: readonly TypedStep[]): void {
  for (const step of steps) runStep(training, step);
}

function runStep(training: Training, step: TypedStep): void {
  const { context, environment, locals, measures, names } = training;
  const located = (body: () => void): void =>
    context.builder.at({ path: '', span: step.span }, body);
  if (step.kind === 'report')
    located(() => {
      const value = scalarOf(context, step.value, environment);
      measures.set(step.name, { role: 'report', value });
    });
  else if (step.kind === 'optimize')
    located(() => {
      const value = optimize(training, step);
      measures.set(names.losses.get(step) ?? 'loss', { role: 'loss', value });
    });
  else if (step.kind === 'track') located(() => track(training, step));
  else if (step.kind === 'every') located(() => runEvery(training, step));
  else if (step.kind === 'repeat') located(() => runRepeat(training, step, runSteps));
  else context.run([step], environment, locals);
}

/** The average stands still where nothing is learnt. */
function track(training: Training, step: Extract<TypedStep, { kind: 'track' }>): void {
  if (training.times !== null) moveAverage(training, step);
}

/** Losses and reports are those of the step, whether its turn has come or not. */
function runEvery(training: Training, step: TypedBlock<'every'>): void {
  const { context, times } = training;
  const { builder } = context;
  const { count, steps } = step;
  const body = (inner: Training): void =>
    asBlock(context, 'every', step, null, () => runSteps(inner, steps));
  if (times === null || count === 1) body(training);
  else
    onlyIf(context, isMultiple(context, times, count), () =>
      body({ ...training, times: builder.divide(times, builder.scalar(count, 'i32')) }),
    );
}

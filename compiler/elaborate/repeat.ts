// `repeat n { }`: n runs of the steps inside, each of which sees what the one before has changed, and draws anew. A few runs are
// written out; many are the body of one `scan`. Losses and reports are means over the runs.

import type { Elaborated } from '../builtins/elaboration.ts';
import type { Local, TypedBlock, TypedStep } from '../check/typed.ts';
import { constant } from '../dims/arithmetic.ts';
import type { Value } from '../ir/graph.ts';
import { fromValues, initialValues, nextValues, writeAll, type Plan } from './carrying.ts';
import type { Context } from './context.ts';
import { asBlock } from './draws.ts';
import type { Measure, Training } from './training.ts';

type Repeat = TypedBlock<'repeat'>;
type RunSteps = (training: Training, steps: readonly TypedStep[]) => void;

/** More runs than these are a loop: the graph should not grow with their number. */
const mostWritten = 8;

export function runRepeat(training: Training, step: Repeat, runSteps: RunSteps): void {
  const { context, times, measures } = training;
  const { count, steps } = step;
  const { builder } = context;
  if (times === null) asBlock(context, 'repeat', step, null, () => runSteps(training, steps));
  else if (count > mostWritten) runLoop(training, times, step, runSteps);
  else {
    const runs = Array.from({ length: count }, (_, i) => {
      const own = timesWithin(context, times, count, builder.scalar(i, 'i32'));
      return runOnce({ ...training, times: own }, step, runSteps);
    });
    for (const [name, { role, value }] of runs[0] ?? []) {
      const others = runs.slice(1).flatMap((run) => run.get(name)?.value ?? []);
      const sum = others.reduce((a, b) => builder.add(a, b), value);
      measures.set(name, { role, value: builder.divide(sum, builder.scalar(count)) });
    }
  }
}

/** One run; gives what it measures. */
function runOnce(
  training: Training,
  step: Repeat,
  runSteps: RunSteps,
): ReadonlyMap<string, Measure> {
  const { context, times } = training;
  const measures = new Map<string, Measure>();
  const stream = times === null ? null : streamOf(context, times);
  asBlock(context, 'repeat', step, stream, () => runSteps({ ...training, measures }, step.steps));
  return measures;
}

function runLoop(training: Training, times: Value, step: Repeat, runSteps: RunSteps): void {
  const { context, locals } = training;
  const { builder } = context;
  const { count } = step;
  for (let plan: Plan = { places: [], firsts: [], labels: [] }; ;) {
    // A run shows what it changes: then the body is built again, with that going round.
    const found: { plan: Plan | null; measures: ReadonlyMap<string, Measure>; solved: string[] } = {
      plan: null,
      measures: new Map(),
      solved: [],
    };
    const result = builder.scan(
      constant(count),
      initialValues(plan, builder),
      [],
      (b, t, carried) => {
        const inner = context.within(b, context.draws.seed);
        const own = new Map<Local, Elaborated>(locals);
        writeAll(plan, inner, own, fromValues(plan, carried));
        const run: Training = {
          ...training,
          context: inner,
          environment: { ...training.environment, locals: own },
          locals: own,
          times: timesWithin(inner, times, count, t),
        };
        const measures = runOnce(run, step, runSteps);
        const next = nextValues(plan, { context, locals }, { context: inner, locals: own });
        if ('plan' in next) {
          found.plan = next.plan;
          return { carries: carried, ys: [] };
        }
        found.measures = measures;
        found.solved = inner.solved.map(({ name }) => name);
        const shown = [...measures.values(), ...inner.solved].map(({ value }) => value);
        return { carries: next.values, ys: shown };
      },
    );
    if (found.plan !== null) {
      plan = found.plan;
      continue;
    }
    writeAll(plan, context, locals, fromValues(plan, result.carries));
    [...found.measures].forEach(([name, { role }], i) => {
      const sum = builder.reduce('add', result.ys[i], [0]);
      training.measures.set(name, { role, value: builder.divide(sum, builder.scalar(count)) });
    });
    found.solved.forEach((name, i) => {
      const all = builder.reduce('and', result.ys[found.measures.size + i], [0]);
      context.solved.push({ name, value: all });
    });
    return;
  }
}

/** The number of the `i`-th run, from 0, of `count` in the `times`-th: (times - 1) count + i + 1. */
function timesWithin({ builder }: Context, times: Value, count: number, i: Value): Value {
  const before = builder.multiply(
    builder.subtract(times, builder.scalar(1, 'i32')),
    builder.scalar(count, 'i32'),
  );
  return builder.add(before, builder.add(i, builder.scalar(1, 'i32')));
}

const streamOf =
  ({ builder }: Context, times: Value) =>
  (): Value =>
    builder.convert(builder.subtract(times, builder.scalar(1, 'i32')), 'u32');

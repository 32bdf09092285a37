// `dlg train FILE`: checks the data, trains a block, and writes its artifacts. Nothing is written before the data are known to fit.

import type { CompiledTrain } from '../../compiler/program.ts';
import { repeatSteps } from '../../compiler/transform/repeat-steps.ts';
import { describeColumn } from '../../runtime/data/dataset.ts';
import { fingerprint } from '../../runtime/data/fingerprint.ts';
import { removeLeftovers } from '../../runtime/files.ts';
import { measure, type Measures } from '../../runtime/measures.ts';
import { count, isProblem, type Problem } from '../../runtime/problem.ts';
import type { SeveralSteps } from '../../runtime/steps.ts';
import {
  carriedPorts,
  train as runTraining,
  type Point,
  type TrainEvents,
  type TrainPrograms,
  type TrainResult,
  type TrainSettings,
} from '../../runtime/train.ts';
import { compileFile } from '../compile.ts';
import { guarded, load } from '../device.ts';
import { exit, fail, note, warnUnsolved, type ExitCode } from '../output.ts';
import { createProgress, duration, showMeasures } from '../progress.ts';
import { sparkline } from '../sparkline.ts';
import { curvesOf, finalWeights, save, writeModels, type Kept } from '../training/files.ts';
import { frozenBy } from '../training/frozen.ts';
import { noteSiblings, prepare, type Job } from '../training/job.ts';
import type { TrainOptions } from '../training/options.ts';
import { findStart, readPoints } from '../training/resume.ts';

export async function train(file: string, options: TrainOptions): Promise<ExitCode> {
  const compiled = compileFile(file, options, { isFrozen: frozenBy(options) });
  if (typeof compiled === 'number') return compiled;
  const job = prepare(compiled.program, options);
  if (isProblem(job)) return fail(job, options);
  const { columns, rows } = job.dataset;
  for (const column of columns) note(describeColumn(column));
  if (columns.length === 0) note(`no data: an epoch is ${count(rows)} steps`);
  const finished = await guarded(() => trainJob(job, options));
  if (isProblem(finished)) return fail(finished, options);
  if (finished.kind === 'stopped') {
    note(`stopped at step ${count(finished.last.position.step)}; --resume goes on from there`);
    return exit.interrupted;
  }
  if (finished.test !== null) note(`test: ${showMeasures(finished.test)}`);
  return exit.done;
}

async function trainJob(job: Job, options: TrainOptions): Promise<TrainResult | Problem> {
  const { block, dataset, test, validation, initial, paths } = job;
  const programs: TrainPrograms = {
    init: await load(block.init, options),
    step: await load(block.step, options),
    evaluate: await load(block.evaluate, options),
    steps: await severalSteps(block, options),
  };
  removeLeftovers(paths.folder);
  const start =
    options.resume === true ? findStart(job, options, carriedPorts(programs.step)) : null;
  if (isProblem(start)) return start;
  if (start === null && options.weights === undefined) noteSiblings(job);
  const settings: TrainSettings = {
    block: block.name,
    epochs: options.epochs,
    batch: dataset.fixedBatch ?? start?.position.batch ?? options.batch ?? 64,
    seed: start?.position.seed ?? options.seed ?? 0,
    data: fingerprint(dataset),
    saveEvery: options.saveEvery === undefined ? { seconds: 30 } : { steps: options.saveEvery },
  };
  const points = start === null ? [] : readPoints(paths, start);
  let kept: Kept | null = null;
  const inputs = { programs, dataset, test, validation, settings, start, initial };
  const result = await withProgress(settings, (events) =>
    runTraining(inputs, {
      ...events,
      onPoint: (point) => points.push(point),
      onBest: (tensors, best) => (kept = keptOf(job, tensors, best)),
      save: (checkpoint) => save(job, points, kept, checkpoint),
    }),
  );
  const ended =
    isProblem(result) || result.kind === 'stopped'
      ? result
      : await finish(job, options, programs, settings, points, result);
  const { steps, ...single } = programs;
  await Promise.all([...Object.values(single), steps?.program].map((p) => p?.dispose()));
  return ended;
}

/** The program of `--steps-per-run`. */
async function severalSteps(
  { step }: CompiledTrain,
  options: TrainOptions,
): Promise<SeveralSteps | undefined> {
  const { stepsPerRun: count = 1 } = options;
  if (count === 1) return undefined;
  return { program: await load(repeatSteps(step, count), options), count };
}

/** Only what the programs are made of: parameters and states. */
function keptOf({ block }: Job, tensors: Kept['tensors'], best: Kept['best']): Kept {
  const roles = new Map(block.step.inputs.map(({ name, role }) => [name, role]));
  const isWeight = (name: string): boolean => /^(parameter|state)$/.test(roles.get(name) ?? '');
  return { tensors: new Map([...tensors].filter(([name]) => isWeight(name))), best };
}

/** Writes the models, and measures on the test data what they hold. */
async function finish(
  job: Job,
  options: TrainOptions,
  { evaluate }: TrainPrograms,
  settings: TrainSettings,
  points: readonly Point[],
  result: TrainResult,
): Promise<TrainResult | Problem> {
  const { last } = result;
  const { best, epoch } = last.position;
  for (const name of curvesOf(job.block)) {
    const line = sparkline(points, name);
    if (line !== null) note(line);
  }
  if (best !== null)
    note(
      `best after epoch ${best.epoch}: validation ${showMeasures({ [best.watch.name]: best.value })}` +
        (epoch < settings.epochs ? `; stopped after epoch ${epoch}` : ''),
    );
  const weights = finalWeights(job, last);
  if (isProblem(weights)) return weights;
  const refused = await writeModels(job, options, weights, best !== null);
  if (refused !== null) return refused;
  const isLast = best === null || best.epoch === epoch;
  const test: Measures | null =
    job.test === null || isLast
      ? result.test
      : await measure(evaluate, job.test, settings, weights);
  return { ...result, test };
}

type ShownEvents = Pick<TrainEvents, 'onStep' | 'onEpoch' | 'shouldStop'>;

/** Runs `body` under a progress display; the first interrupt asks it to stop, the second kills. */
async function withProgress(
  { epochs }: TrainSettings,
  body: (events: ShownEvents) => Promise<TrainResult | Problem>,
): Promise<TrainResult | Problem> {
  const progress = await createProgress();
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
  };
  process.once('SIGINT', interrupt);
  const start = performance.now();
  const missed = new Map<string, number>();
  try {
    return await body({
      onStep: (event) => {
        progress.step(event);
        for (const equation of event.unsolved)
          missed.set(equation, (missed.get(equation) ?? 0) + 1);
      },
      onEpoch: (event) => progress.epoch(event, epochs),
      shouldStop: () => interrupted,
    });
  } finally {
    progress.stop();
    process.off('SIGINT', interrupt);
    note(`${duration((performance.now() - start) / 1000)} of training`);
    for (const [equation, times] of missed) warnUnsolved(equation, `in ${count(times)} steps`);
  }
}

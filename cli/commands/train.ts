// `dlg train FILE`: checks the data, trains a block, and writes its artifacts. Nothing is written before the data are known to
// fit; every file is replaced whole; the checkpoint is the last of each group, so that it never runs ahead of what it speaks of.

import { join } from 'node:path';

import { exportOnnx } from '../../compiler/pipeline.ts';
import type { CompiledProgram, CompiledTrain } from '../../compiler/program.ts';
import { loadCheckpoint, saveCheckpoint, type Checkpoint } from '../../runtime/checkpoint.ts';
import {
  describeColumn,
  loadDataset,
  type Dataset,
  type Sources,
} from '../../runtime/data/dataset.ts';
import { fingerprint } from '../../runtime/data/fingerprint.ts';
import { readBytes, removeLeftovers, writeAtomic } from '../../runtime/files.ts';
import { count, isProblem, problem, type Problem } from '../../runtime/problem.ts';
import {
  carriedPorts,
  train as runTraining,
  type Point,
  type TrainPrograms,
  type TrainResult,
  type TrainSettings,
} from '../../runtime/train.ts';
import { compileFile, select } from '../compile.ts';
import { guarded, load, type DeviceOptions } from '../device.ts';
import { metricsCsv, parseMetrics } from '../metrics.ts';
import { exit, fail, note, type ExitCode } from '../output.ts';
import { lossPlot } from '../plot.ts';
import { createProgress, duration, showMeasures } from '../progress.ts';

interface TrainOptions extends DeviceOptions {
  readonly block?: string;
  readonly data?: Sources;
  readonly test?: Sources;
  readonly epochs: number;
  readonly batch?: number;
  readonly seed?: number;
  readonly out?: string;
  readonly resume?: boolean;
  readonly saveEvery?: number;
  readonly json?: boolean;
}

/** Where a run's files lie. */
interface Paths {
  readonly folder: string;
  readonly checkpoint: string;
  readonly metrics: string;
  readonly plot: string;
}

interface Job {
  readonly program: CompiledProgram;
  readonly block: CompiledTrain;
  readonly dataset: Dataset;
  readonly test: Dataset | null;
  readonly paths: Paths;
}

export async function train(file: string, options: TrainOptions): Promise<ExitCode> {
  const compiled = compileFile(file, options);
  if (typeof compiled === 'number') return compiled;
  const job = prepare(compiled.program, options);
  if (isProblem(job)) return fail(job, options);
  for (const column of job.dataset.columns) note(describeColumn(column));
  const finished = await guarded(() => trainJob(job, options));
  if (isProblem(finished)) return fail(finished, options);
  if (finished.kind === 'stopped') {
    note(`stopped at step ${count(finished.last.position.step)}; --resume goes on from there`);
    return exit.interrupted;
  }
  const refused = writeModels(job, finished);
  if (refused !== null) return fail(refused, options);
  if (finished.test !== null) note(`test: ${showMeasures(finished.test)}`);
  return exit.done;
}

/** Everything that can be wrong before anything runs. */
function prepare(program: CompiledProgram, options: TrainOptions): Job | Problem {
  const block = select(program.trains, 'train block', options.block);
  if (isProblem(block)) return block;
  const dataset = loadDataset(block.data, options.data ?? new Map());
  if (isProblem(dataset)) return dataset;
  const test = options.test === undefined ? null : loadDataset(block.data, options.test);
  if (test !== null && isProblem(test)) return test;
  const { fixedBatch } = dataset;
  if (fixedBatch !== null && options.batch !== undefined && options.batch !== fixedBatch)
    return problem(
      'E0503',
      null,
      `the program takes ${fixedBatch} rows at a time, not ${options.batch}`,
    );
  const folder = options.out ?? join('out', program.name);
  const name = program.trains.length > 1 ? `${program.name}.${block.name}` : program.name;
  const infix = program.trains.length > 1 ? `${block.name}.` : '';
  const paths = {
    folder,
    checkpoint: join(folder, `${name}.safetensors`),
    metrics: join(folder, `${infix}metrics.csv`),
    plot: join(folder, `${infix}loss.svg`),
  };
  return { program, block, dataset, test, paths };
}

async function trainJob(job: Job, options: TrainOptions): Promise<TrainResult | Problem> {
  const { block, dataset, test, paths } = job;
  const programs: TrainPrograms = {
    init: await load(block.init, options),
    step: await load(block.step, options),
    evaluate: await load(block.evaluate, options),
  };
  removeLeftovers(paths.folder);
  const data = fingerprint(dataset);
  const start = options.resume === true ? findStart(job, options, programs, data) : null;
  if (isProblem(start)) return start;
  const settings: TrainSettings = {
    block: block.name,
    epochs: options.epochs,
    batch: dataset.fixedBatch ?? start?.position.batch ?? options.batch ?? 64,
    seed: start?.position.seed ?? options.seed ?? 0,
    data,
    saveEvery: options.saveEvery === undefined ? { seconds: 30 } : { steps: options.saveEvery },
  };
  const points = start === null ? [] : readPoints(paths, start);
  return withProgress(settings, async (events) => {
    const result = await runTraining(programs, dataset, test, settings, start, {
      ...events,
      onPoint: (point) => points.push(point),
      save: (checkpoint) => save(job, points, checkpoint),
    });
    await Promise.all(Object.values(programs).map((p) => p.dispose()));
    return result;
  });
}

type ShownEvents = Pick<Parameters<typeof runTraining>[5], 'onStep' | 'onEpoch' | 'shouldStop'>;

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
  try {
    return await body({
      onStep: progress.step,
      onEpoch: (epoch, trained, tested) => progress.epoch(epoch, epochs, trained, tested),
      shouldStop: () => interrupted,
    });
  } finally {
    progress.stop();
    process.off('SIGINT', interrupt);
    note(`${duration((performance.now() - start) / 1000)} of training`);
  }
}

/** The checkpoint to go on from; null where there is none yet. */
function findStart(
  { block, dataset, paths }: Job,
  options: TrainOptions,
  { step }: TrainPrograms,
  data: string,
): Checkpoint | Problem | null {
  const { checkpoint: path } = paths;
  const there = readBytes(path);
  if (isProblem(there)) {
    note(`no checkpoint at ${path} yet: starting from the beginning`);
    return null;
  }
  const start = loadCheckpoint(path, carriedPorts(step));
  if (isProblem(start)) return start;
  const { position } = start;
  const differs = (what: string, then: unknown, now: unknown): Problem =>
    problem('E0511', path, `was written by a run with ${what} ${then}, and this one has ${now}`);
  if (position.block !== block.name) return differs('block', position.block, block.name);
  if (position.rows !== dataset.rows)
    return differs('rows of data:', count(position.rows), count(dataset.rows));
  if (position.data !== data)
    return problem(
      'E0511',
      path,
      'was written by a run with other data, or another declaration of it',
    );
  const asked = { batch: dataset.fixedBatch ?? options.batch, seed: options.seed };
  for (const key of ['batch', 'seed'] as const)
    if (asked[key] !== undefined && asked[key] !== position[key])
      return differs(`--${key}`, position[key], asked[key]);
  note(`going on from step ${count(position.step)}`);
  return start;
}

/** The curve up to the checkpoint; a missing or foreign file only shortens it. */
function readPoints({ metrics }: Paths, { position }: Checkpoint): Point[] {
  const bytes = readBytes(metrics);
  return isProblem(bytes) ? [] : [...parseMetrics(new TextDecoder().decode(bytes), position.step)];
}

function save(
  { program, block, paths }: Job,
  points: readonly Point[],
  checkpoint: Checkpoint,
): Problem | null {
  const loss = block.step.outputs.find(({ role }) => role === 'loss')?.name ?? 'loss';
  return (
    writeAtomic(paths.metrics, metricsCsv(points)) ??
    writeAtomic(paths.plot, lossPlot(points, loss, `${program.name}: ${loss}`)) ??
    saveCheckpoint(paths.checkpoint, checkpoint)
  );
}

/** The ONNX models, the inference models with the learnt weights inside. */
function writeModels({ program, paths }: Job, { last }: TrainResult): Problem | null {
  const written = [paths.checkpoint, paths.metrics, paths.plot];
  for (const [name, bytes] of exportOnnx(program, { weights: last.tensors })) {
    const path = join(paths.folder, name);
    const refused = writeAtomic(path, bytes);
    if (refused !== null) return refused;
    written.push(path);
  }
  note(`wrote ${written.toSorted().join(', ')}`);
  return null;
}

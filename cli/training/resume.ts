// `--resume`: the checkpoint to go on from, where it is of the same run.

import { loadCheckpoint, type Checkpoint } from '../../runtime/checkpoint.ts';
import { fingerprint } from '../../runtime/data/fingerprint.ts';
import { readBytes } from '../../runtime/files.ts';
import { count, isProblem, problem, type Problem } from '../../runtime/problem.ts';
import type { PortInfo } from '../../runtime/program.ts';
import type { Point } from '../../runtime/train.ts';
import { parseMetrics } from '../metrics.ts';
import { note } from '../output.ts';
import type { Job, Paths } from './job.ts';
import type { TrainOptions } from './options.ts';

/** The checkpoint to go on from; null where there is none yet. */
export function findStart(
  job: Job,
  options: TrainOptions,
  ports: readonly PortInfo[],
): Checkpoint | Problem | null {
  const { checkpoint: path } = job.paths;
  if (isProblem(readBytes(path))) {
    note(`no checkpoint at ${path} yet: starting from the beginning`);
    return null;
  }
  const start = loadCheckpoint(path, ports);
  if (isProblem(start)) return start;
  const other = differenceTo(job, options, start);
  if (other !== null) return other;
  note(`going on from step ${count(start.position.step)}`);
  return start;
}

/** Why the checkpoint is of another run. */
function differenceTo(
  { block, dataset, validation, paths }: Job,
  options: TrainOptions,
  { position }: Checkpoint,
): Problem | null {
  const { checkpoint: path } = paths;
  const differs = (what: string, then: unknown, now: unknown): Problem =>
    problem('E0511', path, `was written by a run with ${what} ${then}, and this one has ${now}`);
  if (position.block !== block.name) return differs('block', position.block, block.name);
  if (position.rows !== dataset.rows)
    return differs(
      dataset.columns.length === 0 ? '--epoch-steps' : 'rows of data:',
      count(position.rows),
      count(dataset.rows),
    );
  if (position.data !== fingerprint(dataset))
    return problem(
      'E0511',
      path,
      'was written by a run with other data, or another declaration of it',
    );
  const asked = { batch: dataset.fixedBatch ?? options.batch, seed: options.seed };
  for (const key of ['batch', 'seed'] as const)
    if (asked[key] !== undefined && asked[key] !== position[key])
      return differs(`--${key}`, position[key], asked[key]);
  const { best } = position;
  if (best === null) return null;
  if (validation === null)
    return problem('E0511', path, 'was written by a run with --validate, and this one has none');
  if (best.data !== validation.data)
    return problem('E0511', path, 'was written by a run with other validation data');
  const [then, now] = [best.watch, validation.watch].map(({ name, sense }) => `${sense} ${name}`);
  if (then !== now) return differs('--watch', then, now);
  const kept = readBytes(paths.best);
  return isProblem(kept) ? kept : null;
}

/** The curve up to the checkpoint; a missing or foreign file only shortens it. */
export function readPoints({ metrics }: Paths, { position }: Checkpoint): Point[] {
  const bytes = readBytes(metrics);
  return isProblem(bytes) ? [] : [...parseMetrics(new TextDecoder().decode(bytes), position.step)];
}

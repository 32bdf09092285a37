// The files that a run of `dlg train` leaves. Each is replaced whole; the checkpoint is the last of its group, so that it never runs
// ahead of what it speaks of.

import { basename, join } from 'node:path';

import type { Tensor } from '../../compiler/ir/tensor.ts';
import type { CompiledTrain } from '../../compiler/program.ts';
import { saveCheckpoint, type Checkpoint } from '../../runtime/checkpoint.ts';
import { writeSafetensors } from '../../runtime/data/safetensors.ts';
import { writeAtomic } from '../../runtime/files.ts';
import { isProblem, type Problem } from '../../runtime/problem.ts';
import type { Point } from '../../runtime/train.ts';
import type { Best } from '../../runtime/validation.ts';
import { loadWeights } from '../../runtime/weights.ts';
import { artifacts } from '../artifacts.ts';
import { metricsCsv } from '../metrics.ts';
import { note } from '../output.ts';
import { lossPlot } from '../plot.ts';
import { weightPorts } from '../weights.ts';
import type { TargetOptions } from '../targets.ts';
import type { Job } from './job.ts';

/** The weights of the best epoch, until they are written. */
export interface Kept {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly best: Best;
}

/** What is drawn: the losses, or where the block has none, its reports. */
export function curvesOf({ losses, step }: CompiledTrain): readonly string[] {
  if (losses.length > 0) return losses.map(({ name }) => name);
  return step.outputs.filter(({ role }) => role === 'report').map(({ name }) => name);
}

export function save(
  { program, block, paths }: Job,
  points: readonly Point[],
  kept: Kept | null,
  checkpoint: Checkpoint,
): Problem | null {
  return (
    writeAtomic(paths.metrics, metricsCsv(points)) ??
    writeAtomic(paths.plot, lossPlot(points, curvesOf(block), program.name)) ??
    (kept === null ? null : writeAtomic(paths.best, encodeBest(kept))) ??
    saveCheckpoint(paths.checkpoint, checkpoint)
  );
}

/** Without the optimiser's state: these weights are to be used, not to be trained on. */
function encodeBest({ tensors, best }: Kept): Uint8Array {
  const { watch, epoch, value } = best;
  return writeSafetensors(tensors, {
    format: 'dlg weights 1',
    epoch: String(epoch),
    [watch.name]: String(value),
  });
}

/** The weights that the run ends with: those of its best epoch, where it knows one. */
export function finalWeights(
  { block, paths }: Job,
  { tensors, position }: Checkpoint,
): ReadonlyMap<string, Tensor> | Problem {
  return position.best === null ? tensors : loadWeights(paths.best, weightPorts(block.step));
}

/** The models: those of ONNX for inference have the learnt weights inside, the module of WGSL reads the file. */
export async function writeModels(
  { program, paths }: Job,
  options: TargetOptions,
  weights: ReadonlyMap<string, Tensor>,
  hasBest: boolean,
): Promise<Problem | null> {
  const written = [paths.checkpoint, paths.metrics, paths.plot, ...(hasBest ? [paths.best] : [])];
  const weightsFile = basename(hasBest ? paths.best : paths.checkpoint);
  for (const [name, bytes] of await artifacts(program, options, { weights, weightsFile })) {
    const path = join(paths.folder, name);
    const refused = writeAtomic(path, bytes);
    if (isProblem(refused)) return refused;
    written.push(path);
  }
  note(`wrote ${written.toSorted().join(', ')}`);
  return null;
}

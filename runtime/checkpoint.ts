// Checkpoints: one safetensors file with everything that a run needs to go on bit for bit as if it had never stopped: the
// parameters, the optimiser's state, other states and counters as tensors under their paths, the place in the data as metadata.
// The same file holds the weights that `dlg run` and `dlg build --weights` read.

import type { Tensor } from '../compiler/ir/tensor.ts';
import type { ArrayFile } from './data/array.ts';
import { readSafetensors, writeSafetensors, type SafetensorsFile } from './data/safetensors.ts';
import { readBytes, writeAtomic } from './files.ts';
import { isProblem, problem, showSizes, type Problem } from './problem.ts';
import type { Sums } from './measures.ts';
import type { PortInfo } from './program.ts';
import type { Best } from './validation.ts';

/** Where a run stands. */
export interface Position {
  /** The `train` block. */
  readonly block: string;
  readonly seed: number;
  readonly batch: number;
  /** Rows of the training data, and a hash of the data and its declarations: a run goes on only with the same. */
  readonly rows: number;
  readonly data: string;
  readonly step: number;
  /** Whole epochs done, and the rows already taken of the next, in its order. */
  readonly epoch: number;
  readonly row: number;
  readonly epochSums: Sums;
  readonly windowSums: Sums;
  /** Null where there are no validation data. */
  readonly best: Best | null;
}

export interface Checkpoint {
  readonly kind: 'checkpoint';
  /** By path: what the step feeds back to itself. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly position: Position;
}

/** What follows `dlg` in the metadata; raise it when the meaning of `Position` changes. */
const version = 'dlg checkpoint 2';

export const encodeCheckpoint = ({ tensors, position }: Checkpoint): Uint8Array =>
  writeSafetensors(tensors, { format: version, position: JSON.stringify(position) });

/** Writes so that the path holds a whole checkpoint, this one or the one before, whenever the process is killed. */
export const saveCheckpoint = (path: string, checkpoint: Checkpoint): Problem | null =>
  writeAtomic(path, encodeCheckpoint(checkpoint));

/** The checkpoint at `path`, if it has a tensor for each of `ports`. */
export function loadCheckpoint(path: string, ports: readonly PortInfo[]): Checkpoint | Problem {
  const file = readWeightsFile(path);
  if (isProblem(file)) return file;
  const position = parsePosition(file.metadata);
  if (position === null)
    return problem(
      'E0508',
      path,
      'is a safetensors file, but not a checkpoint of `dlg train`',
      'its weights can be used by `dlg run --weights` and `dlg build --weights`',
    );
  const tensors = selectTensors(path, file.tensors, ports);
  return isProblem(tensors) ? tensors : { kind: 'checkpoint', tensors, position };
}

/** A safetensors file, whoever wrote it. */
export function readWeightsFile(path: string): SafetensorsFile | Problem {
  const bytes = readBytes(path);
  if (isProblem(bytes)) return bytes;
  const file = readSafetensors(path, bytes);
  return isProblem(file) ? { ...file, code: 'E0508' as const } : file;
}

/** Whether a run can go on from it. */
export const isCheckpoint = ({ metadata }: SafetensorsFile): boolean =>
  parsePosition(metadata) !== null;

const isSums = (value: unknown): value is Sums => {
  if (typeof value !== 'object' || value === null) return false;
  const { rows, totals } = value as Partial<Record<keyof Sums, unknown>>;
  return typeof rows === 'number' && typeof totals === 'object' && totals !== null;
};

const isBest = (value: unknown): value is Best => {
  if (typeof value !== 'object' || value === null) return false;
  const { watch, data, epoch, value: best } = value as Partial<Record<keyof Best, unknown>>;
  const named = typeof watch === 'object' && watch !== null && 'name' in watch && 'sense' in watch;
  return (
    named && typeof data === 'string' && Number.isSafeInteger(epoch) && typeof best === 'number'
  );
};

function parsePosition(metadata: Readonly<Record<string, string>>): Position | null {
  if (metadata.format !== version) return null;
  let value: unknown;
  try {
    value = JSON.parse(metadata.position ?? '');
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const position = value as Partial<Record<keyof Position, unknown>>;
  const numbers = ['seed', 'batch', 'rows', 'step', 'epoch', 'row'] as const;
  const whole =
    numbers.every((key) => Number.isSafeInteger(position[key])) &&
    typeof position.block === 'string' &&
    typeof position.data === 'string' &&
    isSums(position.epochSums) &&
    isSums(position.windowSums) &&
    (position.best === null || isBest(position.best));
  return whole ? (value as Position) : null;
}

const types: Readonly<Record<PortInfo['dtype'], ArrayFile['type']>> = {
  f32: 'float32',
  i32: 'int32',
  u32: 'uint32',
  bool: 'bool',
};

function selectTensors(
  path: string,
  tensors: ReadonlyMap<string, ArrayFile>,
  ports: readonly PortInfo[],
): ReadonlyMap<string, Tensor> | Problem {
  const chosen = new Map<string, Tensor>();
  for (const { name, dtype, dims } of ports) {
    const found = tensors.get(name);
    if (found === undefined)
      return problem(
        'E0509',
        path,
        `has nothing for ${name}, which the program needs`,
        `it holds ${[...tensors.keys()].slice(0, 8).join(', ')}${tensors.size > 8 ? ', ...' : ''}`,
      );
    const fits =
      found.type === types[dtype] &&
      found.shape.length === dims.length &&
      found.shape.every((size, axis) => size === dims[axis]);
    if (!fits)
      return problem(
        'E0509',
        path,
        `holds ${found.type} ${showSizes(found.shape)} for ${name}, but the program declares ${types[dtype]} ${showSizes(dims)}`,
      );
    chosen.set(name, { dtype, shape: found.shape, data: found.data as Tensor['data'] });
  }
  return chosen;
}

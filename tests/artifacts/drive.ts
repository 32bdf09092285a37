// Writes a program's ONNX files and has the script drive.mjs train with them, in a process of its own.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { tensor, type DType, type Tensor } from '../../compiler/ir/tensor.ts';
import { exportOnnx } from '../../compiler/pipeline.ts';
import type { Artifact } from './programs.ts';

type Tensors = Readonly<Record<string, Tensor>>;

export interface Drive {
  readonly runtime: 'node' | 'web';
  readonly threads: number;
  readonly seed: number;
  readonly batches: readonly Tensors[];
  readonly queries: readonly Tensors[];
}

export interface Driven {
  /** What the init model gives. */
  readonly first: Tensors;
  /** Losses and reports, step by step. */
  readonly measures: readonly Readonly<Record<string, number>>[];
  /** What is fed back after the last step. */
  readonly last: Tensors;
  readonly answers: readonly Tensors[];
  /** What the script printed. */
  readonly text: string;
}

interface Plain {
  readonly type: keyof typeof dtypes;
  readonly dims: readonly number[];
  readonly bytes: string;
}

const dtypes = { float32: 'f32', int32: 'i32', uint32: 'u32' } as const;
const arrays = { float32: Float32Array, int32: Int32Array, uint32: Uint32Array };
const types: Partial<Record<DType, string>> = { f32: 'float32', i32: 'int32', u32: 'uint32' };

const plain = (tensors: Tensors): unknown =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape, data }]) => [
      name,
      { type: types[dtype], dims: shape, data: Array.from(data) },
    ]),
  );

const restore = (tensors: Readonly<Record<string, Plain>>): Tensors =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { type, dims, bytes }]) => {
      // A copy: what Buffer decodes may start anywhere in its pool.
      const { buffer } = Uint8Array.from(Buffer.from(bytes, 'base64'));
      return [name, tensor(dtypes[type], dims, new arrays[type](buffer))];
    }),
  );

const script = fileURLToPath(new URL('./drive.mjs', import.meta.url));

/** How long a test may wait for such processes, in milliseconds: onnxruntime-web starts slowly on a busy machine. */
export const patience = 60_000;

/** What the script printed; rejects where it failed. */
export async function drive(
  { name, program }: Artifact,
  { runtime, threads, seed, batches, queries }: Drive,
): Promise<Driven> {
  const folder = mkdtempSync(join(tmpdir(), 'dlg-artifact-'));
  try {
    for (const [file, bytes] of exportOnnx(program)) writeFileSync(join(folder, file), bytes);
    const feeds = { seed, batches: batches.map(plain), queries: queries.map(plain) };
    writeFileSync(join(folder, 'feeds.json'), JSON.stringify(feeds));
    // Optimising the wasm of onnxruntime-web takes longer than these steps.
    const command = ['--liftoff-only', script, runtime, String(threads), name, folder];
    const { stdout } = await promisify(execFile)(process.execPath, command, {
      maxBuffer: 2 ** 26,
    });
    const { first, measures, last, answers } = JSON.parse(stdout) as {
      first: Record<string, Plain>;
      measures: Record<string, number>[];
      last: Record<string, Plain>;
      answers: Record<string, Plain>[];
    };
    return {
      first: restore(first),
      measures,
      last: restore(last),
      answers: answers.map(restore),
      text: stdout,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

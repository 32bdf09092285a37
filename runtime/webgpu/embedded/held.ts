// The values that stay on the GPU from call to call, in one place for all programs of a model: parameters and states, and what a train
// block keeps for itself, its optimiser's state and its count of steps.

import { headerOf } from './safetensors.ts';
import { createBuffer, fetchLater, upload } from './tensors.ts';
import type { ElementType, HostTensor, Shape } from './types.ts';

export interface HeldValue {
  /** What its elements are in memory; in half precision only where nothing is learnt. */
  readonly dtype: ElementType | 'f16';
  readonly shape: Shape;
  /** The train block whose own it is; weights lack it. */
  readonly block?: string;
}

export type HeldValues = Readonly<Record<string, HeldValue>>;

/** The buffers of the values that there are, by path. */
export type HeldBuffers = Map<string, GPUBuffer>;

/** Takes the values of the model that the bytes of safetensors have: all, or none where one does not fit. */
export function takeWeights(
  device: GPUDevice,
  values: HeldValues,
  buffers: HeldBuffers,
  bytes: Uint8Array,
): void {
  const [header, start] = headerOf(bytes);
  const taken = Object.keys(values).flatMap((path) => {
    const entry = header[path];
    if (!entry) return [];
    const { dtype, shape } = values[path];
    const found = `${entry.dtype.toLowerCase()} [${entry.shape}]`;
    const expected = `${dtype} [${shape}]`;
    if (found !== expected) throw Error(`${path} should be ${expected}, but is ${found}`);
    if (bytes.length < start + entry.data_offsets[1]) throw Error(`the weights end in ${path}`);
    const own = bytes.slice(...entry.data_offsets.map((at) => start + at));
    return [[path, dtype === 'bool' ? own : new Uint32Array(own.buffer)] as const];
  });
  for (const [path, words] of taken) {
    const buffer = buffers.get(path) ?? createBuffer(device, words.length);
    upload(device, buffer, words);
    buffers.set(path, buffer);
  }
}

/** Copies values to the CPU, by the names that the paths are given. */
export async function readHeld(
  device: GPUDevice,
  values: HeldValues,
  buffers: HeldBuffers,
  paths: Readonly<Record<string, string>>,
): Promise<Record<string, HostTensor>> {
  const encoder = device.createCommandEncoder();
  const fetched = Object.entries(paths).flatMap(([name, path]) => {
    const { dtype, shape } = values[path];
    const buffer = buffers.get(path);
    if (!buffer) return [];
    // Values are read where something is learnt, in no half precision.
    const get = fetchLater(device, encoder, { buffer, dtype: dtype as ElementType, shape });
    return [async () => [name, await get()] as const];
  });
  device.queue.submit([encoder.finish()]);
  return Object.fromEntries(await Promise.all(fetched.map((get) => get())));
}

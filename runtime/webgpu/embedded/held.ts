// The values that stay on the GPU from call to call, in one place for all programs of a model: parameters and states, and what a train
// block keeps for itself, its optimiser's state and its count of steps.

import { createBuffer, upload } from './tensors.ts';
import type { ElementType, Shape } from './types.ts';

export interface HeldValue {
  readonly dtype: ElementType;
  readonly shape: Shape;
  /** The train block whose own it is; weights lack it. */
  readonly block?: string;
}

export type HeldValues = Readonly<Record<string, HeldValue>>;

/** The buffers of the values that there are, by path. */
export type HeldBuffers = Map<string, GPUBuffer>;

interface Entry {
  readonly dtype: string;
  readonly shape: Shape;
  readonly data_offsets: readonly [from: number, to: number];
}

/** Takes the values of the model that are in the bytes of safetensors (https://huggingface.co/docs/safetensors). */
export function takeWeights(
  device: GPUDevice,
  values: HeldValues,
  buffers: HeldBuffers,
  bytes: Uint8Array,
): void {
  const start = 8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = headerOf(bytes.subarray(8, start));
  for (const path in values) {
    const entry = header[path];
    if (!entry) continue;
    const { dtype, shape } = values[path];
    const found = `${entry.dtype.toLowerCase()} [${entry.shape}]`;
    const expected = `${dtype} [${shape}]`;
    if (found !== expected) throw Error(`${path} should be ${expected}, but is ${found}`);
    const own = bytes.slice(...entry.data_offsets.map((at) => start + at));
    const words = dtype === 'bool' ? own : new Uint32Array(own.buffer);
    const buffer = buffers.get(path) ?? createBuffer(device, words.length);
    upload(device, buffer, words);
    buffers.set(path, buffer);
  }
}

function headerOf(bytes: Uint8Array): Readonly<Record<string, Entry>> {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw Error('the weights are no safetensors');
  }
}

// The values that stay on the GPU from call to call, in one place for all programs of a model: parameters and states, which weights give
// and take, and what a train block keeps for itself, its optimiser's state and its count of steps.

import { arrays, count, createStorage, stage, take, upload } from './tensors.ts';
import type { ElementType, HostTensor, Shape } from './types.ts';
import { decode } from './safetensors.ts';

export interface HeldValue {
  readonly dtype: ElementType;
  readonly shape: Shape;
  /** The train block whose own it is; weights lack it. */
  readonly block?: string;
}

export type HeldValues = Readonly<Record<string, HeldValue>>;

export interface Held {
  /** Made where it is first asked for. */
  readonly buffer: (path: string) => GPUBuffer;
  /** The paths that have a value. */
  readonly known: Set<string>;
  /** Parameters and states that have a value, by path. */
  readonly read: () => Promise<Record<string, HostTensor>>;
  readonly write: (bytes: Uint8Array) => void;
  readonly dispose: () => void;
}

export function createHeld(device: GPUDevice, values: HeldValues): Held {
  const buffers = new Map<string, GPUBuffer>();
  const known = new Set<string>();
  const buffer = (path: string): GPUBuffer => {
    const made = buffers.get(path) ?? createStorage(device, count(values[path].shape));
    buffers.set(path, made);
    return made;
  };
  const weights = Object.keys(values).filter((path) => !values[path].block);
  return {
    buffer,
    known,
    async read() {
      const encoder = device.createCommandEncoder();
      const staged = weights
        .filter((path) => known.has(path))
        .map((path) => {
          const { dtype, shape } = values[path];
          return { path, dtype, shape, from: stage(device, encoder, buffer(path), count(shape)) };
        });
      device.queue.submit([encoder.finish()]);
      const read = staged.map(async ({ path, dtype, shape, from }) => [
        path,
        await take(from, dtype, shape),
      ]);
      return Object.fromEntries(await Promise.all(read));
    },
    write(bytes) {
      const tensors = decode(bytes);
      const given = weights.filter((path) => path in tensors);
      if (weights.length > 0 && given.length === 0)
        throw new Error(`the weights have nothing that the model has, such as ${weights[0]}`);
      for (const path of given) {
        const { dtype, shape } = values[path];
        const { data } = tensors[path];
        if (!(data instanceof arrays[dtype]) || String(tensors[path].shape) !== String(shape))
          throw new Error(
            `the weights' ${path} is ${data.constructor.name} [${tensors[path].shape}], but the model's ${arrays[dtype].name} [${shape}]`,
          );
      }
      for (const path of given) {
        upload(device, buffer(path), tensors[path].data);
        known.add(path);
      }
    },
    dispose: () => buffers.forEach((made) => made.destroy()),
  };
}

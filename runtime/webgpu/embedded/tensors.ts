// Tensors between the CPU and the GPU, where every element has four bytes.

import type { ElementType, GpuTensor, HostTensor, Numbers, Shape } from './types.ts';

export const arrays = { f32: Float32Array, i32: Int32Array, u32: Uint32Array, bool: Uint8Array };

export const count = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);

/** For kernels, and to copy from and to, unless `usage`, a sum of `GPUBufferUsage`, says otherwise; Node lacks the names. */
export const createBuffer = (device: GPUDevice, elements: number, usage = 0x8c): GPUBuffer =>
  device.createBuffer({ size: elements * 4 || 4, usage });

export const upload = (device: GPUDevice, buffer: GPUBuffer, data: Numbers): void =>
  device.queue.writeBuffer(
    buffer,
    0,
    (data instanceof Uint8Array ? Uint32Array.from(data) : data) as Uint32Array<ArrayBuffer>,
  );

/** What a buffer holds. */
export interface Content {
  readonly buffer: GPUBuffer;
  readonly dtype: ElementType;
  readonly shape: Shape;
}

/** Copies a content into a buffer. What it gives is to be called after the submission. */
type Copy<T> = (device: GPUDevice, encoder: GPUCommandEncoder, content: Content) => () => T;

export const copy = (
  encoder: GPUCommandEncoder,
  { buffer, shape }: Pick<Content, 'buffer' | 'shape'>,
  to: GPUBuffer,
): void => encoder.copyBufferToBuffer(buffer, 0, to, 0, count(shape) * 4);

/** To where the CPU can read it; waits for the GPU. */
export const fetchLater: Copy<Promise<HostTensor>> = (device, encoder, content) => {
  const { dtype, shape } = content;
  // Read by the CPU, and copied to.
  const staging = createBuffer(device, count(shape), 0x9);
  copy(encoder, content, staging);
  return async () => {
    await staging.mapAsync(1);
    const bytes = staging.getMappedRange().slice(0, count(shape) * 4);
    staging.destroy();
    const data =
      dtype === 'bool' ? Uint8Array.from(new Uint32Array(bytes)) : new arrays[dtype](bytes);
    return { data, shape };
  };
};

/** To a buffer of its own. */
export const keep: Copy<GpuTensor> = (device, encoder, content) => {
  const buffer = createBuffer(device, count(content.shape));
  copy(encoder, content, buffer);
  const kept = { ...content, buffer };
  return () => ({
    ...kept,
    read() {
      const own = device.createCommandEncoder();
      const fetched = fetchLater(device, own, kept);
      device.queue.submit([own.finish()]);
      return fetched();
    },
    destroy: () => buffer.destroy(),
  });
};

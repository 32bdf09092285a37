// Tensors between the CPU and the GPU, where every element has four bytes.

import type { ElementType, GpuTensor, HostTensor, Numbers, Shape } from './types.ts';

export const arrays = {
  f32: Float32Array,
  i32: Int32Array,
  u32: Uint32Array,
  bool: Uint8Array,
} as const;

/** Of `GPUBufferUsage`, which Node lacks. */
export const usage = {
  mapRead: 1,
  copySource: 4,
  copyTarget: 8,
  uniform: 64,
  storage: 128,
} as const;

export const count = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);

export const createBuffer = (device: GPUDevice, elements: number, of: number): GPUBuffer =>
  device.createBuffer({ size: Math.max(4, elements * 4), usage: of });

/** One that kernels compute with. */
export const createStorage = (device: GPUDevice, elements: number): GPUBuffer =>
  createBuffer(device, elements, usage.storage | usage.copySource | usage.copyTarget);

export function upload(device: GPUDevice, buffer: GPUBuffer, data: Numbers): void {
  const wide = data instanceof Uint8Array ? Uint32Array.from(data) : data;
  device.queue.writeBuffer(buffer, 0, wide as Float32Array<ArrayBuffer>);
}

export function copy(
  encoder: GPUCommandEncoder,
  from: GPUBuffer,
  to: GPUBuffer,
  elements: number,
): void {
  if (elements > 0) encoder.copyBufferToBuffer(from, 0, to, 0, elements * 4);
}

/** A buffer that the CPU can read, with what is copied into it. */
export function stage(
  device: GPUDevice,
  encoder: GPUCommandEncoder,
  from: GPUBuffer,
  elements: number,
): GPUBuffer {
  const staging = createBuffer(device, elements, usage.mapRead | usage.copyTarget);
  copy(encoder, from, staging, elements);
  return staging;
}

/** What a buffer of `stage` holds, once the GPU has come so far; the buffer goes. */
export async function take(
  staging: GPUBuffer,
  dtype: ElementType,
  shape: Shape,
): Promise<HostTensor> {
  await staging.mapAsync(1);
  const bytes = staging.getMappedRange().slice(0, count(shape) * 4);
  staging.destroy();
  const data =
    dtype === 'bool' ? Uint8Array.from(new Uint32Array(bytes)) : new arrays[dtype](bytes);
  return { data, shape };
}

export function gpuTensor(
  device: GPUDevice,
  buffer: GPUBuffer,
  dtype: ElementType,
  shape: Shape,
): GpuTensor {
  return {
    dtype,
    shape,
    buffer,
    read() {
      const encoder = device.createCommandEncoder();
      const staging = stage(device, encoder, buffer, count(shape));
      device.queue.submit([encoder.finish()]);
      return take(staging, dtype, shape);
    },
    destroy: () => buffer.destroy(),
  };
}

// A device whose storage buffers are a page longer than was asked for, and full of a pattern from the start: whatever a kernel writes
// behind the end of its results is seen, and what it reads before it was written, or behind the end, is NaN as a real. WebGPU clamps an
// index that is out of range into the binding, so a wrong write ends in the page too.
//
// Arithmetic hands the bits of a NaN on, and a kernel that runs too far often reads behind an end what it writes behind another. So each
// buffer has a pattern of its own, and all are signalling: what is computed from one is quiet.

import { replace } from './replace.ts';

const page = 1024;
const firstPattern = 0xff800001;

/** `GPUBufferUsage.STORAGE` and so on; Node lacks the names. */
const usage = { mapRead: 0x1, copySource: 0x4, copyTarget: 0x8, storage: 0x80 };

export interface Guarded {
  readonly device: GPUDevice;
  /** The buffers made so far behind whose ends something was written, each once. Forgets all. */
  readonly overwritten: () => Promise<string[]>;
}

interface GuardedBuffer {
  readonly buffer: GPUBuffer;
  readonly size: number;
  readonly pattern: number;
}

export function guarded(device: GPUDevice): Guarded {
  const buffers: GuardedBuffer[] = [];
  let pattern = firstPattern;
  const createBuffer = (descriptor: GPUBufferDescriptor): GPUBuffer => {
    if ((descriptor.usage & usage.storage) === 0) return device.createBuffer(descriptor);
    const buffer = device.createBuffer({
      ...descriptor,
      size: descriptor.size + page,
      usage: descriptor.usage | usage.copySource,
      mappedAtCreation: true,
    });
    new Uint32Array(buffer.getMappedRange()).fill(pattern);
    buffer.unmap();
    buffers.push({ buffer, size: descriptor.size, pattern });
    pattern++;
    return buffer;
  };
  return {
    device: replace(device, { createBuffer }),
    async overwritten() {
      const checked = buffers.splice(0);
      const ends = await readEnds(device, checked);
      return checked.flatMap(({ size, pattern: own }, i) => {
        const at = ends[i].findIndex((word) => word !== own);
        return at < 0 ? [] : [`buffer ${i} of ${size} bytes, ${4 * at} bytes behind its end`];
      });
    },
  };
}

async function readEnds(
  device: GPUDevice,
  buffers: readonly GuardedBuffer[],
): Promise<Uint32Array[]> {
  const size = Math.max(4, buffers.length * page);
  const staging = device.createBuffer({ size, usage: usage.mapRead | usage.copyTarget });
  const encoder = device.createCommandEncoder();
  buffers.forEach(({ buffer, size: end }, i) =>
    encoder.copyBufferToBuffer(buffer, end, staging, i * page, page),
  );
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(1);
  const words = new Uint32Array(staging.getMappedRange().slice(0));
  staging.destroy();
  return buffers.map((_, i) => words.subarray((i * page) / 4, ((i + 1) * page) / 4));
}

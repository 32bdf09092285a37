// Preloaded into contenders for WebGPU: gives Node what browsers have, from Dawn. The Vulkan driver is the environment's matter.

import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
const gpu = create([]);
Object.defineProperty(globalThis, 'navigator', {
  value: { gpu, userAgent: 'Node', platform: process.platform, hardwareConcurrency: 1 },
  configurable: true,
});

// onnxruntime-web writes from shared memory, which Dawn for Node refuses and browsers take (webgpu 0.6.2).
const { writeBuffer } = globals.GPUQueue.prototype;
globals.GPUQueue.prototype.writeBuffer = function (buffer, offset, data, from, size) {
  const memory = ArrayBuffer.isView(data) ? data.buffer : data;
  const shared = typeof SharedArrayBuffer !== 'undefined' && memory instanceof SharedArrayBuffer;
  if (!shared) return writeBuffer.call(this, buffer, offset, data, from, size);
  const scale = ArrayBuffer.isView(data) ? (data.BYTES_PER_ELEMENT ?? 1) : 1;
  const start = (data.byteOffset ?? 0) + (from ?? 0) * scale;
  const bytes = size === undefined ? data.byteLength - (from ?? 0) * scale : size * scale;
  return writeBuffer.call(this, buffer, offset, new Uint8Array(memory).slice(start, start + bytes));
};

// DLG's own model on onnxruntime-web's WebGPU backend. It trains nothing. Usage: ort-web.mjs FOLDER, under --liftoff-only: V8's
// optimising compiler takes 30 to 50 s for its 27 MB of WebAssembly.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-web/webgpu';

import { measureRuns, readTask } from './task.mjs';

const folder = process.argv[2];
const task = readTask(folder);
ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';
// prepare.ts lays it beside this.
ort.env.wasm.wasmBinary = readFileSync(
  new URL('ort-wasm-simd-threaded.asyncify.wasm', import.meta.url),
);
const session = await ort.InferenceSession.create(readFileSync(join(folder, 'model.onnx')), {
  executionProviders: ['webgpu'],
  preferredOutputLocation: 'gpu-buffer',
});
const device = await ort.env.webgpu.device;

/** Inputs stay on the device. */
const upload = ({ data, shape }) => {
  const buffer = device.createBuffer({ size: data.byteLength, usage: 0x80 | 0x8 | 0x4 });
  device.queue.writeBuffer(buffer, 0, data);
  return ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims: shape });
};
const feeds = Object.fromEntries(
  session.inputNames.map((name) => [name, upload(task.tensors[name])]),
);

await measureRuns('onnxruntime-web', task, {
  run: async () => (await session.run(feeds))[session.outputNames[0]],
  read: (y) => y.getData(),
  free: (y) => y.dispose(),
  settle: () => device.queue.onSubmittedWorkDone(),
});

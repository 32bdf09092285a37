// DLG's kernels as prepare.ts wrote them for the sizes of the task: buffers, bindings, and one encoder and one submission a run. What a
// step learns stays on the device. Usage: dlg.mjs FOLDER

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { copiesOf, dispatch, ready } from './kernels.mjs';
import { measureRuns, measureSteps, readTask } from './task.mjs';

const folder = process.argv[2];
const task = readTask(folder);
const plan = JSON.parse(readFileSync(join(folder, 'wgsl.json'), 'utf8'));
const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
const device = await adapter.requestDevice({
  requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
});
device.onuncapturederror = ({ error }) => {
  throw new Error(error.message);
};

const [copySource, copyTarget, uniform, storage] = [0x4, 0x8, 0x40, 0x80];
const buffers = plan.slots.map((elements) =>
  device.createBuffer({
    size: Math.max(4, 4 * elements),
    usage: storage | copySource | copyTarget,
  }),
);
for (const { slot, data, dtype } of plan.tables) {
  const View = { f32: Float32Array, i32: Int32Array }[dtype] ?? Uint32Array;
  device.queue.writeBuffer(buffers[slot], 0, View.from(data));
}
for (const { name, slot } of plan.inputs)
  if (name in task.tensors) device.queue.writeBuffer(buffers[slot], 0, task.tensors[name].data);
const sizes = device.createBuffer({
  size: Math.max(16, 4 * plan.sizes.length),
  usage: uniform | copyTarget,
});
device.queue.writeBuffer(sizes, 0, Uint32Array.from(plan.sizes));
const kernels = await Promise.all(
  plan.kernels.map((kernel) => ready(device, kernel, buffers, sizes)),
);
const copies = copiesOf(plan).map((slots) => slots.map((slot) => buffers[slot]));

function start(after = () => {}) {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  kernels.forEach((kernel, i) => dispatch(pass, kernel, plan.kernels[i].groups));
  pass.end();
  for (const [from, to] of copies) encoder.copyBufferToBuffer(from, 0, to, 0, from.size);
  after(encoder);
  device.queue.submit([encoder.finish()]);
}

async function fetchFrom(staging) {
  await staging.mapAsync(1);
  const values = new Float32Array(staging.getMappedRange().slice(0));
  staging.unmap();
  return values;
}

const result = plan.outputs.find(({ name }) => !task.train || name === 'loss');
const staging = device.createBuffer({
  size: buffers[result.slot].size,
  usage: 0x1 | copyTarget,
});
const copyResult = (encoder) =>
  encoder.copyBufferToBuffer(buffers[result.slot], 0, staging, 0, staging.size);

if (task.train)
  await measureSteps('DLG', task, async () => {
    start(copyResult);
    return (await fetchFrom(staging))[0];
  });
else {
  const settle = () => device.queue.onSubmittedWorkDone();
  await measureRuns('DLG', task, {
    run: () => start(),
    read: async () => {
      start(copyResult);
      const { shape } = task.expected;
      const size = shape.reduce((a, b) => a * b, 1);
      return (await fetchFrom(staging)).subarray(0, size);
    },
    free: () => {},
    settle,
  });
}

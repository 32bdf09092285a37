// The canaries sing: a write behind the end is seen, also of what lies behind another end; one inside is not.

import { expect, test } from 'vitest';

import { guarded } from './canaries.ts';
import { deviceForTests } from './device.ts';

const device = deviceForTests();

test.each([
  ['inside', 'x[15] = 7u', []],
  ['one behind', 'x[16] = 7u', ['buffer 0 of 64 bytes, 0 bytes behind its end']],
  [
    'far behind, which is clamped',
    'x[id.x + 1073741824u] = 7u',
    ['buffer 0 of 64 bytes, 1020 bytes behind its end'],
  ],
  [
    "of what lies behind another's end",
    'x[17] = y[17]',
    ['buffer 0 of 64 bytes, 4 bytes behind its end'],
  ],
  [
    'of what is computed from what lies there',
    'x[18] = bitcast<u32>(bitcast<f32>(x[18]) - bitcast<f32>(y[18]))',
    ['buffer 0 of 64 bytes, 8 bytes behind its end'],
  ],
])('a write %s', async (_, statement, found) => {
  const { device: watched, overwritten } = guarded(device());
  const buffers = [0, 1].map(() => watched.createBuffer({ size: 64, usage: 0x80 }));
  const code = `@group(0) @binding(0) var<storage, read_write> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(1) fn k(@builtin(global_invocation_id) id: vec3u) { _ = &y; ${statement}; }`;
  const module = watched.createShaderModule({ code });
  const pipeline = watched.createComputePipeline({ layout: 'auto', compute: { module } });
  const layout = pipeline.getBindGroupLayout(0);
  const group = watched.createBindGroup({
    layout,
    entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const encoder = watched.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(1);
  pass.end();
  watched.queue.submit([encoder.finish()]);
  expect(await overwritten()).toEqual(found);
  buffers.forEach((buffer) => buffer.destroy());
});

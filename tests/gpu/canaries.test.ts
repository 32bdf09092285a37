// The canaries sing: a write behind the end is seen, one inside is not.

import { expect, test } from 'vitest';

import { guarded } from './canaries.ts';
import { deviceForTests } from './device.ts';

const device = deviceForTests();

test.each([
  ['inside', 15, []],
  ['one behind', 16, ['buffer 0 of 64 bytes, 0 bytes behind its end']],
  ['far behind, which is clamped', 2 ** 30, ['buffer 0 of 64 bytes, 1020 bytes behind its end']],
])('a write %s', async (_, at, found) => {
  const { device: watched, overwritten } = guarded(device());
  const buffer = watched.createBuffer({ size: 64, usage: 0x80 });
  const code = `@group(0) @binding(0) var<storage, read_write> x: array<u32>;
@compute @workgroup_size(1) fn k(@builtin(global_invocation_id) id: vec3u) { x[id.x + ${at}u] = 7u; }`;
  const module = watched.createShaderModule({ code });
  const pipeline = watched.createComputePipeline({ layout: 'auto', compute: { module } });
  const layout = pipeline.getBindGroupLayout(0);
  const group = watched.createBindGroup({
    layout,
    entries: [{ binding: 0, resource: { buffer } }],
  });
  const encoder = watched.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(1);
  pass.end();
  watched.queue.submit([encoder.finish()]);
  expect(await overwritten()).toEqual(found);
  buffer.destroy();
});

// WGSL is held to its rules and to WebGPU's default limits without any driver.

import { expect, test } from 'vitest';

import { validateWgsl } from './validate.ts';

const kernel = (declarations: string, body: string, size = '64'): string =>
  `${declarations}\n@compute @workgroup_size(${size}) fn k(@builtin(global_invocation_id) id: vec3u) {\n${body}\n}\n`;

const buffer = (i: number): string =>
  `@group(0) @binding(${i}) var<storage, read_write> x${i}: array<f32>;`;
const buffers = (n: number): string => Array.from({ length: n }, (_, i) => buffer(i)).join('\n');
const use = (n: number): string =>
  Array.from({ length: n }, (_, i) => `x${i}[id.x] = 1;`).join(' ');

test.each([
  ['eight buffers', kernel(buffers(8), use(8))],
  ['256 threads', kernel(buffer(0), use(1), '16, 16')],
  ['16 KiB of workgroup memory', kernel('var<workgroup> t: array<f32, 4096>;', 't[id.x] = 0;')],
])('right: %s', async (_, code) => {
  expect(await validateWgsl(code)).toEqual([]);
});

test.each([
  ['a type', kernel(buffer(0), 'x0[id.x] = id.x;'), /^3:10 .*u32.*f32/],
  ['a syntax', kernel(buffer(0), 'x0[id.x] = ;'), /^3:12 /],
  ['divergent barriers', kernel('', 'if (id.x > 3) { workgroupBarrier(); }'), /uniform/],
  ['nine buffers', kernel(buffers(9), use(9)), /^k: .*storage buffers.*8/s],
  ['512 threads', kernel(buffer(0), use(1), '512'), /^k: .*256/s],
  ['workgroup memory', kernel('var<workgroup> t: array<f32, 4097>;', 't[id.x] = 0;'), /16384/],
])('wrong: %s', async (_, code, message) => {
  const errors = await validateWgsl(code);
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatch(message);
});

test('a size that is an override', async () => {
  const code = kernel('override size: u32;', '_ = id.x;', 'size');
  expect(await validateWgsl(code, { size: 64 })).toEqual([]);
  expect(await validateWgsl(code, { size: 1024 })).toHaveLength(1);
  expect(await validateWgsl(code)).toHaveLength(1);
});

// A device in Node without a GPU: it computes, has no more than WebGPU's default limits, and its errors are noticed.

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { deviceForTests, openTestDevice, watched } from './device.ts';
import { squares } from './squares.ts';
import { canUnpack, swiftShader } from './unpack.ts';

const device = deviceForTests();

test('a kernel computes', async () => {
  expect(await squares(device(), [1, 2, 3, 4.5])).toEqual([1, 4, 9, 20.25]);
});

test('the limits are the defaults, and there are no features', () => {
  const { limits, features } = device();
  expect(limits.maxStorageBuffersPerShaderStage).toBe(8);
  expect(limits.maxComputeWorkgroupStorageSize).toBe(16384);
  expect(limits.maxComputeInvocationsPerWorkgroup).toBe(256);
  expect(limits.maxStorageBufferBindingSize).toBe(2 ** 27);
  expect(features.has('timestamp-query')).toBe(false);
});

test('features and limits are raised on request, to what the adapter has', async () => {
  const { device } = await openTestDevice({
    features: ['timestamp-query', 'shader-f16'],
    limits: ['maxStorageBuffersPerShaderStage'],
  });
  expect(device.limits.maxStorageBuffersPerShaderStage).toBeGreaterThan(8);
  expect(device.features.has('timestamp-query')).toBe(true);
  device.destroy();
});

test.runIf(canUnpack)('the adapter is known to compute on the CPU', async () => {
  const { device, adapter } = await openTestDevice();
  expect(adapter).toMatchObject({ vendor: 'google', architecture: 'swiftshader', software: true });
  device.destroy();
});

describe('an error that nobody caught', () => {
  test('is reported', async () => {
    const { device, errors } = watched(await openTestDevice());
    device.createBuffer({ size: 2 ** 40, usage: 0x80 });
    expect((await errors()).join()).toContain('1099511627776');
    expect(await errors()).toEqual([]);
    device.destroy();
  });

  test('is not one that an error scope took', async () => {
    const { device, errors } = watched(await openTestDevice());
    device.pushErrorScope('validation');
    device.createShaderModule({ code: 'no WGSL' });
    expect(await device.popErrorScope()).not.toBeNull();
    expect(await errors()).toEqual([]);
    device.destroy();
  });
});

test.runIf(canUnpack)('several may unpack at once', async () => {
  const cache = await mkdtemp(join(tmpdir(), 'dlg-unpack-'));
  const found = await Promise.all([1, 2, 3].map(() => swiftShader(cache)));
  expect(new Set(found.map(({ icd }) => icd)).size).toBe(1);
  expect(await readdir(cache)).toEqual(['swiftshader']);
  expect(await readdir(join(cache, 'swiftshader'))).toContain('libvk_swiftshader.so');
  await rm(cache, { recursive: true });
});

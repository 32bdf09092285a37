// Without a GPU there is a message that says what to do. The loader of Vulkan is told of a driver that does not exist, which holds
// for the process: hence a file of its own.

import { expect, test } from 'vitest';

import { openDevice } from '../../runtime/webgpu/device.ts';
import { canUnpack, useSwiftShader } from './unpack.ts';

test.runIf(canUnpack)('no driver', async () => {
  await useSwiftShader();
  process.env.VK_ICD_FILENAMES = process.env.VK_DRIVER_FILES = '/nowhere/driver.json';
  expect(await openDevice()).toMatchObject({
    kind: 'problem',
    code: 'E0516',
    message: 'this machine offers no GPU to WebGPU',
    help: expect.stringMatching(/Vulkan driver.*--device cpu/),
  });
});

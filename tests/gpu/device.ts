// The device that tests compute on: SwiftShader where it runs, the machine's own GPU elsewhere, with exactly WebGPU's default
// limits and no features. WebGPU does not throw its errors, so a test that causes one and does not catch it fails afterwards.

import { afterAll, afterEach, beforeAll, expect } from 'vitest';

import { isProblem } from '../../runtime/problem.ts';
import { openDevice, type DeviceRequest, type OpenDevice } from '../../runtime/webgpu/device.ts';
import { canUnpack, useSwiftShader } from './unpack.ts';

export async function openTestDevice(request: DeviceRequest = {}): Promise<OpenDevice> {
  if (canUnpack) {
    await useSwiftShader();
    restBetweenQuestions();
  }
  const opened = await openDevice(request);
  if (isProblem(opened)) throw new Error(`${opened.message} (${opened.help})`);
  return opened;
}

const immediately = globalThis.setImmediate;
const never = new Int32Array(new SharedArrayBuffer(4));

/**
 * While anything is pending, Dawn asks whether it is done, again and again by `setImmediate` (webgpu 0.6.2), which takes the core that
 * SwiftShader could compile or compute on. So each question comes a fifth of a millisecond later.
 */
function restBetweenQuestions(): void {
  globalThis.setImmediate = Object.assign(
    <T extends unknown[]>(callback: (...args: T) => void, ...args: T) =>
      immediately(() => {
        Atomics.wait(never, 0, 0, 0.2);
        callback(...args);
      }),
    immediately,
  );
}

export interface DeviceOfTests {
  readonly device: GPUDevice;
  /** What WebGPU has reported since the last call, and forgets it. */
  readonly errors: () => Promise<string[]>;
}

/** Watches a device for errors that nobody caught, and for its loss. */
export function watched({ device }: OpenDevice): DeviceOfTests {
  const found: string[] = [];
  device.onuncapturederror = ({ error }) => {
    found.push(error.message);
  };
  void device.lost.then(({ reason, message }) => {
    if (reason !== 'destroyed') found.push(`the device is lost: ${message}`);
  });
  return {
    device,
    async errors() {
      // Errors of what was asked for before come no later than the answer to this.
      await device.queue.onSubmittedWorkDone();
      return found.splice(0);
    },
  };
}

/** For a suite: one device for all its tests, each of which must leave it without errors. */
export function deviceForTests(request: DeviceRequest = {}): () => GPUDevice {
  let current: DeviceOfTests;
  beforeAll(async () => {
    current = watched(await openTestDevice(request));
  });
  afterEach(async () => {
    expect(await current.errors()).toEqual([]);
  });
  afterAll(() => {
    current.device.destroy();
  });
  return () => current.device;
}

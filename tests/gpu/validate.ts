// Whether WGSL is right, without computing anything: Dawn's null backend compiles it as a driver would be given it, and holds it
// to WebGPU's default limits. Half a millisecond a module, and no driver at all.

import { create } from 'webgpu';

/** One for the life of the process, as runtime/webgpu/device.ts explains. */
const nothing = create(['backend=null']);
const devices = new Map<string, Promise<GPUDevice>>();

/** A device with these features, one for all who ask. */
function deviceWith(features: readonly GPUFeatureName[]): Promise<GPUDevice> {
  const key = features.join();
  const device = devices.get(key) ?? open(features);
  devices.set(key, device);
  return device;
}

async function open(requiredFeatures: readonly GPUFeatureName[]): Promise<GPUDevice> {
  const adapter = await nothing.requestAdapter();
  if (adapter === null) throw new Error('Dawn has no null backend');
  return adapter.requestDevice({ requiredFeatures });
}

/**
 * What is wrong with a module, one line each: first what the compiler finds, with line and column; if it finds nothing, which of its
 * entry points make no pipeline, as where a limit is exceeded.
 */
export async function validateWgsl(
  code: string,
  constants: Record<string, number> = {},
  features: readonly GPUFeatureName[] = [],
): Promise<string[]> {
  const gpu = await deviceWith(features);
  gpu.pushErrorScope('validation');
  const module = gpu.createShaderModule({ code });
  const { messages } = await module.getCompilationInfo();
  await gpu.popErrorScope();
  const errors = messages
    .filter(({ type }) => type === 'error')
    .map(({ lineNum, linePos, message }) => `${lineNum}:${linePos} ${message}`);
  if (errors.length > 0) return errors;
  const refused = await Promise.all(
    entryPoints(code).map(async (entryPoint) => {
      gpu.pushErrorScope('validation');
      gpu.createComputePipeline({
        layout: 'auto',
        compute: { module, entryPoint, constants },
      });
      const error = await gpu.popErrorScope();
      return error === null ? [] : [`${entryPoint}: ${error.message}`];
    }),
  );
  return refused.flat();
}

const entryPoints = (code: string): string[] =>
  Array.from(code.matchAll(/@compute\b[^{]*?\bfn\s+(\w+)/g), ([, name]) => name);

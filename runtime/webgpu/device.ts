// Where a GPU comes from: the browser's own WebGPU, or in Node Google's Dawn, the package `webgpu`. Dawn is loaded when a device
// is asked for, so that whoever only compiles does not need it.

import { problem, type Problem } from '../problem.ts';

export interface DeviceRequest {
  /** Features to have where the adapter offers them. Nothing is asked of the device beyond this. */
  readonly features?: readonly GPUFeatureName[];
  /** Limits to raise from WebGPU's defaults to what the adapter offers, such as `maxBufferSize`. */
  readonly limits?: readonly (keyof Omit<GPUSupportedLimits, '__brand'>)[];
}

export interface OpenDevice {
  readonly device: GPUDevice;
  readonly adapter: AdapterFacts;
}

export interface AdapterFacts {
  readonly vendor: string;
  readonly architecture: string;
  /** In words: `NVIDIA H100 ...`, `SwiftShader driver 5.0.0`. */
  readonly description: string;
  readonly software: boolean;
}

/**
 * A device of its own for the caller, who destroys it; or why there is none. What WebGPU reports later, errors and the loss of the
 * device, is the caller's to watch.
 */
export async function openDevice(request: DeviceRequest = {}): Promise<OpenDevice | Problem> {
  const gpu = await findGpu();
  if ('kind' in gpu) return gpu;
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) return noGpu('this machine offers no GPU to WebGPU', driverHelp());
  const { features = [], limits = [] } = request;
  try {
    const device = await adapter.requestDevice({
      requiredFeatures: features.filter((name) => adapter.features.has(name)),
      requiredLimits: Object.fromEntries(limits.map((name) => [name, adapter.limits[name]])),
    });
    return { device, adapter: factsOf(adapter.info) };
  } catch (cause) {
    return noGpu(`the GPU gave no device: ${textOf(cause)}`, driverHelp());
  }
}

const noGpu = (message: string, help: string): Problem => problem('E0516', null, message, help);

/** Dawn's instance. It must live as long as any device: collected under one, it takes the process with it (webgpu 0.6.2). */
let dawn: GPU | null = null;

async function findGpu(): Promise<GPU | Problem> {
  const { navigator } = globalThis as { readonly navigator?: { readonly gpu?: GPU } };
  if (navigator?.gpu) return navigator.gpu;
  if (globalThis.process?.versions?.node === undefined)
    return noGpu(
      'this browser has no WebGPU',
      'WebGPU needs a current browser and a page served over https or from localhost',
    );
  try {
    dawn ??= (await import('webgpu')).create([]);
    return dawn;
  } catch (cause) {
    return noGpu(
      `the package webgpu does not load: ${textOf(cause)}`,
      'install it with `npm install webgpu`, or run with `--device cpu`',
    );
  }
}

const software = /swiftshader|llvmpipe|lavapipe|warp|basic render/i;

/** Whether an adapter computes on the CPU, as SwiftShader and llvmpipe do. */
export const isSoftware = ({
  isFallbackAdapter,
  architecture,
  device,
  description,
}: GPUAdapterInfo): boolean =>
  isFallbackAdapter || software.test(`${architecture} ${device} ${description}`);

const factsOf = (info: GPUAdapterInfo): AdapterFacts => ({
  vendor: info.vendor,
  architecture: info.architecture,
  description: info.description || info.device,
  software: isSoftware(info),
});

/** What a person can do about a missing GPU, which differs where Vulkan is the way to it. */
const driverHelp = (): string =>
  globalThis.process?.platform === 'linux'
    ? 'install a Vulkan driver and its loader libvulkan.so.1 (`vulkaninfo` shows them), or run with `--device cpu`'
    : 'update the graphics driver, or run with `--device cpu`';

const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

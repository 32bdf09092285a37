// A model on a device: its functions, and the weights they share. What its callers see is in the artifact's own NAME.d.ts, which
// compiler/emit/wgsl/declarations.ts writes.

import { takeWeights, type HeldBuffers, type HeldValues } from './held.ts';
import type { CheckElements } from './inputs.ts';
import { createProgram, type GpuProgram, type Results } from './program.ts';
import type { Feeds, Plan } from './types.ts';

/** What the compiler writes into an artifact (compiler/emit/wgsl/module.ts). */
export interface ModelPlan {
  /** The file of weights beside the module, if one was written. */
  readonly weights?: URL;
  readonly held: HeldValues;
  /** How a value that is missing can be given, in words. */
  readonly remedy: string;
  readonly functions: Readonly<Record<string, Plan>>;
  readonly blocks?: Readonly<Record<string, BlockPlan>>;
  /** What the kernels take beyond plain WebGPU. */
  readonly features?: readonly GPUFeatureName[];
}

export interface BlockPlan {
  readonly init: Plan;
  readonly step: Plan;
  readonly evaluate: Plan;
}

/** A URL or, in Node, a path; bytes of safetensors. */
export type WeightsSource = string | URL | ArrayBuffer | Uint8Array;

export interface LoadOptions {
  readonly device?: GPUDevice;
  readonly gpu?: GPU;
  readonly weights?: WeightsSource | null;
}

export type Call = (feeds?: Feeds, options?: { readonly keep?: boolean }) => Promise<Results>;

/** Work on the GPU; where that is lost, an Error says so. */
export type Attempt = <T>(work: () => T | Promise<T>) => Promise<T>;

export type Members = Record<string, unknown>;

/** What the members of a model are made of. */
export interface Core {
  readonly device: GPUDevice;
  readonly held: HeldBuffers;
  readonly attempt: Attempt;
  /** Calls the program of a plan. */
  readonly caller: (plan: Plan) => Call;
}

/** What only some models need. */
export interface Extras {
  /** Adds to the members that every model has, or replaces them. */
  readonly more?: (core: Core, members: Members) => void;
  readonly check?: CheckElements;
  /** Which of the features that there are to ask for; an Error where one is missing. */
  readonly demand?: (there: GPUSupportedFeatures) => readonly GPUFeatureName[];
}

export async function openModel(
  plan: ModelPlan,
  options: LoadOptions = {},
  { more, check, demand }: Extras = {},
): Promise<Members> {
  const device = options.device ?? (await openDevice(options.gpu, demand));
  const held: HeldBuffers = new Map();
  const attempt = attemptOn(device);
  const programs: Promise<GpuProgram>[] = [];

  const caller: Core['caller'] = (of) => {
    let program: Promise<GpuProgram> | undefined;
    return (feeds = {}, { keep } = {}) =>
      attempt(async () => {
        for (const path of Object.values(of.held))
          if (!held.has(path)) throw Error(`${path} has no value: ${plan.remedy}`);
        if (!program) programs.push((program = createProgram(device, of, held, check)));
        return (await program).run(feeds, keep);
      });
  };

  const load = async (source: WeightsSource): Promise<void> => {
    const bytes = await bytesOf(source);
    await attempt(() => takeWeights(device, plan.held, held, bytes));
  };
  const { weights = plan.weights } = options;
  if (weights) await load(weights);
  const members: Members = {
    device,
    lost: device.lost,
    weights: { load },
    dispose() {
      for (const program of programs) void program.then(({ dispose }) => dispose());
      for (const buffer of held.values()) buffer.destroy();
      if (!options.device) device.destroy();
    },
  };
  for (const name in plan.functions) members[name] = caller(plan.functions[name]);
  more?.({ device, held, attempt, caller }, members);
  return members;
}

const scope = globalThis as { readonly navigator?: { readonly gpu?: GPU } };

async function openDevice(
  gpu = scope.navigator?.gpu,
  demand?: Extras['demand'],
): Promise<GPUDevice> {
  if (!gpu)
    throw Error(
      'no WebGPU: it takes a new browser and https or localhost, or in Node load({ gpu }) of the package webgpu',
    );
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw Error('WebGPU finds no GPU: check the driver and the browser');
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  return adapter.requestDevice({
    requiredFeatures: demand?.(adapter.features),
    requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
  });
}

function attemptOn(device: GPUDevice): Attempt {
  let lost: GPUDeviceLostInfo | undefined;
  void device.lost.then((info) => (lost = info));
  return async (work) => {
    try {
      if (!lost) return await work();
    } catch (error) {
      // What a loss brings down may tell of it before the device does.
      await new Promise((next) => setTimeout(next));
      if (!lost) throw error;
    }
    throw Error(`the GPU is lost, load() again: ${lost?.message}`);
  };
}

export const bytesOf = async (source: WeightsSource): Promise<Uint8Array> =>
  new Uint8Array(
    (source as ArrayBuffer).byteLength >= 0
      ? (source as ArrayBuffer)
      : await read(source as string | URL),
  );

/** Files, a path or `file:`, are read by Node itself: its fetch does not. One letter and a colon are a drive. */
async function read(source: string | URL): Promise<ArrayBuffer | Uint8Array> {
  const files = globalThis.process?.getBuiltinModule?.('fs');
  if (files && !/^(?!file:)\w\w+:/.test(source as string)) return files.readFileSync(source);
  const response = await fetch(source);
  if (!response.ok) throw Error(`no weights at ${source}`);
  return response.arrayBuffer();
}

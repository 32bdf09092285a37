// A model on a device: its functions, and the weights they share. What its callers see is in the artifact's own NAME.d.ts, which
// compiler/emit/wgsl/ writes.

import { createHeld, type HeldValues } from './held.ts';
import { createProgram, type GpuProgram } from './program.ts';
import { bytesOf, encode, type WeightsSource } from './safetensors.ts';
import type { Feeds, GpuTensor, HostTensor, Plan } from './types.ts';

/** What the compiler writes into an artifact (compiler/emit/wgsl/javascript.ts). */
export interface ModelPlan {
  /** The file of weights beside the module, if one was written. */
  readonly weights: URL | null;
  readonly held: HeldValues;
  readonly functions: Readonly<Record<string, Plan>>;
  readonly blocks?: Readonly<Record<string, BlockPlan>>;
}

export interface BlockPlan {
  readonly init: Plan;
  readonly step: Plan;
  readonly evaluate: Plan;
}

export interface LoadOptions {
  readonly device?: GPUDevice;
  readonly gpu?: GPU;
  readonly weights?: WeightsSource | null;
}

export interface CallOptions {
  readonly keep?: boolean;
}

export type Results = Record<string, HostTensor | GpuTensor>;

/** Calls the program of a plan; of one that `draws`, what it holds gets its first values. */
export type Caller = (
  plan: Plan,
  draws?: boolean,
) => (feeds?: Feeds, options?: CallOptions) => Promise<Results>;

export interface Model {
  readonly device: GPUDevice;
  readonly lost: Promise<GPUDeviceLostInfo>;
  readonly weights: {
    readonly read: () => Promise<Record<string, HostTensor>>;
    readonly save: () => Promise<Uint8Array>;
    readonly load: (source: WeightsSource) => Promise<void>;
  };
  readonly dispose: () => void;
  readonly [name: string]: unknown;
}

export async function loadModel(
  plan: ModelPlan,
  options: LoadOptions = {},
  more: (call: Caller) => Record<string, unknown> = () => ({}),
): Promise<Model> {
  const device = options.device ?? (await openDevice(options.gpu));
  const held = createHeld(device, plan.held);
  const programs: GpuProgram[] = [];
  const enqueue = queueFor(device);

  const call: Caller = (of, draws = false) => {
    let program: Promise<GpuProgram> | undefined;
    return (feeds = {}, { keep = false } = {}) =>
      enqueue(async () => {
        program ??= createProgram(device, of, held.buffer);
        const made = await program;
        if (!programs.includes(made)) programs.push(made);
        const missing = of.held.find(([path]) => !draws && !held.known.has(path));
        if (missing) throw new Error(howToGive(missing[0], plan));
        const results = made.run(feeds, keep);
        if (draws) for (const [path] of of.held) held.known.add(path);
        return [results.then((all) => withoutEquations(of, all))];
      });
  };

  const read = (): Promise<Record<string, HostTensor>> => enqueue(async () => [held.read()]);
  const load = async (source: WeightsSource): Promise<void> => {
    const bytes = await bytesOf(source);
    await enqueue(async () => [held.write(bytes)]);
  };
  const { weights = plan.weights } = options;
  if (weights !== null) await load(weights);
  return {
    ...Object.fromEntries(Object.entries(plan.functions).map(([name, of]) => [name, call(of)])),
    ...more(call),
    device,
    lost: device.lost,
    weights: { read, save: async () => encode(await read()), load },
    dispose() {
      for (const { dispose } of [...programs, held]) dispose();
      if (!options.device) device.destroy();
    },
  };
}

async function openDevice(given?: GPU): Promise<GPUDevice> {
  const gpu =
    given ?? (globalThis as { readonly navigator?: { readonly gpu?: GPU } }).navigator?.gpu;
  if (!gpu)
    throw new Error(
      'there is no WebGPU here. A browser has it if it is current and the page comes over https or from localhost; in Node, `create` of the package webgpu makes it: load({ gpu: create([]) })',
    );
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter)
    throw new Error(
      'WebGPU finds no GPU: the graphics driver is missing or too old, or the browser may not use it',
    );
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  return adapter.requestDevice({ requiredLimits: { maxBufferSize, maxStorageBufferBindingSize } });
}

/** Hands work to the GPU in the order of the calls, without waiting for what it gives. */
function queueFor(
  device: GPUDevice,
): <T>(work: () => Promise<readonly [T | Promise<T>]>) => Promise<T> {
  let lost: string | undefined;
  void device.lost.then(({ message, reason }) => (lost = message || reason));
  const checkAlive = (): void => {
    if (lost) throw new Error(`the GPU is lost (${lost}): load() makes a new model`);
  };
  let order: Promise<unknown> = Promise.resolve();
  return async (work) => {
    const submitted = order.then(() => {
      checkAlive();
      return work();
    });
    order = submitted.catch(() => {});
    try {
      const [result] = await submitted;
      return await result;
    } catch (error) {
      // What a loss brings down may tell of it before the device does.
      await new Promise((next) => setTimeout(next));
      checkAlive();
      throw error;
    }
  };
}

function howToGive(path: string, { held, blocks = {} }: ModelPlan): string {
  const { block } = held[path];
  const names = block ? [block] : Object.keys(blocks);
  const ways = [
    ...(block ? [] : ['load({ weights }) or weights.load(source) gives it']),
    ...names.map((name) => `${name}.start(seed) draws it`),
  ];
  return `${block ? `${block} has not started` : `${path} has no value`}: ${ways.join(', or ')}`;
}

/** The results without those that tell of equations, of which only a failure is told. */
function withoutEquations({ outputs }: Plan, results: Results): Results {
  for (const { name, equation } of outputs) {
    if (!equation) continue;
    const { data } = results[name] as HostTensor;
    // eslint-disable-next-line no-console -- there is nowhere else to say what is no error
    if (!data[0]) console.warn(`${equation} did not come within its tolerance in its rounds`);
    delete results[name];
  }
  return results;
}

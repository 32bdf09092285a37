// Runs the program of one graph: buffers and bindings for the sizes of the last call, and one encoder and one submission a call.

import { fit, type Given } from './inputs.ts';
import {
  copy,
  createBuffer,
  createStorage,
  gpuTensor,
  stage,
  take,
  upload,
  usage,
} from './tensors.ts';
import { count } from './tensors.ts';
import type { Feeds, GpuTensor, HostTensor, Plan, PlanStep } from './types.ts';

export interface GpuProgram {
  /**
   * What is to be done on the GPU is handed to it before the first wait. With `keep` the outputs stay there, in buffers of their own.
   * Rejects with an Error that names the input that does not fit, or says what WebGPU does not accept.
   */
  readonly run: <Keep extends boolean = false>(
    feeds: Feeds,
    keep?: Keep,
  ) => Promise<Record<string, Keep extends true ? GpuTensor : HostTensor>>;
  readonly dispose: () => void;
}

/** Where a value that stays on the GPU lies. */
export type HeldBuffers = (path: string) => GPUBuffer;

/** Buffers and bindings for one choice of sizes. */
interface Prepared {
  readonly key: string;
  readonly buffers: readonly GPUBuffer[];
  /** Those of `buffers` that are the program's own, and that of the sizes. */
  readonly own: readonly GPUBuffer[];
  readonly elements: readonly number[];
  readonly bindings: readonly GPUBindGroup[];
  readonly groups: readonly number[];
}

const mostGroups = 65535;

/** Compiles the kernels. Rejects with an Error that says what WebGPU does not accept. */
export async function createProgram(
  device: GPUDevice,
  plan: Plan,
  heldBuffer?: HeldBuffers,
): Promise<GpuProgram> {
  const pipelines = await Promise.all(
    plan.kernels.map(({ name }) =>
      device.createComputePipelineAsync({
        label: name,
        layout: 'auto',
        compute: {
          module: device.createShaderModule({ code: plan.code[name], label: name }),
          entryPoint: name,
        },
      }),
    ),
  );
  let prepared: Prepared | undefined;
  const dispose = (): void => prepared?.own.forEach((buffer) => buffer.destroy());
  const prepare = (sizes: readonly number[]): Prepared => {
    const key = sizes.join();
    if (prepared?.key !== key) {
      dispose();
      prepared = { key, ...allocate(device, plan, pipelines, sizes, heldBuffer) };
    }
    return prepared;
  };
  return {
    async run(feeds, keep) {
      const { given, sizes } = fit(plan, feeds);
      device.pushErrorScope('out-of-memory');
      device.pushErrorScope('validation');
      const state = prepare(sizes);
      const encoder = device.createCommandEncoder();
      given.forEach((tensor, i) =>
        put(device, encoder, tensor, state.buffers[plan.inputs[i].slot]),
      );
      encode(encoder, plan, pipelines, state, sizes);
      const outputs = plan.outputs.map((output) => {
        const shape = output.shape(sizes);
        const from = state.buffers[output.slot];
        const size = count(shape);
        if (!keep || output.equation)
          return { output, shape, buffer: stage(device, encoder, from, size) };
        const buffer = createStorage(device, size);
        copy(encoder, from, buffer, size);
        return { output, shape, buffer };
      });
      device.queue.submit([encoder.finish()]);
      const errors = await Promise.all([device.popErrorScope(), device.popErrorScope()]);
      for (const error of errors)
        if (error) throw new Error(`the GPU refused the program: ${error.message}`);
      const results = await Promise.all(
        outputs.map(async ({ output: { name, dtype, equation }, shape, buffer }) => [
          name,
          keep && !equation
            ? gpuTensor(device, buffer, dtype, shape)
            : await take(buffer, dtype, shape),
        ]),
      );
      return Object.fromEntries(results);
    },
    dispose,
  };
}

function put(device: GPUDevice, encoder: GPUCommandEncoder, tensor: Given, to: GPUBuffer): void {
  if ('data' in tensor) upload(device, to, tensor.data);
  else copy(encoder, tensor.buffer, to, count(tensor.shape));
}

function allocate(
  device: GPUDevice,
  plan: Plan,
  pipelines: readonly GPUComputePipeline[],
  sizes: readonly number[],
  heldBuffer: HeldBuffers = () => {
    throw new Error('nothing is held');
  },
): Omit<Prepared, 'key'> {
  const held = new Map(plan.held.map(([path, slot]) => [slot, heldBuffer(path)]));
  const elements = plan.slots(sizes);
  const dims = createBuffer(device, Math.max(4, sizes.length), usage.uniform | usage.copyTarget);
  upload(device, dims, Uint32Array.from(sizes));
  const own = [dims];
  const buffers = elements.map((size, slot) => {
    const known = held.get(slot);
    if (known) return known;
    const buffer = createStorage(device, size);
    own.push(buffer);
    return buffer;
  });
  for (const { slot, data } of plan.tables) upload(device, buffers[slot], data);
  const bindings = plan.kernels.map(({ slots, readsSizes }, i) => {
    const bound = [...slots.map((slot) => buffers[slot]), ...(readsSizes ? [dims] : [])];
    return device.createBindGroup({
      layout: pipelines[i].getBindGroupLayout(0),
      entries: bound.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
  });
  return {
    buffers,
    own,
    elements,
    bindings,
    groups: plan.kernels.map(({ groups }) => groups(sizes)),
  };
}

function encode(
  encoder: GPUCommandEncoder,
  plan: Plan,
  pipelines: readonly GPUComputePipeline[],
  { buffers, elements, bindings, groups }: Prepared,
  sizes: readonly number[],
): void {
  const pass = encoder.beginComputePass();
  const runAll = (steps: readonly PlanStep[]): void => {
    for (const step of steps)
      if (typeof step !== 'number') for (let n = step.count(sizes); n > 0; n--) runAll(step.steps);
      else if (groups[step] > 0) {
        pass.setPipeline(pipelines[step]);
        pass.setBindGroup(0, bindings[step]);
        pass.dispatchWorkgroups(
          Math.min(groups[step], mostGroups),
          Math.ceil(groups[step] / mostGroups),
        );
      }
  };
  runAll(plan.steps);
  pass.end();
  for (const [from, to] of plan.copies) copy(encoder, buffers[from], buffers[to], elements[to]);
}

// Runs the program of one graph: buffers and bindings for the sizes of the last call, and one encoder and one submission a call.

import { fit, type CheckElements } from './inputs.ts';
import { copy, createBuffer, fetchLater, keep, upload } from './tensors.ts';
import type { Feeds, GpuTensor, HostTensor, Plan } from './types.ts';

export type Results = Record<string, HostTensor | GpuTensor>;

export interface GpuProgram {
  /**
   * What is to be done is handed to the GPU before the first wait. With `keepsResults` they stay there. Rejects with an Error that names
   * the input that does not fit, or says what WebGPU does not accept.
   */
  readonly run: (feeds: Feeds, keepsResults?: boolean) => Promise<Results>;
  /** Frees what the program holds on the GPU. */
  readonly dispose: () => void;
}

const mostGroups = 65535;

/** Compiles the kernels. Rejects with an Error that says what WebGPU does not accept. */
export async function createProgram(
  device: GPUDevice,
  plan: Plan,
  held: ReadonlyMap<string, GPUBuffer>,
  checkElements?: CheckElements,
): Promise<GpuProgram> {
  const pipelines = await Promise.all(
    plan.kernels.map(({ name: entryPoint }) => {
      const module = device.createShaderModule({ code: plan.code[entryPoint] });
      return device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint } });
    }),
  );
  let preparedFor: string | undefined;
  let buffers: readonly GPUBuffer[] = [];
  let dispatches: readonly ((pass: GPUComputePassEncoder) => void)[] = [];

  const dispose = (): void =>
    buffers.forEach((buffer, slot) => {
      if (!plan.held[slot]) buffer.destroy();
    });

  /** Buffers and bindings for other sizes. */
  function prepare(sizes: Uint32Array<ArrayBuffer>): void {
    dispose();
    preparedFor = String(sizes);
    // A uniform buffer that is copied to.
    const dims = createBuffer(device, sizes.length, 0x48);
    upload(device, dims, sizes);
    buffers = [
      ...plan
        .slots(sizes)
        .map((elements, slot) => held.get(plan.held[slot]) ?? createBuffer(device, elements)),
      dims,
    ];
    plan.tables?.forEach(([slot, data]) => upload(device, buffers[slot], data));
    dispatches = plan.kernels.map(({ slots, groups }, i) => {
      const bindings = device.createBindGroup({
        layout: pipelines[i].getBindGroupLayout(0),
        entries: slots.map((slot, binding) => ({ binding, resource: { buffer: buffers[slot] } })),
      });
      const all = groups(sizes);
      return (pass) => {
        // Of an empty batch nothing is to be computed, and Dawn would warn of that.
        if (!all) return;
        pass.setPipeline(pipelines[i]);
        pass.setBindGroup(0, bindings);
        pass.dispatchWorkgroups(Math.min(all, mostGroups), Math.ceil(all / mostGroups));
      };
    });
  }

  async function run(feeds: Feeds, keepsResults?: boolean): Promise<Results> {
    const [given, sizes] = fit(plan, feeds, checkElements);
    device.pushErrorScope('out-of-memory');
    device.pushErrorScope('validation');
    if (preparedFor !== String(sizes)) prepare(sizes);
    const encoder = device.createCommandEncoder();
    given.forEach((tensor, i) => {
      const to = buffers[plan.inputs[i].slot];
      if (tensor.data) upload(device, to, tensor.data);
      else copy(encoder, tensor, to);
    });
    const pass = encoder.beginComputePass();
    if (plan.steps) plan.steps((kernel) => dispatches[kernel](pass), sizes);
    else dispatches.forEach((dispatch) => dispatch(pass));
    pass.end();
    const results = plan.outputs.map(({ slot, dtype, shape }) =>
      (keepsResults ? keep : fetchLater)(device, encoder, {
        buffer: buffers[slot],
        dtype,
        shape: shape(sizes),
      }),
    );
    // After the results, which may lie where a value is that a copy replaces.
    plan.copies?.forEach(([from, to]) =>
      encoder.copyBufferToBuffer(buffers[from], 0, buffers[to], 0, buffers[to].size),
    );
    device.queue.submit([encoder.finish()]);
    for (const error of [await device.popErrorScope(), await device.popErrorScope()])
      if (error) throw Error(`WebGPU refused: ${error.message}`);
    const named = plan.outputs.map(async ({ name }, i) => [name, await results[i]()]);
    return Object.fromEntries(await Promise.all(named));
  }

  return { run, dispose };
}

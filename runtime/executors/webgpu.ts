// The WebGPU executor: runs the WGSL program of a graph on the machine's GPU.

import { features, type Target } from '../../compiler/emit/wgsl/adapter.ts';
import { emitWgsl } from '../../compiler/emit/wgsl/emit.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import type { Program } from '../program.ts';
import { misfit } from '../program.ts';
import { isSoftware } from '../webgpu/device.ts';
import { createProgram } from '../webgpu/embedded/program.ts';
import { arrays } from '../webgpu/embedded/tensors.ts';
import type { HostTensor } from '../webgpu/embedded/types.ts';
import { planOf } from '../webgpu/plan.ts';
import { portInfo } from './interpreter.ts';

/**
 * A program that runs `graph` on `device`, which stays the caller's. It is built for the kind of adapter that the device is of, and its features, unless
 * `target` says otherwise. Rejects with an Error where WebGPU refuses it.
 */
export async function webgpuProgram(
  graph: Graph,
  device: GPUDevice,
  target: Target = {
    adapter: isSoftware(device.adapterInfo) ? 'software' : 'gpu',
    features: features.filter((name) => device.features.has(name)),
  },
): Promise<Program> {
  const program = await createProgram(device, planOf(emitWgsl(graph, target)));
  const inputs = graph.inputs.map(portInfo);
  const outputs = graph.outputs.map(portInfo);
  return {
    inputs,
    outputs,
    async run(feeds) {
      const problem = misfit(inputs, feeds);
      if (problem !== null) throw new Error(problem);
      const given = inputs.map(({ name }) => [name, hostTensor(feeds[name])] as const);
      const results = await program.run(Object.fromEntries(given));
      return Object.fromEntries(
        outputs.map(({ name, dtype }) => [name, { ...(results[name] as HostTensor), dtype }]),
      );
    },
    dispose: async () => program.dispose(),
  };
}

/** Elements as WebGPU takes them: reals of 32 bits, in no memory that is shared. */
function hostTensor({ dtype, shape, data }: Tensor): HostTensor {
  const isPlain = !(data instanceof Float64Array) && data.buffer instanceof ArrayBuffer;
  return { shape, data: isPlain ? data : arrays[dtype].from(data) };
}

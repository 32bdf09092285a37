// The WebGPU executor: runs the WGSL program of a graph on the machine's GPU.

import type { Target } from '../../compiler/emit/wgsl/adapter.ts';
import { emitWgsl } from '../../compiler/emit/wgsl/emit.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import type { Program } from '../program.ts';
import { misfit } from '../program.ts';
import { isSoftware } from '../webgpu/device.ts';
import { createProgram } from '../webgpu/embedded.ts';
import { planOf } from '../webgpu/plan.ts';
import { portInfo } from './interpreter.ts';

/**
 * A program that runs `graph` on `device`, which stays the caller's. It is built for the kind of adapter that the device is of, unless
 * `target` says otherwise. Rejects with an Error where WebGPU refuses it.
 */
export async function webgpuProgram(
  graph: Graph,
  device: GPUDevice,
  target: Target = { adapter: isSoftware(device.adapterInfo) ? 'software' : 'gpu' },
): Promise<Program> {
  const program = await createProgram(device, planOf(emitWgsl(graph, target)));
  const inputs = graph.inputs.map(portInfo);
  return {
    inputs,
    outputs: graph.outputs.map(portInfo),
    async run(feeds) {
      const problem = misfit(inputs, feeds);
      if (problem !== null) throw new Error(problem);
      return (await program.run(feeds)) as Record<string, Tensor>;
    },
    dispose: async () => program.dispose(),
  };
}

// A case of an operation, with derivatives, by the kernels for both kinds of adapter, on buffers with canaries behind them.

import { expect } from 'vitest';

import type { AdapterClass } from '../../../compiler/emit/wgsl/adapter.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import type { Tensor } from '../../../compiler/ir/tensor.ts';
import { webgpuProgram } from '../../../runtime/executors/webgpu.ts';
import { guarded } from '../../gpu/canaries.ts';
import { compilingOnce } from '../../gpu/compiling-once.ts';
import { expectClose } from '../../ir/expect-close.ts';
import { feedsOf, runInterpreter } from '../../ir/run-graph.ts';

const tolerance = 1e-5;

const adapters: readonly AdapterClass[] = ['software', 'gpu'];

/** Outputs y0, y1, ... are to be `outputs`, d0, d1, ... derivatives as the interpreter has them. */
export async function checkConformance(
  device: GPUDevice,
  graph: Graph,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
): Promise<void> {
  const reference = runInterpreter(graph, inputs, 'f64');
  // Kernels of maps are often the same for both.
  const shared = compilingOnce(device);
  for (const adapter of adapters) {
    const { device: watched, overwritten } = guarded(shared);
    const program = await webgpuProgram(graph, watched, { adapter });
    const actual = await program.run(feedsOf(inputs));
    expect(await overwritten(), adapter).toEqual([]);
    await program.dispose();
    outputs.forEach((y, i) =>
      expectClose(actual[`y${i}`], y, tolerance, `${adapter}: output ${i}`),
    );
    for (const name of Object.keys(reference).filter((output) => output.startsWith('d')))
      expectClose(actual[name], reference[name], tolerance, `${adapter}: derivative ${name}`);
  }
}

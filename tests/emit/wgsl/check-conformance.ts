// A case of an operation, with derivatives, by the kernels for both kinds of adapter, on buffers with canaries behind them.

import { expect } from 'vitest';

import type { AdapterClass } from '../../../compiler/emit/wgsl/adapter.ts';
import { webgpuProgram } from '../../../runtime/executors/webgpu.ts';
import { guarded } from '../../gpu/canaries.ts';
import { compilingOnce } from '../../gpu/compiling-once.ts';
import { comparison, type ConformanceProgram } from '../../ir/conformance-programs.ts';
import { feedsOf } from '../../ir/run-graph.ts';

export async function checkConformance(
  device: GPUDevice,
  of: ConformanceProgram,
  adapters: readonly AdapterClass[] = ['software', 'gpu'],
): Promise<void> {
  const compare = comparison(of);
  // Kernels of maps are often the same for both.
  const shared = compilingOnce(device);
  for (const adapter of adapters) {
    const { device: watched, overwritten } = guarded(shared);
    const program = await webgpuProgram(of.graph, watched, { adapter });
    const actual = await program.run(feedsOf(of.inputs));
    expect(await overwritten(), adapter).toEqual([]);
    await program.dispose();
    compare(actual, adapter);
  }
}

// Devices: what runs a graph. The library of each is loaded when it is asked for.

import type { Graph } from '../compiler/ir/graph.ts';
import { problem, type Problem } from '../runtime/problem.ts';
import type { Program } from '../runtime/program.ts';

export interface DeviceOptions {
  readonly device: 'cpu' | 'interpreter';
  readonly threads: number;
}

/** A program for each graph. Throws where the device refuses one; see `guarded`. */
export async function load(graph: Graph, { device, threads }: DeviceOptions): Promise<Program> {
  if (device === 'interpreter') {
    const { interpreterProgram } = await import('../runtime/executors/interpreter.ts');
    return interpreterProgram(graph);
  }
  const [{ emitOnnx }, { onnxProgram }] = await Promise.all([
    import('../compiler/emit/onnx/emit.ts'),
    import('../runtime/executors/onnx.ts'),
  ]);
  return onnxProgram(emitOnnx(graph), { threads });
}

/** Runs `body`; what the device throws becomes a problem. */
export async function guarded<T>(body: () => Promise<T>): Promise<T | Problem> {
  try {
    return await body();
  } catch (error) {
    if (process.env.DLG_DEBUG === '1') throw error;
    return problem('E0515', null, error instanceof Error ? error.message : String(error));
  }
}

// Devices: what runs a graph. The library of each is loaded when it is asked for.

import type { Graph } from '../compiler/ir/graph.ts';
import { isProblem, problem, type Problem } from '../runtime/problem.ts';
import type { Program } from '../runtime/program.ts';
import { note } from './output.ts';

export interface DeviceOptions {
  readonly device: (typeof devices)[number];
  readonly threads: number;
}

export const devices = ['cpu', 'webgpu', 'interpreter'] as const;

type Loader = (graph: Graph, options: DeviceOptions) => Promise<Program>;

const loaders: Readonly<Record<DeviceOptions['device'], Loader>> = {
  async cpu(graph, { threads }) {
    const [{ emitOnnx }, { onnxProgram }] = await Promise.all([
      import('../compiler/emit/onnx/emit.ts'),
      import('../runtime/executors/onnx.ts'),
    ]);
    return onnxProgram(emitOnnx(graph), { threads });
  },
  async webgpu(graph) {
    const { webgpuProgram } = await import('../runtime/executors/webgpu.ts');
    return webgpuProgram(graph, await (gpu ??= openGpu()));
  },
  async interpreter(graph) {
    const { interpreterProgram } = await import('../runtime/executors/interpreter.ts');
    return interpreterProgram(graph);
  },
};

/** One for all graphs of a command. */
let gpu: Promise<GPUDevice> | null = null;

async function openGpu(): Promise<GPUDevice> {
  const { openDevice } = await import('../runtime/webgpu/device.ts');
  const { features } = await import('../compiler/emit/wgsl/adapter.ts');
  const limits = ['maxBufferSize', 'maxStorageBufferBindingSize'] as const;
  const opened = await openDevice({ features, limits });
  if (isProblem(opened)) throw new Error(opened.message, { cause: opened });
  const { description, software } = opened.adapter;
  note(`computing on ${description}${software ? ', a GPU in software: slow' : ''}`);
  return opened.device;
}

/** Gives the GPU back, if one was opened: Dawn's threads should not outlive the command. */
export async function closeDevices(): Promise<void> {
  const opened = await gpu?.catch(() => null);
  opened?.destroy();
  gpu = null;
}

/** A program for each graph. Throws where the device refuses one; see `guarded`. */
export const load: Loader = (graph, options) => loaders[options.device](graph, options);

/** Runs `body`; what the device throws becomes a problem. */
export async function guarded<T>(body: () => Promise<T>): Promise<T | Problem> {
  try {
    return await body();
  } catch (error) {
    if (process.env.DLG_DEBUG === '1') throw error;
    if (!(error instanceof Error)) return problem('E0515', null, String(error));
    return isProblem(error.cause) ? error.cause : problem('E0515', null, error.message);
  }
}

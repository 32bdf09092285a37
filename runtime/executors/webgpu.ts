// The WebGPU executor: runs the WGSL program of a graph on the machine's GPU.

import { features, type Target } from '../../compiler/emit/wgsl/adapter.ts';
import { isConstant } from '../../compiler/dims/arithmetic.ts';
import { emitWgsl } from '../../compiler/emit/wgsl/emit.ts';
import { holdOnGpu, isHeld } from '../../compiler/emit/wgsl/held.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import type { Carried, PortInfo, Program, StepResults } from '../program.ts';
import { carriedAs, misfit } from '../program.ts';
import { isSoftware } from '../webgpu/device.ts';
import { createProgram } from '../webgpu/embedded/program.ts';
import { arrays, count, createBuffer, fetchLater, upload } from '../webgpu/embedded/tensors.ts';
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
  const emitted = emitWgsl(graph, target);
  const inputs = graph.inputs.map(portInfo);
  const outputs = graph.outputs.map(portInfo);
  const carriesOn = feedsBack(graph);
  const layout = carriesOn ? holdOnGpu(emitted) : undefined;
  const held = new Map(
    layout?.held.map(({ port: { name, value } }) => [
      name,
      createBuffer(device, count(value.shape.map((size) => isConstant(size) ?? 0))),
    ]),
  );
  const program = await createProgram(device, planOf(emitted, layout), held);
  const ownInputs = inputs.filter(({ name }) => !held.has(name));
  const runOwn = async (feeds: Tensors): Promise<Record<string, Tensor>> => {
    const given = ownInputs.map(({ name }) => [name, hostTensor(feeds[name])] as const);
    const results = await program.run(Object.fromEntries(given));
    return Object.fromEntries(
      outputs.flatMap(({ name, dtype }) =>
        name in results ? [[name, { ...(results[name] as HostTensor), dtype }]] : [],
      ),
    );
  };
  const checked = (feeds: Tensors, of = inputs): Tensors => {
    const problem = misfit(of, feeds);
    if (problem !== null) throw new Error(problem);
    return feeds;
  };
  const dispose = async (): Promise<void> => {
    program.dispose();
    for (const buffer of held.values()) buffer.destroy();
  };
  if (!carriesOn) return { inputs, outputs, run: async (feeds) => runOwn(checked(feeds)), dispose };
  const ports = inputs.filter(({ name }) => held.has(name));
  let current: Carried | null = null;
  const runCarrying = async (feeds: Tensors, carried: Carried): Promise<StepResults> => {
    checked(feeds, ownInputs);
    if (carried !== current) {
      const tensors = checked(Object.fromEntries(await carried.read()), ports);
      for (const [name, buffer] of held) upload(device, buffer, hostTensor(tensors[name]).data);
    }
    const results = await runOwn(feeds);
    current = once(() => readAll(device, held, ports));
    return { outputs: results, carried: current };
  };
  return {
    inputs,
    outputs,
    async run(feeds) {
      checked(feeds);
      const before = new Map(ports.map(({ name }) => [name, feeds[name]]));
      const { outputs: own, carried } = await runCarrying(feeds, carriedAs(before));
      const next = [...(await carried.read())].map(([name, x]) => [`${name}.next`, x] as const);
      return { ...own, ...Object.fromEntries(next) };
    },
    runCarrying,
    dispose,
  };
}

type Tensors = Readonly<Record<string, Tensor>>;

/** Whether the graph is a step: whether what it holds comes out anew, in the same known size. */
function feedsBack({ inputs, outputs }: Graph): boolean {
  const held = inputs.filter(isHeld);
  const next = outputs.filter(isHeld);
  return (
    held.length > 0 &&
    held.length === next.length &&
    held.every(
      ({ name, value }) =>
        next.some((port) => port.name === `${name}.next`) &&
        value.shape.every((size) => isConstant(size) !== null),
    )
  );
}

const once = (read: Carried['read']): Carried => {
  let found: ReturnType<Carried['read']> | undefined;
  return { read: () => (found ??= read()) };
};

async function readAll(
  device: GPUDevice,
  held: ReadonlyMap<string, GPUBuffer>,
  ports: readonly PortInfo[],
): Promise<ReadonlyMap<string, Tensor>> {
  const encoder = device.createCommandEncoder();
  const fetched = [...held].flatMap(([name, buffer]) => {
    const port = ports.find((of) => of.name === name);
    if (port === undefined) return [];
    const { dtype } = port;
    const get = fetchLater(device, encoder, { buffer, dtype, shape: port.dims.map(Number) });
    return [async () => [name, { ...(await get()), dtype }] as const];
  });
  device.queue.submit([encoder.finish()]);
  return new Map(await Promise.all(fetched.map((get) => get())));
}

/** Elements as WebGPU takes them: reals of 32 bits, in no memory that is shared. */
function hostTensor({ dtype, shape, data }: Tensor): HostTensor {
  const isPlain = !(data instanceof Float64Array) && data.buffer instanceof ArrayBuffer;
  return { shape, data: isPlain ? data : arrays[dtype].from(data) };
}

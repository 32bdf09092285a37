// From a graph to a WGSL program: kernels in order, buffers for what they read and write, and how sizes follow from the shapes of the
// inputs. Everything that depends on a free size is a dimension expression, so a program is compiled once for all sizes.

import type { Atom, Dim, DimVar } from '../../dims/dim.ts';
import { variablesOf } from '../../dims/arithmetic.ts';
import { dimsIn } from '../../ir/attributes.ts';
import type { Graph, Port, Value } from '../../ir/graph.ts';
import { sizeSources, type SizeSource } from '../../ir/sizes.ts';
import type { Tensor } from '../../ir/tensor.ts';
import type { Target } from './adapter.ts';
import { assignSlots, type Slot } from './buffers.ts';
import { emitKernel, type EmittedKernel, type KernelNames } from './emit-kernel.ts';
import { expand } from './expand.ts';
import { tablesOf } from './literals.ts';
import { identifier, uniqueNames } from './names.ts';
import type { Network } from './network.ts';
import { schedule, type Schedule } from './schedule.ts';

export interface WgslProgram {
  readonly name: string;
  /** The free sizes, in the order of the members of `dims`, and where each is found. */
  readonly sizes: readonly { readonly name: string; readonly source: SizeSource }[];
  readonly inputs: readonly ProgramPort[];
  readonly outputs: readonly ProgramPort[];
  /** One buffer each; that of input i is slot i. */
  readonly slots: readonly Slot[];
  /** What lies in buffers from the start. */
  readonly tables: readonly { readonly slot: number; readonly value: Tensor }[];
  readonly kernels: readonly ProgramKernel[];
}

export interface ProgramPort {
  readonly port: Port;
  readonly slot: number;
}

export interface ProgramKernel extends EmittedKernel {
  /** One a binding. */
  readonly slots: readonly number[];
}

export function emitWgsl(graph: Graph, target: Target = { adapter: 'gpu' }): WgslProgram {
  const expanded = expand(graph);
  const plan = schedule(expanded);
  const sources = sizeSources(graph.inputs);
  const sizes = namedSizes(sources, expanded);
  const names = namesOf(plan.network, sizes);
  const uniqueName = uniqueNames();
  const kernels = plan.kernels.map((kernel) => emitKernel(plan, kernel, names, uniqueName, target));
  return assemble(plan, kernels, sizes);
}

type NamedSize = WgslProgram['sizes'][number];

/** The sizes that the graph mentions anywhere. */
function namedSizes(sources: readonly SizeSource[], graph: Graph): NamedSize[] {
  const mentioned = new Set<unknown>();
  const mention = (dim: Dim): void => variablesOf(dim).forEach((v) => void mentioned.add(v));
  for (const { value } of graph.inputs) value.shape.forEach(mention);
  for (const node of graph.nodes) {
    dimsIn(node.attributes).forEach(mention);
    for (const { shape } of node.outputs) shape.forEach(mention);
  }
  const unique = uniqueNames();
  return sources
    .filter(({ variable }) => mentioned.has(variable))
    .map((source) => ({ name: unique(source.variable.name), source }));
}

function namesOf(network: Network, sizes: readonly NamedSize[]): KernelNames {
  const ports = new Map<Value, string>();
  for (const { name, value } of network.graph.outputs) ports.set(network.baseOf(value), name);
  for (const { name, value } of network.graph.inputs) ports.set(value, name);
  const bySize = new Map<DimVar, string>(sizes.map(({ name, source }) => [source.variable, name]));
  return {
    ofValue(value) {
      const port = ports.get(value);
      if (port !== undefined) return identifier(port);
      const node = network.producerOf(value);
      return identifier(
        [node?.origin.path ?? '', node?.op ?? 'x'].filter((s) => s !== '').join('_'),
      );
    },
    ofSize(size: Atom) {
      const name = size.kind === 'variable' ? bySize.get(size) : undefined;
      if (name === undefined)
        throw new Error(
          `no input determines the size ${size.kind === 'variable' ? size.name : '?'}`,
        );
      return name;
    },
    sizes: sizes.map(({ name }) => name),
  };
}

function assemble(
  { network, bufferOf }: Schedule,
  kernels: readonly EmittedKernel[],
  sizes: readonly NamedSize[],
): WgslProgram {
  const { graph } = network;
  const tables = tablesOf(network, kernels);
  const { slots, slotOf } = assignSlots(network, kernels, [...tables.keys()], bufferOf);
  return {
    name: graph.name,
    sizes,
    inputs: graph.inputs.map((port, slot) => ({ port, slot })),
    outputs: graph.outputs.map((port) => ({ port, slot: slotOf(network.baseOf(port.value)) })),
    slots,
    tables: [...tables].map(([value, tensor]) => ({ slot: slotOf(value), value: tensor })),
    kernels: kernels.map((kernel) => ({
      ...kernel,
      slots: kernel.buffers.map(({ value }) => slotOf(value)),
    })),
  };
}

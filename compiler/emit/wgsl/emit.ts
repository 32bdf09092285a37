// From a graph to a WGSL program: kernels in order, buffers for what they read and write, and how sizes follow from the shapes of the
// inputs. Everything that depends on a free size is a dimension expression, so a program is compiled once for all sizes.

import type { Atom, Dim, DimVar } from '../../dims/dim.ts';
import { variablesOf } from '../../dims/arithmetic.ts';
import { dimsIn } from '../../ir/attributes.ts';
import type { Graph, Node, Port, Value } from '../../ir/graph.ts';
import { sizeSources, type SizeSource } from '../../ir/sizes.ts';
import type { Tensor } from '../../ir/tensor.ts';
import type { Target } from './adapter.ts';
import { assignSlots, type Slot } from './buffers.ts';
import type { EmittedKernel, KernelNames } from './emit-kernel.ts';
import { expand } from './expand.ts';
import { halvesOf } from './halves.ts';
import { loopAttributes, loopOp } from './loop-ports.ts';
import { identifier, uniqueNames } from './names.ts';
import { uniformValue, type Network } from './network.ts';
import { schedule } from './schedule.ts';
import { emitSteps, kernelsOf, type Emission, type Step } from './steps.ts';

export interface WgslProgram {
  readonly name: string;
  /** What was scheduled: the graph, its composites expanded. */
  readonly graph: Graph;
  /** The free sizes, in the order of the members of `dims`, and where each is found. */
  readonly sizes: readonly { readonly name: string; readonly source: SizeSource }[];
  readonly inputs: readonly ProgramPort[];
  readonly outputs: readonly ProgramPort[];
  /** One buffer each; that of input i is slot i. */
  readonly slots: readonly Slot[];
  /** What lies in buffers from the start. */
  readonly tables: readonly { readonly slot: number; readonly value: Tensor }[];
  readonly kernels: readonly ProgramKernel[];
  readonly steps: readonly ProgramStep[];
  /** The values of the graph that lie in half precision wherever they lie in a buffer (halves.ts). */
  readonly halves: ReadonlySet<Value>;
}

export interface ProgramPort {
  readonly port: Port;
  readonly slot: number;
}

export interface ProgramKernel extends EmittedKernel {
  /** One a binding. */
  readonly slots: readonly number[];
}

/** Runs a kernel, or a list of steps over and over. */
export type ProgramStep =
  { readonly kernel: number } | { readonly count: Dim; readonly steps: readonly ProgramStep[] };

/** `halfInputs`: the inputs that the caller gives in half precision, by name, where the target has it. */
export function emitWgsl(
  graph: Graph,
  target: Target = { adapter: 'gpu' },
  halfInputs: ReadonlySet<string> = new Set(),
): WgslProgram {
  const expanded = expand(graph);
  const sources = sizeSources(graph.inputs);
  const sizes = namedSizes(sources, expanded);
  const plan = schedule(expanded, target);
  const halves = target.precision === 'f16' ? halvesOf(plan.network, halfInputs) : new Set<Value>();
  const emission = emitSteps(
    plan,
    (network, holderOf) => ({
      ...namesOf(network, sizes, holderOf, plan.network),
      storedAs: (value) => (halves.has(holderOf(value)) ? 'f16' : value.dtype),
    }),
    uniqueNames(),
    target,
  );
  return assemble(plan.network, emission, sizes, halves);
}

type NamedSize = WgslProgram['sizes'][number];

/** The sizes that the graph mentions anywhere. */
function namedSizes(sources: readonly SizeSource[], graph: Graph): NamedSize[] {
  const mentioned = new Set<unknown>();
  const mention = (dim: Dim): void => variablesOf(dim).forEach((v) => void mentioned.add(v));
  for (const { value } of graph.inputs) value.shape.forEach(mention);
  const mentionAll = ({ nodes }: Graph): void => {
    for (const node of nodes) {
      dimsIn(node.attributes).forEach(mention);
      for (const { shape } of node.outputs) shape.forEach(mention);
      if (node.op === loopOp) mentionAll(loopAttributes(node).body);
    }
  };
  mentionAll(graph);
  const unique = uniqueNames();
  return sources
    .filter(({ variable }) => mentioned.has(variable))
    .map((source) => ({ name: unique(source.variable.name), source }));
}

function namesOf(
  network: Network,
  sizes: readonly NamedSize[],
  holderOf: (value: Value) => Value,
  whole: Network,
): Omit<KernelNames, 'storedAs'> {
  const ports = new Map<Value, string>();
  for (const { name, value } of whole.graph.outputs) ports.set(holderOf(whole.baseOf(value)), name);
  for (const { name, value } of whole.graph.inputs) ports.set(value, name);
  const bySize = new Map<DimVar, string>(sizes.map(({ name, source }) => [source.variable, name]));
  const producerOf = (value: Value): Node | undefined =>
    network.producerOf(value) ?? whole.producerOf(value);
  return {
    ofValue(value) {
      const holder = holderOf(value);
      const port = ports.get(holder);
      if (port !== undefined) return identifier(port);
      const node = producerOf(holder) ?? producerOf(value);
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
  network: Network,
  { steps, holderOf, literals }: Emission,
  sizes: readonly NamedSize[],
  halves: ReadonlySet<Value>,
): WgslProgram {
  const { graph } = network;
  const kernels = kernelsOf(steps);
  const outputs = graph.outputs.map(({ value }) => holderOf(network.baseOf(value)));
  const read = kernels.flatMap(({ buffers }) => buffers.map(({ value }) => holderOf(value)));
  const tables = [...new Set([...read, ...outputs])].flatMap((value) => {
    const tensor = literals(value);
    return tensor !== null && uniformValue(tensor) === null ? [{ value, tensor }] : [];
  });
  const own = [...graph.inputs, ...tables].map(({ value }) => value);
  const { slots, slotOf } = assignSlots(steps, [...own, ...outputs], holderOf, halves);
  const numbered = (step: Step): ProgramStep =>
    step.kind === 'kernel'
      ? { kernel: kernels.indexOf(step.kernel) }
      : { count: step.count, steps: step.steps.map(numbered) };
  return {
    name: graph.name,
    graph,
    sizes,
    inputs: graph.inputs.map((port, slot) => ({ port, slot })),
    outputs: graph.outputs.map((port, i) => ({ port, slot: slotOf(outputs[i]) })),
    slots,
    tables: tables.map(({ value, tensor }) => ({ slot: slotOf(value), value: tensor })),
    kernels: kernels.map((kernel) => ({
      ...kernel,
      slots: kernel.buffers.map(({ value }) => slotOf(value)),
    })),
    steps: steps.map(numbered),
    halves,
  };
}

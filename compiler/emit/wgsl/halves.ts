// Half precision: which values of a program lie in memory as f16, two bytes each. In registers and in the memory of workgroups all is f32: a
// kernel widens what it reads, and rounds what it writes.
//
// Reals that some kernels make and others read are halved, where they come from what callers give or from parameters, and so are
// parameters that nothing in the module trains. What stays whole:
//
// - data that goes in, and what comes out: callers have Float32Array; tables;
// - what is reduced, and what maps make of that alone: the maximum and the total of a row, the parts of a long sum;
// - what maps make of integers and literals alone: a position of 2049 is no half, and a draw just below 1 would be 1;
// - what loops carry and make;
// - a graph that learns, all of it. Gradients would come to 0 unless the loss were scaled up, which DLG does not do.

import { isConstant } from '../../dims/arithmetic.ts';
import type { Value } from '../../ir/graph.ts';
import type { CompiledProgram } from '../../program.ts';
import type { Target } from './adapter.ts';
import { expand } from './expand.ts';
import { isHeld } from './held.ts';
import { sizeOf } from './indices.ts';
import { loopAttributes, loopOp } from './loop-ports.ts';
import { createNetwork, loweringOf, type Network } from './network.ts';

/** Those of the values of a graph as it is scheduled, wherever they have a buffer of their own; of its inputs the ones with these names. */
export function halvesOf(network: Network, inputs: ReadonlySet<string>): ReadonlySet<Value> {
  const { graph } = network;
  const halves = new Set<Value>();
  if (graph.outputs.some(isHeld)) return halves;
  const whole = wholeOf(network);
  /** What comes from reals that were given. */
  const given = new Set<Value>();
  for (const { name, value } of graph.inputs) {
    if (value.dtype === 'f32') given.add(value);
    if (inputs.has(name)) halves.add(value);
  }
  for (const node of graph.nodes) {
    const lowering = loweringOf(node);
    const isOneOf = (values: ReadonlySet<Value>): boolean => node.inputs.some((x) => values.has(x));
    const isView = lowering.kind === 'map' && lowering.cost === 'free';
    const reals = node.outputs.filter(({ dtype }) => dtype === 'f32');
    if (lowering.kind === 'loop') reals.forEach((value) => given.add(value));
    if ((lowering.kind !== 'map' && lowering.kind !== 'contract') || !isOneOf(given)) continue;
    for (const value of reals) {
      given.add(value);
      if (!whole.has(value) && (!isView || isOneOf(halves))) halves.add(value);
    }
  }
  return halves;
}

/** What a graph gives its caller, and where its loops begin, in whose buffers they go on. */
function wholeOf({ graph, baseOf }: Network): ReadonlySet<Value> {
  const carried = graph.nodes
    .filter(({ op }) => op === loopOp)
    .flatMap((node) => node.inputs.filter((_, i) => loopAttributes(node).becomes.includes(i)));
  const outputs = graph.outputs.map(({ value }) => value);
  return new Set([...outputs, ...carried].map(baseOf));
}

/**
 * The parameters, by path, that a module has in half precision: where nothing learns, and of a number of elements that fills words of four
 * bytes, of which files of weights are read.
 */
export function halfParameters(
  { functions, trains }: CompiledProgram,
  { precision }: Target,
): ReadonlySet<string> {
  const halved = new Set<string>();
  if (precision !== 'f16' || trains.length > 0) return halved;
  const networks = functions.map((f) => createNetwork(expand(f.graph)));
  for (const { graph } of networks)
    for (const { name, role, value } of graph.inputs)
      if (role === 'parameter' && value.dtype === 'f32' && isEven(value)) halved.add(name);
  // A parameter that is a result as it stands lies where the result does.
  for (const { graph, baseOf } of networks) {
    const results = new Set(graph.outputs.map(({ value }) => baseOf(value)));
    for (const { name, value } of graph.inputs) if (results.has(value)) halved.delete(name);
  }
  return halved;
}

const isEven = ({ shape }: Value): boolean => (isConstant(sizeOf(shape)) ?? 1) % 2 === 0;

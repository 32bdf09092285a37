// The reference interpreter: evaluates a graph node by node with the records' own evaluations, in float32 as the targets
// compute or in float64 as the measure of both. The `interpreter` executor and every test of a pass run on it.

import type { Graph, Value } from './graph.ts';
import { opNamed } from './registry.ts';
import type { SizeOf } from './sizes.ts';
import { bindSizes } from './sizes.ts';
import type { Precision, Tensor } from './tensor.ts';
import { allocate, tensor } from './tensor.ts';

/** Tensors by port name. */
export type Feeds = Readonly<Record<string, Tensor>>;

export interface InterpretOptions {
  /** How reals are held; default `f32`. */
  readonly precision?: Precision;
}

/**
 * The outputs of `graph` for `feeds`, one tensor an input port. Free sizes are bound from the feeds' shapes. Throws an
 * Error that names the input where a feed is missing or does not fit.
 */
export function interpret(
  graph: Graph,
  feeds: Feeds,
  { precision = 'f32' }: InterpretOptions = {},
): Record<string, Tensor> {
  const sizeOf = checkedSizes(graph, feeds);
  const inputs = graph.inputs.map(({ name }) => inPrecision(feeds[name], precision));
  const results = runGraph(graph, inputs, { sizeOf, precision });
  return Object.fromEntries(graph.outputs.map(({ name }, i) => [name, results[i]]));
}

interface Conditions {
  readonly sizeOf: SizeOf;
  readonly precision: Precision;
}

/** The outputs of a graph, which may be a body: its sizes are those of the graph around it. */
function runGraph(
  graph: Graph,
  inputs: readonly Tensor[],
  conditions: Conditions,
): readonly Tensor[] {
  const { sizeOf, precision } = conditions;
  const uses = new Map(usesOf(graph));
  const held = new Map<Value, Tensor>();
  graph.inputs.forEach(({ value }, i) => held.set(value, inputs[i]));
  const read = (value: Value): Tensor => {
    const found = held.get(value);
    if (found === undefined) throw new Error(`value ${value.id} is read before it is computed`);
    return found;
  };
  for (const node of graph.nodes) {
    const results = opNamed(node.op).evaluate({
      inputs: node.inputs.map(read),
      attributes: node.attributes,
      outputs: node.outputs.map(({ dtype, shape }) => ({ dtype, shape: shape.map(sizeOf) })),
      precision,
      allocate: (dtype, size) => allocate(dtype, size, precision),
      dim: sizeOf,
      run: (body, operands) => runGraph(body, operands, conditions),
    });
    node.outputs.forEach((value, i) => held.set(value, results[i]));
    for (const value of [...node.inputs, ...node.outputs]) release(value, uses, held, node.inputs);
  }
  return graph.outputs.map(({ value }) => read(value));
}

function checkedSizes(graph: Graph, feeds: Feeds): SizeOf {
  for (const { name, value } of graph.inputs) {
    const dtype = feeds[name]?.dtype;
    if (dtype !== undefined && dtype !== value.dtype)
      throw new Error(`input ${name} is ${dtype}, but ${value.dtype} is expected`);
  }
  const shapes = new Map(Object.entries(feeds).map(([name, { shape }]) => [name, shape]));
  const given = graph.inputs.flatMap(({ name, role }): [string, number][] =>
    role === 'size' && name in feeds ? [[name, feeds[name].data[0]]] : [],
  );
  const sizes = bindSizes(graph.inputs, shapes, new Map(given));
  if (typeof sizes === 'string') throw new Error(sizes);
  return sizes;
}

/** Reads left of each value, an output port counting as one that never comes. */
function countUses(graph: Graph): ReadonlyMap<Value, number> {
  const uses = new Map<Value, number>();
  const count = (value: Value): unknown => uses.set(value, (uses.get(value) ?? 0) + 1);
  for (const node of graph.nodes) node.inputs.forEach(count);
  for (const port of graph.outputs) count(port.value);
  return uses;
}

/** A body runs many times. */
const counted = new WeakMap<Graph, ReadonlyMap<Value, number>>();

function usesOf(graph: Graph): ReadonlyMap<Value, number> {
  const uses = counted.get(graph) ?? countUses(graph);
  counted.set(graph, uses);
  return uses;
}

/** Drops a value's tensor after its last read, so that a long graph needs no more memory than what is alive. */
function release(
  value: Value,
  uses: Map<Value, number>,
  held: Map<Value, Tensor>,
  reads: readonly Value[],
): void {
  const left = (uses.get(value) ?? 0) - (reads.includes(value) ? 1 : 0);
  uses.set(value, left);
  if (left <= 0) held.delete(value);
}

/** The same tensor with its reals held as `precision` says. */
function inPrecision(given: Tensor, precision: Precision): Tensor {
  const right = precision === 'f64' ? Float64Array : Float32Array;
  if (given.dtype !== 'f32' || given.data instanceof right) return given;
  return tensor('f32', given.shape, given.data, precision);
}

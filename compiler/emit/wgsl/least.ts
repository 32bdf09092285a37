// The least that a program can pass through memory while each of its contractions is a kernel: every contraction reads its operands once and
// writes its result once, every other input is read once and every other output written once. Whatever lies between, element by
// element or reduced along the way, is taken to be computed where it is needed and to pass through memory not at all. No schedule
// that stores what each contraction gives moves less; what a real one moves beyond it is what it keeps for later, and what its reductions
// read. One in which contractions share a kernel, as those of attention do (stream.ts), or in which a pool takes what a convolution gives
// before it is stored (product-windows.ts), may move less.

import type { Graph, Value } from '../../ir/graph.ts';
import { sizeOf } from './indices.ts';
import { loopAttributes, loopOp } from './loop-ports.ts';
import { createNetwork, loweringOf, uniformValue, type Network } from './network.ts';
import { bytesOf, needsOf, total, type Measure } from './work.ts';

/** Bytes for a graph as it is scheduled, with some of its values in half precision. */
export function leastBytes(graph: Graph, halves: ReadonlySet<Value>, measure: Measure): number {
  const network = createNetwork(graph);
  const sizes = createSizes(halves, measure);
  const { bytes, read, written } = contractionsOf(network, sizes);
  const outputs = new Set(
    graph.outputs
      .map(({ value }) => network.baseOf(value))
      .filter((value) => isMade(network, value)),
  );
  const needs = needsOf(graph.nodes, [...outputs], measure);
  const inputs = graph.inputs.map(({ value }) => value);
  return (
    bytes +
    total(inputs.filter((x) => !read.has(x)).map((x) => bytesOf(halves, x, needs.get(x) ?? 0))) +
    total([...outputs].filter((y) => !written.has(y)).map(sizes.of))
  );
}

interface Sizes {
  readonly halves: ReadonlySet<Value>;
  readonly measure: Measure;
  /** The bytes of a value. */
  readonly of: (value: Value) => number;
}

const createSizes = (halves: ReadonlySet<Value>, measure: Measure): Sizes => ({
  halves,
  measure,
  of: (value) => bytesOf(halves, value, measure(sizeOf(value.shape))),
});

/** Whether a kernel makes the value: not one that is an input as it is, or a literal that lies in a buffer from the start. */
function isMade(network: Network, value: Value): boolean {
  const literal = network.literalOf(value);
  return literal === null ? !network.isInput(value) : uniformValue(literal) !== null;
}

interface Contractions {
  /** What they read and write. */
  readonly bytes: number;
  /** What contractions read. */
  readonly read: ReadonlySet<Value>;
  /** Their results. */
  readonly written: ReadonlySet<Value>;
}

function contractionsOf(network: Network, sizes: Sizes): Contractions {
  const { graph } = network;
  const cuts = createCuts(network, sizes);
  const isLater = neededLater(network);
  const read = new Set<Value>();
  const written = new Set<Value>();
  let bytes = 0;
  for (const node of graph.nodes) {
    if (node.op === loopOp) {
      const { body, count } = loopAttributes(node);
      const { halves, measure } = sizes;
      const halfInputs = body.inputs.filter((_, i) => halves.has(network.baseOf(node.inputs[i])));
      const ofBody = createSizes(new Set(halfInputs.map(({ value }) => value)), measure);
      const inner = contractionsOf(createNetwork(body, true), ofBody);
      bytes += measure(count) * inner.bytes;
      body.inputs.forEach(({ value }, i) => {
        if (inner.read.has(value)) read.add(network.baseOf(node.inputs[i]));
      });
    }
    if (loweringOf(node).kind !== 'contract') continue;
    const operands = cuts.of(node.inputs);
    operands.forEach((value) => read.add(value));
    bytes += cuts.size(operands);
    for (const value of node.outputs.filter(isLater)) {
      written.add(value);
      bytes += sizes.of(value);
    }
  }
  return { bytes, read, written };
}

/** The fewest bytes from which values can be computed by maps: their own, or those of what they are computed from. */
function createCuts(network: Network, sizes: Sizes) {
  const known = new Map<Value, ReadonlySet<Value>>();
  const size = (values: ReadonlySet<Value>): number => total([...values].map(sizes.of));
  const all = (values: readonly Value[]): ReadonlySet<Value> =>
    new Set(values.flatMap((value) => [...of(value)]));
  const find = (value: Value): ReadonlySet<Value> => {
    const itself = new Set([value]);
    const node = network.producerOf(value);
    const literal = network.literalOf(value);
    if (literal !== null && uniformValue(literal) !== null) return new Set();
    if (node === undefined || loweringOf(node).kind !== 'map') return itself;
    const operands = all(node.inputs);
    return size(operands) <= size(itself) ? operands : itself;
  };
  const of = (value: Value): ReadonlySet<Value> => {
    const found = known.get(value) ?? find(value);
    known.set(value, found);
    return found;
  };
  return { of: all, size };
}

/** Whether a value leaves the graph as it is, or something other than a map needs it, by maps or at once. */
function neededLater(network: Network): (value: Value) => boolean {
  const outputs = new Set<Value>(network.graph.outputs.map(({ value }) => network.baseOf(value)));
  const later = new Set<Value>();
  for (const node of network.graph.nodes.toReversed())
    if (loweringOf(node).kind !== 'map' || node.outputs.some((value) => later.has(value)))
      node.inputs.forEach((value) => later.add(value));
  return (value) => later.has(value) || outputs.has(value);
}

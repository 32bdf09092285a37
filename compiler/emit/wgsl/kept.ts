// Which values get a buffer before kernels are merged: what leaves the graph, what is folded, and what several readers share and is
// not worth computing again for each.

import { equal } from '../../dims/arithmetic.ts';
import type { Node, Value } from '../../ir/graph.ts';
import { product } from '../../ir/shape-arithmetic.ts';
import { loweringOf, uniformValue, type Network } from './network.ts';

/** In topological order; those of `forced` among them. */
export function chooseKept(network: Network, forced: ReadonlySet<Value>): ReadonlySet<Value> {
  const kept = new Set<Value>();
  const costs = createCosts(network, kept);
  const isComputed = (value: Value): boolean =>
    !network.isInput(value) && network.literalOf(value) === null;
  const needed = new Set<Value>(forced);
  const need = (value: Value): void => {
    const base = network.baseOf(value);
    if (isComputed(base) || isUniform(network, base)) needed.add(base);
  };
  for (const { value } of network.graph.outputs) need(value);
  for (const node of network.graph.nodes) {
    const lowering = loweringOf(node);
    if (lowering.kind === 'loop') node.inputs.forEach(need);
    if (lowering.kind === 'map' && lowering.cost === 'whole')
      node.inputs.filter((x) => costs.of(x) > 0).forEach(need);
  }
  for (const node of network.graph.nodes) {
    const { kind } = loweringOf(node);
    for (const value of node.outputs) {
      const isFold = kind === 'reduce' || kind === 'contract' || kind === 'loop';
      const isWhole = costs.isWhole(node);
      const isAlive = network.usersOf(value).length > 0 || needed.has(value);
      if (!isAlive) continue;
      if (isFold || isWhole || needed.has(value) || isShared(network, costs, value))
        kept.add(value);
    }
  }
  return kept;
}

const isUniform = (network: Network, value: Value): boolean => {
  const literal = network.literalOf(value);
  return literal !== null && uniformValue(literal) !== null;
};

/** The most that is computed anew for each reader: two instructions on one element of a buffer. */
const cheap = { instructions: 2, sources: 1 };

function isShared(network: Network, costs: Costs, value: Value): boolean {
  const node = network.producerOf(value);
  if (node === undefined || loweringOf(node).kind !== 'map' || isView(node)) return false;
  const readers = readersOf(network, value);
  if (readers.length === 0) return false;
  const isCheap =
    costs.of(value) <= cheap.instructions && costs.sourcesOf(value).size <= cheap.sources;
  if (isCheap) return false;
  return readers.length > 1 || readers.some((reader) => repeats(value, reader));
}

const isView = (node: Node): boolean => {
  const lowering = loweringOf(node);
  return lowering.kind === 'map' && lowering.cost === 'free';
};

/** The nodes that compute with the elements, views looked through. */
function readersOf(network: Network, value: Value): Node[] {
  const found = new Set<Node>();
  const visit = (of: Value): void => {
    for (const user of network.usersOf(of)) {
      if (isView(user) && !isGrowing(user, of)) user.outputs.forEach(visit);
      else found.add(user);
    }
  };
  visit(value);
  return [...found];
}

/** Whether the reader reads an element more than once: a contraction, or a view that repeats elements. */
function repeats(value: Value, reader: Node): boolean {
  const { kind } = loweringOf(reader);
  return kind === 'contract' || isGrowing(reader, value) || 'window' in reader.attributes;
}

const repeating = new Set(['broadcast_in_dim', 'unfold', 'take']);

/** Whether a view gives more elements than it views. */
const isGrowing = (node: Node, x: Value): boolean =>
  repeating.has(node.op) && !equal(product(x.shape), product(node.outputs[0].shape));

interface Costs {
  /** Instructions for an element, all that is not kept before it included. */
  readonly of: (value: Value) => number;
  /** The buffers read for it. */
  readonly sourcesOf: (value: Value) => ReadonlySet<Value>;
  /** Whether an element takes a loop over a whole operand. */
  readonly isWhole: (node: Node) => boolean;
}

const instructions = { free: 0, cheap: 1, dear: 10, whole: 1000 } as const;
const noSources: ReadonlySet<Value> = new Set();

/** Follows `kept` as it grows; values are asked for in topological order. */
function createCosts(network: Network, kept: ReadonlySet<Value>): Costs {
  const known = new Map<Value, { cost: number; sources: ReadonlySet<Value> }>();
  const find = (value: Value): { cost: number; sources: ReadonlySet<Value> } => {
    if (kept.has(value) || network.isInput(value)) return { cost: 0, sources: new Set([value]) };
    const found = known.get(value);
    if (found !== undefined) return found;
    const node = network.producerOf(value);
    const lowering = node === undefined ? null : loweringOf(node);
    if (node === undefined || lowering?.kind !== 'map')
      return { cost: 0, sources: isUniform(network, value) ? noSources : new Set([value]) };
    const operands = node.inputs.map(find);
    const cost = operands.reduce<number>((sum, x) => sum + x.cost, instructions[lowering.cost]);
    const result = { cost, sources: new Set(operands.flatMap((x) => [...x.sources])) };
    known.set(value, result);
    return result;
  };
  return {
    of: (value) => find(value).cost,
    sourcesOf: (value) => find(value).sources,
    isWhole(node) {
      const lowering = loweringOf(node);
      return lowering.kind === 'map' && lowering.cost === 'whole';
    },
  };
}

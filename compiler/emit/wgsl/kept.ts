// Which values get a buffer before kernels are merged: what leaves the graph, what is folded, and what several readers share and is
// not worth computing again for each.

import {
  constant,
  equal,
  exactDivide,
  multiply,
  one,
  subtract,
  surelyNonNegative,
} from '../../dims/arithmetic.ts';
import type { Node, Value } from '../../ir/graph.ts';
import { product } from '../../ir/shape-arithmetic.ts';
import type { AdapterClass, Target } from './adapter.ts';
import type { Cost } from './lowering.ts';
import { loweringOf, uniformValue, type Network } from './network.ts';
import type { Streams } from './streams.ts';

/** In topological order; those of `forced` among them. What is inside a stream has no buffer. */
export function chooseKept(
  network: Network,
  forced: ReadonlySet<Value>,
  isInside: Streams['isInside'],
  { adapter }: Target,
): ReadonlySet<Value> {
  const kept = new Set<Value>();
  const costs = createCosts(network, kept);
  const alone = createCosts(network, new Set());
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
      node.inputs.filter((x) => alone.of(x).instructions > 0).forEach(need);
  }
  for (const node of network.graph.nodes) {
    const { kind } = loweringOf(node);
    for (const value of node.outputs) {
      const isFold = kind === 'reduce' || kind === 'contract' || kind === 'loop';
      const isWhole = costs.isWhole(node);
      const isAlive = network.usersOf(value).length > 0 || needed.has(value);
      if (!isAlive || isInside(value)) continue;
      if (isFold || isWhole || needed.has(value) || isShared(network, costs, value, adapter))
        kept.add(value);
    }
  }
  return kept;
}

const isUniform = (network: Network, value: Value): boolean => {
  const literal = network.literalOf(value);
  return literal !== null && uniformValue(literal) !== null;
};

/**
 * The most that is computed anew from a buffer of as many elements: for a reader that takes an element many times, as a product does, and
 * for one that takes it once, where the way through memory would cost more. From buffers of half as many elements together, a reader that
 * takes an element many times may do more on a GPU: it moves less each time. On a software adapter two loads take twice the time of one.
 */
const affordable = { often: 2, oftenFromFewer: 4, once: 24 };

function isShared(network: Network, costs: Costs, value: Value, adapter: AdapterClass): boolean {
  const node = network.producerOf(value);
  if (node === undefined || loweringOf(node).kind !== 'map') return false;
  const readers = readersOf(network, value);
  const isRepeated = readers.some((reader) => repeats(value, reader));
  if (isView(node)) return isRepeated && node.op === joining;
  if (readers.length === 0 || (readers.length === 1 && !isRepeated)) return false;
  const { instructions: cost, sources, nodes } = costs.of(value);
  const [source, ...more] = [...sources].filter((x) => !isSmaller(x, value));
  const isFromFewer = adapter === 'gpu' && areHalf(sources, value);
  const often = isFromFewer ? affordable.oftenFromFewer : affordable.often;
  if (cost > (isRepeated ? often : affordable.once) || more.length > 0) return true;
  // What all else is computed from is stored in its stead.
  return source !== undefined && !network.isInput(source) && isOnlyFor(network, source, nodes);
}

/** Whether a value has surely fewer elements than another, so that reading it anew costs little. */
function isSmaller({ shape }: Value, than: Value): boolean {
  const [size, larger] = [product(shape), product(than.shape)];
  const times = exactDivide(larger, size);
  if (times !== null) return !equal(times, one);
  return surelyNonNegative(subtract(subtract(larger, size), one));
}

/** Whether values have surely at most half as many elements as another, all together. */
function areHalf(values: ReadonlySet<Value>, { shape }: Value): boolean {
  const twice = [...values].map((x) => multiply(constant(2), product(x.shape)));
  return surelyNonNegative(twice.reduce(subtract, product(shape)));
}

/** Whether nothing reads a source but these nodes, of which nothing is read by others but the result of the last. */
function isOnlyFor(network: Network, source: Value, nodes: ReadonlySet<Node>): boolean {
  const inside = [...nodes].slice(0, -1).flatMap(({ outputs }) => outputs);
  return [source, ...inside].every((value) =>
    network.usersOf(value).every((user) => nodes.has(user)),
  );
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

/** The view whose elements lie in several buffers: a product would find out anew, each time it takes one, in which. */
const joining = 'concatenate';

const repeating = new Set(['broadcast_in_dim', 'unfold', 'take']);

/** Whether a view gives more elements than it views. */
const isGrowing = (node: Node, x: Value): boolean =>
  repeating.has(node.op) && !equal(product(x.shape), product(node.outputs[0].shape));

interface Costs {
  readonly of: (value: Value) => Price;
  /** Whether an element takes a loop over a whole operand. */
  readonly isWhole: (node: Node) => boolean;
}

/** What an element takes, all that is not kept before it included. */
interface Price {
  readonly instructions: number;
  /** The buffers read for it. */
  readonly sources: ReadonlySet<Value>;
  /** What is computed, in order. */
  readonly nodes: ReadonlySet<Node>;
}

const instructions: Readonly<Record<Cost, number>> = {
  free: 0,
  cheap: 1,
  dear: 10,
  long: 100,
  whole: 1000,
};

/** Follows `kept` as it grows; values are asked for in topological order. */
function createCosts(network: Network, kept: ReadonlySet<Value>): Costs {
  const known = new Map<Value, Price>();
  const find = (value: Value): Price => {
    const read = { instructions: 0, sources: new Set([value]), nodes: new Set<Node>() };
    if (kept.has(value) || network.isInput(value)) return read;
    const found = known.get(value);
    if (found !== undefined) return found;
    const node = network.producerOf(value);
    if (node === undefined || loweringOf(node).kind !== 'map')
      return isUniform(network, value) ? { ...read, sources: new Set() } : read;
    const operands = node.inputs.map(find);
    const nodes = new Set([...operands.flatMap((x) => [...x.nodes]), node]);
    const result = {
      instructions: [...nodes].reduce((sum, of) => sum + instructionsOf(of), 0),
      sources: new Set(operands.flatMap(({ sources }) => [...sources])),
      nodes,
    };
    known.set(value, result);
    return result;
  };
  return {
    of: find,
    isWhole(node) {
      const lowering = loweringOf(node);
      return lowering.kind === 'map' && lowering.cost === 'whole';
    },
  };
}

/** Simple arithmetic on a scalar, the same for every element, counts for nothing. */
function instructionsOf(node: Node): number {
  const lowering = loweringOf(node);
  if (lowering.kind !== 'map') return 0;
  const { cost } = lowering;
  const isScalar = equal(product(node.outputs[0].shape), one);
  if (isScalar && cost === 'cheap') return 0;
  return instructions[typeof cost === 'function' ? cost(node.attributes) : cost];
}

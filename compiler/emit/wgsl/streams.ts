// Finds the streams of a graph (stream.ts): products whose result is larger than both factors, that lie inside a softmax, and that only
// maps, and folds along rows or along keys, read. Everything between such a product and the folds is computed again in every kernel
// that folds it. Where anything else reads it, it is stored as any product.

import * as dims from '../../dims/arithmetic.ts';
import type { Node, Value } from '../../ir/graph.ts';
import { sizeOf } from './indices.ts';
import type { Target } from './adapter.ts';
import type { Kernel } from './kernel.ts';
import { loweringOf, productOf, type Network } from './network.ts';
import { likely } from './stream-layout.ts';
import { foldOf, isHeld, type FoundFold } from './stream-folds.ts';
import { kernelOfStream, mayJoin, softmaxStream, sumsRatio, unionOf } from './stream-groups.ts';
import { softmaxOf } from './stream-softmax.ts';
import type { Stream } from './stream.ts';

export interface Streams {
  /** Whether a value is computed again wherever it is read, and never stored. */
  readonly isInside: (value: Value) => boolean;
  /** The kernel that folds a stream into the value. */
  readonly kernelOf: (value: Value) => Kernel | null;
}

/** What of the graph is inside streams, and who folds it. */
interface Region {
  /** Values inside, and the products they come from. */
  readonly inside: ReadonlyMap<Value, ReadonlySet<Value>>;
  readonly folds: readonly FoundFold[];
  /** Products that must be stored: something that is no fold reads them. */
  readonly stored: ReadonlySet<Value>;
}

/** What turned out to need more buffers than a kernel has. */
export interface TooWide {
  /** Products that are to be stored. */
  readonly products: ReadonlySet<Value>;
  /** Folds that are to have kernels of their own. */
  readonly folds: ReadonlySet<Value>;
}

export function findStreams(network: Network, target: Target, tooWide: TooWide): Streams {
  const candidates = new Set(
    network.graph.nodes
      .filter(
        (node) =>
          isShortProduct(node) &&
          (target.streams === 'everywhere' || isLarge(node)) &&
          !tooWide.products.has(node.outputs[0]),
      )
      .map(({ outputs: [value] }) => value),
  );
  if (target.streams === 'nowhere') candidates.clear();
  for (;;) {
    const region = regionOf(network, candidates);
    const streams = streamsOf(network, region, tooWide);
    const dropped = [
      region.stored,
      outsideSoftmax(network, region),
      notWorthwhile(streams, target),
    ];
    const first = dropped.find(({ size }) => size > 0);
    if (first === undefined) return namedStreams(region, streams);
    first.forEach((value) => candidates.delete(value));
  }
}

/** Whether it is a product of rows and columns whose terms an invocation can hold. */
function isShortProduct(node: Node): boolean {
  const product = productOf(node);
  if (product === null || node.op !== 'dot_general' || node.outputs[0].dtype !== 'f32')
    return false;
  const sides = [product.rows, product.columns].map(sizeOf);
  return isHeld(product.sum) && sides.every((side) => dims.isConstant(side) !== 1);
}

/** Whether the result takes no less memory than the factors, or may take more than any bound. */
function isLarge(node: Node): boolean {
  const product = productOf(node);
  if (product === null) return false;
  const { rows, columns, sum } = product;
  if ([rows, columns].every((side) => dims.isConstant(sizeOf(side)) === null)) return true;
  const [down, across, depth] = [rows, columns, sum].map(likely);
  return down * across >= (down + across) * depth;
}

function regionOf(network: Network, candidates: ReadonlySet<Value>): Region {
  const inside = new Map<Value, ReadonlySet<Value>>();
  const stored = new Set<Value>();
  const folds: FoundFold[] = [];
  const isInside = (value: Value): boolean => inside.has(value);
  const store = (products: ReadonlySet<Value>): void => products.forEach((x) => stored.add(x));
  for (const node of network.graph.nodes) {
    const before = new Set(node.inputs.flatMap((value) => [...(inside.get(value) ?? [])]));
    const [value] = node.outputs;
    const lowering = loweringOf(node);
    if (before.size === 0) {
      if (candidates.has(value)) inside.set(value, new Set([value]));
    } else if (lowering.kind === 'map' && lowering.cost !== 'whole')
      node.outputs.forEach((output) => inside.set(output, before));
    else {
      const fold = foldOf(network, node, isInside);
      if (fold === null) store(before);
      else folds.push(fold);
    }
  }
  const results = network.graph.outputs.map(({ value }) => network.baseOf(value));
  for (const value of results) store(inside.get(value) ?? new Set());
  return { inside, folds, stored };
}

/** Products that share no fold, not even by way of others, with one that a softmax is taken of. */
function outsideSoftmax(network: Network, { inside, folds }: Region): ReadonlySet<Value> {
  const all = new Set([...inside.values()].flatMap((products) => [...products]));
  const within = new Set<Value>();
  const take = (fold: FoundFold): void => fold.products.forEach(({ value }) => within.add(value));
  folds.filter(({ node }) => softmaxOf(network, node) !== null).forEach(take);
  for (let size = -1; size < within.size;) {
    ({ size } = within);
    folds.filter(({ products }) => products.some(({ value }) => within.has(value))).forEach(take);
  }
  return new Set([...all].filter((value) => !within.has(value)));
}

/** Elements of a product that is stored rather than computed several times where computing is slow: 16 MB. */
const mostStored = 2 ** 22;

/**
 * On the CPU a product that several kernels compute, as those of gradients do, takes more time than to store it: a gradient in all takes
 * twice as long (SwiftShader, 2026-11-24). So it is stored there unless it is large.
 */
function notWorthwhile(streams: readonly Stream[], target: Target): ReadonlySet<Value> {
  const seen = new Set<Value>();
  const again = new Set<Value>();
  if (target.adapter !== 'software' || target.streams === 'everywhere') return again;
  for (const { products } of streams)
    for (const { value } of products) {
      if (seen.has(value) && likely(value.shape) <= mostStored) again.add(value);
      seen.add(value);
    }
  return again;
}

function streamsOf(
  network: Network,
  { inside, folds }: Region,
  tooWide: TooWide,
): readonly Stream[] {
  const isInside = (value: Value): boolean => inside.has(value);
  const left = new Set(folds);
  const streams: Stream[] = [];
  for (const total of folds) {
    const pattern = softmaxOf(network, total.node);
    const maximum = folds.find(({ value }) => value === pattern?.largest);
    if (pattern === null || maximum === undefined) continue;
    const sum = [...left].find((fold) => sumsRatio(network, fold, pattern)) ?? null;
    streams.push(softmaxStream(network, pattern, total, sum, isInside));
    for (const fold of [total, maximum, sum]) if (fold !== null) left.delete(fold);
  }
  for (const fold of left) {
    const alike = [fold];
    const others = tooWide.folds.has(fold.value) ? [] : left;
    for (const other of others)
      if (!tooWide.folds.has(other.value) && mayJoin(network, alike, other)) alike.push(other);
    alike.forEach((other) => left.delete(other));
    streams.push({ ...fold, folds: alike, products: unionOf(alike), softmax: null, isInside });
  }
  return streams;
}

function namedStreams({ inside }: Region, streams: readonly Stream[]): Streams {
  const kernels = new Map<Value, Kernel>();
  for (const stream of streams) {
    const kernel = kernelOfStream(stream);
    for (const value of kernel.values) kernels.set(value, kernel);
  }
  return {
    isInside: (value) => inside.has(value),
    kernelOf: (value) => kernels.get(value) ?? null,
  };
}

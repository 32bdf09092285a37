// Decides which values get a buffer and which kernels compute them. A kernel computes elements of its values from buffers; whatever
// lies between is computed on the way, inside it. So scheduling is three questions: which products are never stored (streams.ts), which
// other values are worth keeping (kept.ts), and which kernels may be one (merge.ts). The rest follows.

import type { Graph, Value } from '../../ir/graph.ts';
import type { Target } from './adapter.ts';
import { chooseKept } from './kept.ts';
import { mergeKernels } from './merge.ts';
import { kernelOf, type Kernel } from './kernel.ts';
import { readsOf } from './kernel-reads.ts';
import { createNetwork, mostBuffers, type Network } from './network.ts';
import { splitWide } from './split.ts';
import { findStreams } from './streams.ts';

export interface Schedule {
  readonly network: Network;
  /** In an order in which every value is made before it is read. */
  readonly kernels: readonly Kernel[];
  /** Values with a buffer of their own, besides inputs and literals. */
  readonly isStored: (value: Value) => boolean;
  /** The value in whose buffer a value lies: that of an input which it replaces, or its own. */
  readonly bufferOf: (value: Value) => Value;
}

export function schedule(graph: Graph, target: Target, isBody = false): Schedule {
  const network = createNetwork(graph, isBody);
  const forced = new Set<Value>();
  const tooWide = { products: new Set<Value>(), folds: new Set<Value>() };
  for (;;) {
    const streams = findStreams(network, target, tooWide);
    const kept = splitWide(network, chooseKept(network, forced, streams.isInside, target), streams);
    const separate = [...kept].map((value) => streams.kernelOf(value) ?? kernelOf(network, value));
    const wide = separate.filter((kernel) => isWide(network, kernel, kept));
    for (const { stream, values } of wide)
      if (stream?.softmax === null && values.length > 1)
        values.forEach((value) => tooWide.folds.add(value));
      else stream?.products.forEach(({ value }) => tooWide.products.add(value));
    if (wide.length > 0) continue;
    const result = mergeKernels(network, separate, target);
    const apart = network.body.nexts.filter((value) => result.bufferOf(value) === value);
    if (apart.length === 0) return result;
    // Carries that depend on one another in a circle: the next value of one waits in a buffer of its own.
    const sources = apart.flatMap((value) => network.producerOf(value)?.inputs ?? []);
    const open = sources.filter(
      (value) => !forced.has(value) && !network.isInput(value) && !streams.isInside(value),
    );
    if (open.length === 0) throw new Error('the carries of a loop find no order');
    forced.add(open[0]);
  }
}

/** Whether the kernel of a stream would bind more buffers than there are. */
function isWide(network: Network, kernel: Kernel, kept: ReadonlySet<Value>): boolean {
  if (kernel.stream === undefined) return false;
  const reads = readsOf(network, kernel, (value) => kept.has(value));
  return reads === null || reads.buffers.size + kernel.values.length > mostBuffers;
}

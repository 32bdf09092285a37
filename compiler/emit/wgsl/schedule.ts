// Decides which values get a buffer and which kernels compute them. A kernel computes elements of its values from buffers; whatever
// lies between is computed on the way, inside it. So scheduling is two questions: which values are worth keeping (kept.ts), and which
// kernels may be one (merge.ts). The rest follows.

import type { Graph, Value } from '../../ir/graph.ts';
import { chooseKept } from './kept.ts';
import { mergeKernels } from './merge.ts';
import { kernelOf, type Kernel } from './kernel.ts';
import { createNetwork, type Network } from './network.ts';
import { splitWide } from './split.ts';

export interface Schedule {
  readonly network: Network;
  /** In an order in which every value is made before it is read. */
  readonly kernels: readonly Kernel[];
  /** Values with a buffer of their own, besides inputs and literals. */
  readonly isStored: (value: Value) => boolean;
  /** The value in whose buffer a value lies: that of an input which it replaces, or its own. */
  readonly bufferOf: (value: Value) => Value;
}

export function schedule(graph: Graph, isBody = false): Schedule {
  const network = createNetwork(graph, isBody);
  const forced = new Set<Value>();
  for (;;) {
    const kept = splitWide(network, chooseKept(network, forced));
    const separate = [...kept].map((value) => kernelOf(network, value));
    const result = mergeKernels(network, separate);
    const apart = network.body.nexts.filter((value) => result.bufferOf(value) === value);
    if (apart.length === 0) return result;
    // Carries that depend on one another in a circle: the next value of one waits in a buffer of its own.
    const sources = apart.flatMap((value) => network.producerOf(value)?.inputs ?? []);
    const open = sources.filter((value) => !forced.has(value) && !network.isInput(value));
    if (open.length === 0) throw new Error('the carries of a loop find no order');
    forced.add(open[0]);
  }
}

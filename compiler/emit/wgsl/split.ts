// Keeps a kernel within the buffers that WebGPU binds by default: where an element needs more of them, values on the way get a buffer
// of their own.

import type { Value } from '../../ir/graph.ts';
import { kernelOf } from './kernel.ts';
import { readsOf } from './kernel-reads.ts';
import { loweringOf, mostBuffers, type Network } from './network.ts';
import type { Streams } from './streams.ts';

/** `kept` and as many more as are needed; in topological order. Folds of streams stay as they are. */
export function splitWide(
  network: Network,
  kept: ReadonlySet<Value>,
  streams: Streams,
): ReadonlySet<Value> {
  const all = new Set<Value>();
  const isKept = (value: Value): boolean => all.has(value);
  for (const node of network.graph.nodes)
    for (const value of node.outputs) {
      if (!kept.has(value)) continue;
      if (streams.kernelOf(value) === null) narrow(network, value, all, isKept);
      all.add(value);
    }
  return all;
}

/** Adds what makes the kernel of `value` narrow enough to `all`. */
function narrow(
  network: Network,
  value: Value,
  all: Set<Value>,
  isKept: (value: Value) => boolean,
): void {
  const node = network.producerOf(value);
  if (node === undefined || loweringOf(node).kind === 'loop') return;
  while (widthOf(network, value, isKept) > mostBuffers - 1) {
    const inner = widestInside(network, value, isKept);
    if (inner === null) return;
    narrow(network, inner, all, isKept);
    all.add(inner);
  }
}

const widthOf = (network: Network, value: Value, isKept: (value: Value) => boolean): number =>
  readsOf(network, kernelOf(network, value), isKept)?.buffers.size ?? 0;

/** The value before `value`, not kept yet, that reads the most buffers, and more than one. */
function widestInside(
  network: Network,
  value: Value,
  isKept: (value: Value) => boolean,
): Value | null {
  let best: { readonly value: Value; readonly width: number } | null = null;
  const seen = new Set<Value>();
  const visit = (of: Value): void => {
    for (const x of network.producerOf(of)?.inputs ?? []) {
      const node = network.producerOf(x);
      if (node === undefined || seen.has(x) || isKept(x)) continue;
      seen.add(x);
      if (loweringOf(node).kind !== 'map') continue;
      const width = widthOf(network, x, isKept);
      if (width > (best?.width ?? 1)) best = { value: x, width };
      visit(x);
    }
  };
  visit(value);
  return best === null ? null : (best as { readonly value: Value }).value;
}

// Merges kernels: what follows a product element by element, or window by window, becomes its epilogue, reductions over the same rows and
// what lies between them become one kernel (softmax, normalisation, and their gradients), maps over one shape become one with several
// results. A merge saves a dispatch and, where one kernel reads what the other makes, the way through memory.

import { equal, isConstant } from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Value } from '../../ir/graph.ts';
import { product } from '../../ir/shape-arithmetic.ts';
import { sameShape } from '../../ir/types.ts';
import type { Target } from './adapter.ts';
import { isShort, outerShape, type Kernel } from './kernel.ts';
import type { Network } from './network.ts';
import { createParts, type Part, type Parts } from './parts.ts';
import { windowsOver } from './product-windows.ts';
import { columnAxes } from './row-sums.ts';
import type { Schedule } from './schedule.ts';

export function mergeKernels(
  network: Network,
  separate: readonly Kernel[],
  target: Target,
): Schedule {
  const order = new Map<Value, number>();
  network.graph.nodes.forEach((node, i) => node.outputs.forEach((value) => order.set(value, i)));
  const kept = new Set(separate.flatMap(({ values }) => values));
  const state = createParts(network, separate, kept);
  for (let changed = true; changed;) {
    changed = false;
    for (const part of state.parts()) {
      if (!state.has(part)) continue;
      for (const other of candidates(state, part))
        if (
          state.has(part) &&
          state.has(other) &&
          tryMerge(network, target, state, other, part, order)
        ) {
          changed = true;
          break;
        }
    }
  }
  const ordered = state.inOrder();
  const inPlace = new Map(ordered.flatMap((part) => [...part.inPlace]));
  return {
    network,
    kernels: ordered.map(({ kernel }) => kernel),
    isStored: (value) => kept.has(value) && state.leaves(value),
    bufferOf: (value) => inPlace.get(value) ?? value,
  };
}

/** What the part might be merged with: those it reads from first, then those beside it. */
function candidates(state: Parts, part: Part): Part[] {
  const makers = [...part.reads.buffers].map((value) => state.makerOf(value));
  const before = new Set(makers.filter((maker) => maker !== undefined));
  const beside = state
    .parts()
    .filter((other) => other !== part && !before.has(other) && isBeside(state, other, part));
  return [...before, ...beside];
}

/** Whether merging side by side pays: they read a buffer in common, or what one kernel makes, or are small. */
function isBeside(state: Parts, a: Part, b: Part): boolean {
  const [size, other] = [a, b].map(({ kernel }) => isConstant(elementsOf(kernel.domain)));
  const areSmall = size !== null && other !== null && Math.max(size, other) <= 4096;
  const makers = new Set([...a.reads.buffers].map((value) => state.makerOf(value) ?? value));
  return (
    areSmall || [...b.reads.buffers].some((value) => makers.has(state.makerOf(value) ?? value))
  );
}

function tryMerge(
  network: Network,
  target: Target,
  state: Parts,
  a: Part,
  b: Part,
  order: ReadonlyMap<Value, number>,
): boolean {
  const space = commonSpace(network, target, a.kernel, b.kernel);
  if (space === null || state.isBetween(a, b)) return false;
  const values = [...a.kernel.values, ...b.kernel.values].sort(
    (x, y) => (order.get(x) ?? 0) - (order.get(y) ?? 0),
  );
  const kernel: Kernel = { ...space, values };
  const merged = state.partOf(kernel, [a, b]);
  if (merged === null) return false;
  state.replace([a, b], merged);
  return true;
}

/** Worked out once for a domain: every pair of kernels is asked for theirs. */
const sizes = new WeakMap<readonly Dim[], Dim>();

function elementsOf(domain: readonly Dim[]): Dim {
  const size = sizes.get(domain) ?? product(domain);
  sizes.set(domain, size);
  return size;
}

type Space = Omit<Kernel, 'values'>;

/** Kinds whose kernels are looked at the other way round. */
const turned = new Set(['map product', 'map stream', 'map rows', 'rows product']);

/** How one kernel could run over both domains; null where it cannot, or should not. */
function commonSpace(network: Network, target: Target, a: Kernel, b: Kernel): Space | null {
  const kinds = `${a.kind} ${b.kind}`;
  const sameSize = equal(elementsOf(a.domain), elementsOf(b.domain));
  if (kinds === 'map map') return sameSize ? a : null;
  if (kinds === 'stream map') return sameSize && a.stream?.folds.length === 1 ? a : null;
  if (kinds === 'product map') {
    const isOverRows = a.axes.length > 0 && equal(product(b.domain), product(outerShape(a)));
    if (sameSize || isOverRows) return a;
    // On a software adapter long rows of columns are worth more, which share what they load, than the way through memory.
    const windows = target.adapter === 'gpu' ? windowsOver(network, a, b) : null;
    return windows === null ? null : { ...a, domain: b.domain, windows };
  }
  if (turned.has(kinds)) return commonSpace(network, target, b, a);
  if (kinds === 'product rows') {
    const axes = columnAxes(network, a, b);
    return axes === null ? null : { ...a, axes };
  }
  if (kinds === 'rows map') return fitsRows(a, b.domain) ? a : null;
  if (kinds !== 'rows rows') return null;
  return sameRows(a, b) ? a : null;
}

/** Whether two row kernels have the same rows: the same axes of one shape, or the last ones of shapes that differ by a reshape. */
function sameRows(a: Kernel, b: Kernel): boolean {
  if (sameShape(a.domain, b.domain)) return a.axes.join() === b.axes.join();
  const areLast = [a, b].every(({ domain, axes }) =>
    axes.every((axis, i) => axis === domain.length - axes.length + i),
  );
  const lengths = [a, b].map(({ domain, axes }) => product(axes.map((axis) => domain[axis])));
  return (
    areLast && equal(lengths[0], lengths[1]) && equal(elementsOf(a.domain), elementsOf(b.domain))
  );
}

/** Whether a map of that shape is over the rows, or over a domain of rows that may be written one by one. */
function fitsRows(rows: Kernel, shape: readonly Dim[]): boolean {
  const size = product(shape);
  const isOverRows = equal(size, product(outerShape(rows)));
  return isOverRows || (equal(size, product(rows.domain)) && isShort(rows));
}

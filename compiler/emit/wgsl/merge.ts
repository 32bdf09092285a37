// Merges kernels: what follows a product element by element becomes its epilogue, reductions over the same rows and what lies between
// them become one kernel (softmax, normalisation, and their gradients), maps over one shape become one with several results. A merge
// saves a dispatch and, where one kernel reads what the other makes, the way through memory.

import { isConstant } from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Value } from '../../ir/graph.ts';
import { product } from '../../ir/shape-arithmetic.ts';
import { sameShape } from '../../ir/types.ts';
import { outerShape, type Kernel } from './kernel.ts';
import { readsOf, type KernelReads } from './kernel-reads.ts';
import type { Network } from './network.ts';
import type { Schedule } from './schedule.ts';

/** WebGPU's default limit of storage buffers a shader stage. */
export const mostBuffers = 8;

interface Part {
  readonly kernel: Kernel;
  readonly reads: KernelReads;
}

export function mergeKernels(network: Network, separate: readonly Kernel[]): Schedule {
  const order = new Map<Value, number>();
  network.graph.nodes.forEach((node, i) => node.outputs.forEach((value) => order.set(value, i)));
  const kept = new Set(separate.flatMap(({ values }) => values));
  const state = createState(network, separate, kept);
  for (let changed = true; changed;) {
    changed = false;
    for (const part of state.parts()) {
      if (!state.has(part)) continue;
      for (const other of candidates(state, part))
        if (state.has(part) && state.has(other) && tryMerge(state, other, part, order)) {
          changed = true;
          break;
        }
    }
  }
  const kernels = state.inOrder().map(({ kernel }) => kernel);
  return {
    network,
    kernels,
    isStored: (value) => kept.has(value) && state.leaves(value),
  };
}

/** What the part might be merged with: those it reads from first, then those beside it. */
function candidates(state: State, part: Part): Part[] {
  const makers = [...part.reads.buffers].map((value) => state.makerOf(value));
  const before = new Set(makers.filter((maker) => maker !== undefined));
  const beside = state
    .parts()
    .filter((other) => other !== part && !before.has(other) && isBeside(other, part));
  return [...before, ...beside];
}

/** Whether merging side by side saves more than a dispatch: they read a buffer in common, or are small. */
function isBeside(a: Part, b: Part): boolean {
  const [size, other] = [a, b].map(({ kernel }) => isConstant(product(kernel.domain)));
  const areSmall = size !== null && other !== null && Math.max(size, other) <= 4096;
  return areSmall || [...a.reads.buffers].some((value) => b.reads.buffers.has(value));
}

function tryMerge(state: State, a: Part, b: Part, order: ReadonlyMap<Value, number>): boolean {
  const space = commonSpace(a.kernel, b.kernel);
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

type Space = Pick<Kernel, 'kind' | 'domain' | 'axes'>;

/** How one kernel could run over both domains; null where it cannot, or should not. */
function commonSpace(a: Kernel, b: Kernel): Space | null {
  const kinds = `${a.kind} ${b.kind}`;
  if (kinds === 'map map') return sameShape(a.domain, b.domain) ? a : null;
  if (kinds === 'product map') return sameShape(a.domain, b.domain) ? a : null;
  if (kinds === 'map product') return commonSpace(b, a);
  if (kinds === 'map rows') return commonSpace(b, a);
  if (kinds === 'rows map') return fitsRows(a, b.domain) ? a : null;
  if (kinds !== 'rows rows') return null;
  const sameAxes = a.axes.join() === b.axes.join();
  return sameShape(a.domain, b.domain) && sameAxes ? a : null;
}

const fitsRows = (rows: Kernel, shape: readonly Dim[]): boolean =>
  sameShape(shape, outerShape(rows)) || (sameShape(shape, rows.domain) && isShort(rows));

/** Whether rows are short and many enough that a kernel that runs by rows may write the whole domain. */
function isShort({ domain, axes }: Kernel): boolean {
  const length = isConstant(product(axes.map((axis) => domain[axis])));
  const rows = isConstant(product(outerShape({ domain, axes })));
  if (length === null || length > 16384) return false;
  return rows === null || rows >= 64 || length <= 256;
}

interface State {
  readonly parts: () => readonly Part[];
  readonly has: (part: Part) => boolean;
  readonly makerOf: (value: Value) => Part | undefined;
  /** Whether a part other than these two lies on a way from one to the other. */
  readonly isBetween: (a: Part, b: Part) => boolean;
  /** The kernel as a part that replaces `old`, if it can be one kernel. */
  readonly partOf: (kernel: Kernel, old: readonly Part[]) => Part | null;
  readonly replace: (old: readonly Part[], merged: Part) => void;
  /** Whether a value is read outside the kernel that makes it. */
  readonly leaves: (value: Value) => boolean;
  readonly inOrder: () => readonly Part[];
}

function createState(
  network: Network,
  separate: readonly Kernel[],
  kept: ReadonlySet<Value>,
): State {
  const outputs = new Set(network.graph.outputs.map(({ value }) => network.baseOf(value)));
  const parts = new Set<Part>();
  const makers = new Map<Value, Part>();
  const readers = new Map<Value, Set<Part>>();
  const readersOf = (value: Value): ReadonlySet<Part> => readers.get(value) ?? new Set();
  const add = (part: Part): void => {
    parts.add(part);
    for (const value of part.kernel.values) makers.set(value, part);
    for (const value of part.reads.buffers)
      readers.set(value, new Set([...readersOf(value), part]));
  };
  const remove = (part: Part): void => {
    parts.delete(part);
    for (const value of part.reads.buffers) readers.get(value)?.delete(part);
  };
  const readsOfKernel = (kernel: Kernel): KernelReads | null =>
    readsOf(network, kernel, (value) => kept.has(value));
  for (const kernel of separate) {
    const reads = readsOfKernel(kernel);
    if (reads === null) throw new Error('a kernel of one value does not fit together');
    if (!makers.has(kernel.values[0])) add({ kernel, reads });
  }
  const before = (part: Part): Part[] =>
    [...part.reads.buffers].map((value) => makers.get(value)).filter((p) => p !== undefined);
  /** Whether `from` needs `target`, at least through another part if `indirectly`. */
  const needs = (from: Part, target: Part, indirectly: boolean): boolean => {
    const seen = new Set<Part>();
    const stack = before(from).filter((part) => !indirectly || part !== target);
    for (let part = stack.pop(); part !== undefined; part = stack.pop()) {
      if (part === target) return true;
      if (seen.has(part)) continue;
      seen.add(part);
      stack.push(...before(part));
    }
    return false;
  };
  const leavesParts = (value: Value, inside: readonly Part[]): boolean =>
    outputs.has(value) || [...readersOf(value)].some((reader) => !inside.includes(reader));
  return {
    parts: () => [...parts],
    has: (part) => parts.has(part),
    makerOf: (value) => makers.get(value),
    isBetween: (a, b) => needs(a, b, true) || needs(b, a, true),
    partOf(kernel, old) {
      const reads = readsOfKernel(kernel);
      if (reads === null) return null;
      const written = kernel.values.filter((value) => leavesParts(value, old));
      return reads.buffers.size + written.length <= mostBuffers ? { kernel, reads } : null;
    },
    replace(old, merged) {
      old.forEach(remove);
      add(merged);
    },
    leaves(value) {
      const maker = makers.get(value);
      return maker !== undefined && leavesParts(value, [maker]);
    },
    inOrder: () => topological([...parts], before),
  };
}

/** Parts after those they need, else as they stand. */
function topological(parts: readonly Part[], before: (part: Part) => readonly Part[]): Part[] {
  const sorted = new Set<Part>();
  const visit = (part: Part): void => {
    if (sorted.has(part)) return;
    for (const other of before(part)) if (other !== part) visit(other);
    sorted.add(part);
  };
  parts.forEach(visit);
  return [...sorted];
}

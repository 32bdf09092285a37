// The kernels while they are merged: who makes and reads what, what must come before what, and which results lie in the buffer of the input
// that they replace.
//
// The next value of a parameter may be written over the parameter itself where the kernel that makes it reads the parameter only at the
// element that it writes, and every other kernel that reads the parameter can run before. Then a kernel binds one buffer for both,
// and nothing is copied between steps.

import type { Value } from '../../ir/graph.ts';
import { isOverDomain, windowsOf, type Kernel } from './kernel.ts';
import { readsOf, type KernelReads } from './kernel-reads.ts';
import { mostBuffers, type Network } from './network.ts';

export interface Part {
  readonly kernel: Kernel;
  readonly reads: KernelReads;
  /** Results and the inputs that they are written over. */
  readonly inPlace: ReadonlyMap<Value, Value>;
}

export interface Parts {
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

const nothing: ReadonlyMap<Value, Value> = new Map();

export function createParts(
  network: Network,
  separate: readonly Kernel[],
  kept: ReadonlySet<Value>,
): Parts {
  const outputs = new Set(network.graph.outputs.map(({ value }) => network.baseOf(value)));
  const graph = createOrder();
  const leaves = (value: Value, inside: readonly Part[]): boolean =>
    outputs.has(value) || [...graph.readersOf(value)].some((reader) => !inside.includes(reader));
  const { stopped } = network.body;
  const endsLoop = (value: Value): boolean =>
    stopped !== null && network.replacedBy(value) === stopped;
  const partOf: Parts['partOf'] = (kernel, old) => {
    const reads = readsOf(network, kernel, (value) => kept.has(value));
    if (reads === null || (kernel.values.length > 1 && kernel.values.some(endsLoop))) return null;
    const replaced = kernel.values.flatMap((value): [Value, Value][] => {
      const input = network.replacedBy(value);
      const fits =
        input !== undefined &&
        mayOverwrite(kernel, reads, value, input) &&
        (kernel.kind === 'loop' || !reads.buffers.has(input) || reads.aligned.has(input)) &&
        [...graph.readersOf(input)].every(
          (reader) => old.includes(reader) || !old.some((part) => graph.needs(reader, part)),
        );
      return fits ? [[value, input]] : [];
    });
    const inPlace = new Map(replaced);
    const written = kernel.values.filter((value) => leaves(value, old));
    if (written.some((value) => windowsOf(kernel, value) !== null)) return null;
    const buffers = new Set([...reads.buffers, ...written.map((v) => inPlace.get(v) ?? v)]);
    // What is written over its input stays so: the buffers of loops' carries depend on it.
    const before = old.flatMap((part) => [...part.inPlace.keys()]);
    if (!before.every((value) => inPlace.has(value))) return null;
    const fits = kernel.kind === 'loop' || buffers.size <= mostBuffers;
    return fits ? { kernel, reads, inPlace } : null;
  };
  const replace: Parts['replace'] = (old, merged) => {
    old.forEach(graph.remove);
    graph.add(merged);
  };
  const first = separate.filter(
    ({ values }, i) => separate.findIndex((k) => k.values[0] === values[0]) === i,
  );
  for (const kernel of first) {
    const reads = readsOf(network, kernel, (value) => kept.has(value));
    if (reads === null) throw new Error('a kernel of one value does not fit together');
    graph.add({ kernel, reads, inPlace: nothing });
  }
  // Only now all readers are known.
  for (const part of graph.parts()) {
    const better = partOf(part.kernel, [part]);
    if (better !== null && better.inPlace.size > 0) replace([part], better);
  }
  return {
    parts: graph.parts,
    has: graph.has,
    makerOf: graph.makerOf,
    isBetween: (a, b) => graph.needs(a, b, true) || graph.needs(b, a, true),
    partOf,
    replace,
    leaves(value) {
      const maker = graph.makerOf(value);
      return maker !== undefined && leaves(value, [maker]);
    },
    inOrder: graph.inOrder,
  };
}

/**
 * Whether the kernel may write the value over what its invocations read at the same element: each must write only what it alone
 * reads. All lanes of a row read what is once a row, and one of them writes it, perhaps before another has read; beside a product only
 * that one reads it, unless elements of the product need it.
 */
const mayOverwrite = (
  kernel: Kernel,
  { perElement }: KernelReads,
  value: Value,
  input: Value,
): boolean =>
  kernel.kind === 'loop' ||
  isOverDomain(kernel, value) ||
  (kernel.kind === 'product' && !perElement.has(input)) ||
  !kernel.values.some((other) => isOverDomain(kernel, other));

/** Parts by what they make and read. */
function createOrder() {
  const parts = new Set<Part>();
  const makers = new Map<Value, Part>();
  const readers = new Map<Value, Set<Part>>();
  const readersOf = (value: Value): ReadonlySet<Part> => readers.get(value) ?? new Set();
  /** What runs before: what makes the part's operands, and what reads the inputs that it overwrites. */
  const before = (part: Part): Part[] =>
    [
      ...[...part.reads.buffers].map((value) => makers.get(value)),
      ...[...part.inPlace.values()].flatMap((input) => [...readersOf(input)]),
    ].filter((other) => other !== undefined && other !== part) as Part[];
  /** Whether `from` needs `target`, through another part if `indirectly`. */
  const needs = (from: Part, target: Part, indirectly = false): boolean => {
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
  return {
    readersOf,
    needs,
    parts: () => [...parts],
    has: (part: Part) => parts.has(part),
    makerOf: (value: Value) => makers.get(value),
    add(part: Part): void {
      parts.add(part);
      for (const value of part.kernel.values) makers.set(value, part);
      for (const value of part.reads.buffers)
        readers.set(value, new Set([...readersOf(value), part]));
    },
    remove(part: Part): void {
      parts.delete(part);
      for (const value of part.reads.buffers) readers.get(value)?.delete(part);
    },
    /** Parts after those they need, else as they stand. */
    inOrder(): Part[] {
      const sorted = new Set<Part>();
      const visit = (part: Part): void => {
        if (sorted.has(part)) return;
        before(part).forEach(visit);
        sorted.add(part);
      };
      parts.forEach(visit);
      return [...sorted];
    },
  };
}

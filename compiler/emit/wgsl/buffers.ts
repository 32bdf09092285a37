// Which buffer each value lies in. Inputs, tables and outputs have one of their own; what lives only between kernels shares: a buffer is
// free again after the last kernel that reads it. WebGPU refuses a buffer that one dispatch both reads and writes, so what a kernel
// writes never lies in what it reads.

import { equal } from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Value } from '../../ir/graph.ts';
import { product } from '../../ir/shape-arithmetic.ts';
import type { EmittedKernel } from './emit-kernel.ts';
import type { Network } from './network.ts';

export interface Slot {
  /** Elements, four bytes each, of every value that lies there at some time: the buffer holds the largest. */
  readonly sizes: readonly Dim[];
}

interface OpenSlot {
  readonly index: number;
  readonly sizes: Dim[];
}

export function assignSlots(
  network: Network,
  kernels: readonly EmittedKernel[],
  tables: readonly Value[],
  bufferOf: (value: Value) => Value,
): { slots: readonly Slot[]; slotOf: (value: Value) => number } {
  const slots: OpenSlot[] = [];
  const assigned = new Map<Value, OpenSlot>();
  const open = (value: Value): void => {
    const slot = { index: slots.length, sizes: [product(value.shape)] };
    slots.push(slot);
    assigned.set(value, slot);
  };
  const { inputs, outputs } = network.graph;
  for (const { value } of inputs) open(value);
  tables.forEach(open);
  for (const { value } of outputs) {
    const base = bufferOf(network.baseOf(value));
    if (!assigned.has(base)) open(base);
  }
  const lastUse = new Map<Value, number>();
  kernels.forEach(({ buffers }, i) => buffers.forEach(({ value }) => lastUse.set(value, i)));
  const own = new Set(assigned.keys());
  const free: OpenSlot[] = [];
  kernels.forEach(({ buffers }, i) => {
    for (const { value } of buffers) {
      if (assigned.has(value)) continue;
      const slot = takeBest(free, product(value.shape));
      if (slot === null) open(value);
      else {
        slot.sizes.push(product(value.shape));
        assigned.set(value, slot);
      }
    }
    for (const { value } of buffers) {
      const slot = assigned.get(value);
      if (slot !== undefined && !own.has(value) && lastUse.get(value) === i) free.push(slot);
    }
  });
  return {
    slots: slots.map(({ sizes }) => ({ sizes: unique(sizes) })),
    slotOf(value) {
      const slot = assigned.get(bufferOf(value));
      if (slot === undefined) throw new Error(`value ${value.id} has no buffer`);
      return slot.index;
    },
  };
}

/** A free slot of the same size, else one of a size of the same kind, so that little is wasted. */
function takeBest(free: OpenSlot[], size: Dim): OpenSlot | null {
  const same = free.findIndex(({ sizes }) => sizes.some((other) => equal(other, size)));
  const like =
    same >= 0 ? same : free.findIndex(({ sizes }) => variablesKey(sizes[0]) === variablesKey(size));
  return like < 0 ? null : (free.splice(like, 1)[0] ?? null);
}

/** The monomials, without their coefficients: B * 10 and B * 512 grow alike. */
const variablesKey = (size: Dim): string => size.terms.map(({ key }) => key).join('+');

const unique = (sizes: readonly Dim[]): Dim[] => [
  ...new Map(sizes.map((size) => [size.key, size])).values(),
];

// Which buffer each value lies in. Inputs, tables and outputs have one of their own; what lives only between kernels shares: a buffer is
// free again after the last kernel that reads it. WebGPU refuses a buffer that one dispatch both reads and writes, so what a kernel
// writes never lies in what it reads.

import { equal } from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Value } from '../../ir/graph.ts';
import { product } from '../../ir/shape-arithmetic.ts';
import { ceilDivide } from './kernel-context.ts';
import type { Step } from './steps.ts';

export interface Slot {
  /** Words of four bytes that each value takes which lies there at some time: the buffer holds the largest. */
  readonly sizes: readonly Dim[];
}

interface OpenSlot {
  readonly index: number;
  readonly sizes: Dim[];
  /** Of the value that it was made for. */
  readonly kind: string;
}

/**
 * `own`: the values with a buffer of their own, whose slots come first, in that order. Values are holders; those of `halves` have two
 * elements a word.
 */
export function assignSlots(
  steps: readonly Step[],
  own: readonly Value[],
  holderOf: (value: Value) => Value,
  halves: ReadonlySet<Value>,
): { slots: readonly Slot[]; slotOf: (value: Value) => number } {
  const wordsOf = (value: Value): Dim => {
    const elements = product(value.shape);
    return halves.has(value) ? ceilDivide(elements, 2) : elements;
  };
  const slots: OpenSlot[] = [];
  const assigned = new Map<Value, OpenSlot>();
  const free: OpenSlot[] = [];
  const open = (value: Value): void => {
    const slot = { index: slots.length, sizes: [wordsOf(value)], kind: kindOf(value) };
    slots.push(slot);
    assigned.set(value, slot);
  };
  own.filter((value, i) => own.indexOf(value) === i).forEach(open);
  const kept = new Set(own);
  const lastUse = lastUses(steps, holderOf);
  const take = (value: Value): void => {
    if (assigned.has(value)) return;
    const slot = takeBest(free, wordsOf(value), kindOf(value));
    if (slot === null) return open(value);
    slot.sizes.push(wordsOf(value));
    assigned.set(value, slot);
  };
  const release = (value: Value, time: number): void => {
    const slot = assigned.get(value);
    if (slot !== undefined && !kept.has(value) && lastUse.get(value) === time) free.push(slot);
  };
  let time = 0;
  const run = (step: Step): void => {
    const values = [...new Set(valuesOf(step).map(holderOf))];
    values.forEach(take);
    if (step.kind === 'loop') step.steps.forEach(run);
    values.forEach((value) => release(value, time));
    time++;
  };
  steps.forEach(run);
  return {
    slots: slots.map(({ sizes }) => ({ sizes: unique(sizes) })),
    slotOf(value) {
      const slot = assigned.get(holderOf(value));
      if (slot === undefined) throw new Error(`value ${value.id} has no buffer`);
      return slot.index;
    },
  };
}

const valuesOf = (step: Step): readonly Value[] =>
  step.kind === 'loop' ? step.held : step.kernel.buffers.map(({ value }) => value);

/** When each buffer is needed last; the steps of a loop come before the loop's own time. */
function lastUses(
  steps: readonly Step[],
  holderOf: (value: Value) => Value,
): ReadonlyMap<Value, number> {
  const last = new Map<Value, number>();
  let time = 0;
  const visit = (step: Step): void => {
    if (step.kind === 'loop') step.steps.forEach(visit);
    for (const value of valuesOf(step)) last.set(holderOf(value), time);
    time++;
  };
  steps.forEach(visit);
  return last;
}

/** A free slot of the same size, else one of a size of the same kind, so that little is wasted. */
function takeBest(free: OpenSlot[], size: Dim, kind: string): OpenSlot | null {
  const same = free.findIndex(({ sizes }) => sizes.some((other) => equal(other, size)));
  const like = same >= 0 ? same : free.findIndex((slot) => slot.kind === kind);
  return like < 0 ? null : (free.splice(like, 1)[0] ?? null);
}

/** The monomials of the number of elements, without their coefficients: B * 10 and B * 512 grow alike. */
const kindOf = ({ shape }: Value): string =>
  product(shape)
    .terms.map(({ key }) => key)
    .join('+');

const unique = (sizes: readonly Dim[]): Dim[] => [
  ...new Map(sizes.map((size) => [size.key, size])).values(),
];

// What stays on the GPU from call to call: the parameters, states and counters of a program lie in buffers that all programs of a model
// share, by path. A program reads them where they lie. What replaces one is written there by the kernels, or copied there after them.

import type { Port, Role } from '../../ir/graph.ts';
import { product } from '../../ir/shape-arithmetic.ts';
import type { Slot } from './buffers.ts';
import type { ProgramPort, WgslProgram } from './emit.ts';

export interface HeldLayout {
  /** Inputs and outputs that are not held. */
  readonly inputs: readonly ProgramPort[];
  readonly outputs: readonly ProgramPort[];
  readonly held: readonly ProgramPort[];
  /** After the kernels, in order. */
  readonly copies: readonly Copy[];
  readonly slots: readonly Slot[];
}

interface Copy {
  readonly from: number;
  readonly to: number;
}

const heldRoles: ReadonlySet<Role> = new Set(['parameter', 'optimizer', 'state', 'counter']);

export const isHeld = ({ role }: Port): boolean => heldRoles.has(role);

export function holdOnGpu(program: WgslProgram): HeldLayout {
  const inputs = program.inputs.filter(({ port }) => isHeld(port));
  const slots = [...program.slots];
  const held = new Map(inputs.map((input) => [input.port.name, input]));
  const taken = new Set([...program.inputs, ...program.tables].map(({ slot }) => slot));
  const copies: Copy[] = [];
  for (const { port, slot } of program.outputs.filter((output) => isHeld(output.port))) {
    const before = held.get(port.name.replace(/[.]next$/, ''));
    if (before === undefined && !taken.has(slot)) {
      taken.add(slot);
      held.set(port.name, { port, slot });
      continue;
    }
    const to = before?.slot ?? slots.push({ sizes: [product(port.value.shape)] }) - 1;
    if (before === undefined) held.set(port.name, { port, slot: to });
    if (to !== slot) copies.push({ from: slot, to });
  }
  return {
    inputs: program.inputs.filter(({ port }) => !isHeld(port)),
    outputs: program.outputs.filter(({ port }) => !isHeld(port)),
    held: [...held.values()],
    copies: inOrder(copies, slots),
    slots,
  };
}

/** Every copy before the one that overwrites its source; where they go in a circle, one source is put aside first. */
function inOrder(copies: readonly Copy[], slots: Slot[]): Copy[] {
  const open = [...copies];
  const ordered: Copy[] = [];
  while (open.length > 0) {
    const free = open.findIndex(({ to }) => open.every(({ from }) => from !== to));
    if (free >= 0) {
      ordered.push(...open.splice(free, 1));
      continue;
    }
    const { from } = open[0];
    const aside = slots.push(slots[from]) - 1;
    ordered.push({ from, to: aside });
    open.forEach((copy, i) => {
      if (copy.from === from) open[i] = { ...copy, from: aside };
    });
  }
  return ordered;
}

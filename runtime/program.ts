// What every executor offers: a compiled graph that takes tensors by port name and gives tensors back. The training loop,
// the CLI and the tests know programs only through this.

import type { Role } from '../compiler/ir/graph.ts';
import type { DType, Tensor } from '../compiler/ir/tensor.ts';

export interface PortInfo {
  readonly name: string;
  readonly role: Role;
  readonly dtype: DType;
  /** A number for a fixed size, a text for one that is free. */
  readonly dims: readonly (number | string)[];
}

export interface Program {
  readonly inputs: readonly PortInfo[];
  readonly outputs: readonly PortInfo[];
  /** Runs once. Rejects with an Error that names the port where a feed is missing or does not fit. */
  readonly run: (feeds: Readonly<Record<string, Tensor>>) => Promise<Record<string, Tensor>>;
  /** Of a step on a device that keeps what is fed back: the next step takes it from there. */
  readonly runCarrying?: (
    feeds: Readonly<Record<string, Tensor>>,
    carried: Carried,
  ) => Promise<StepResults>;
  /** Frees what the program holds; it must not run afterwards. */
  readonly dispose: () => Promise<void>;
}

/** The values that a step feeds back, by path, wherever they lie; to be read before the next step. */
export interface Carried {
  readonly read: () => Promise<ReadonlyMap<string, Tensor>>;
}

export const carriedAs = (tensors: ReadonlyMap<string, Tensor>): Carried => ({
  read: async () => tensors,
});

/** What a step gives: the outputs that are not fed back, and those that are. */
export interface StepResults {
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly carried: Carried;
}

/** A step, with what the one before fed back. */
export async function runStep(
  program: Program,
  feeds: Readonly<Record<string, Tensor>>,
  carried: Carried,
): Promise<StepResults> {
  if (program.runCarrying !== undefined) return program.runCarrying(feeds, carried);
  const before = await carried.read();
  const results = await program.run({ ...feeds, ...Object.fromEntries(before) });
  const next = new Map([...before.keys()].map((name) => [name, results[`${name}.next`]]));
  const outputs = Object.entries(results).filter(
    ([name]) => !next.has(name.replace(/[.]next$/, '')),
  );
  return { outputs: Object.fromEntries(outputs), carried: carriedAs(next) };
}

/** The equations, `fix V` or `root d`, that a run did not solve within their limits. */
export const unsolved = (
  outputs: readonly PortInfo[],
  results: Readonly<Record<string, Tensor>>,
): readonly string[] =>
  outputs
    .filter(({ name, role }) => role === 'solved' && results[name].data[0] === 0)
    .map(({ name }) => name.replace(/^solved\./, '').replace('.', ' '));

/** Why `feeds` do not fit `inputs` by name, dtype, rank or size; null where they do. Sizes of one text must be equal. */
export function misfit(
  inputs: readonly PortInfo[],
  feeds: Readonly<Record<string, Tensor>>,
): string | null {
  const free = new Map<string, { readonly size: number; readonly by: string }>();
  for (const { name, dtype, dims } of inputs) {
    const expected = `${dtype}[${dims.join(', ')}]`;
    if (!(name in feeds)) return `input ${name} is missing: ${expected}`;
    const { dtype: given, shape } = feeds[name];
    const fits =
      given === dtype &&
      shape.length === dims.length &&
      dims.every((size, axis) => typeof size === 'string' || size === shape[axis]);
    if (!fits) return `input ${name} is ${given}[${shape.join(', ')}], but ${expected} is expected`;
    for (const [axis, text] of dims.entries()) {
      if (typeof text === 'number') continue;
      const first = free.get(text) ?? { size: shape[axis], by: name };
      free.set(text, first);
      if (first.size !== shape[axis])
        return `input ${name}: axis ${axis} has size ${shape[axis]}, but ${text} is ${first.size} by input ${first.by}`;
    }
  }
  return null;
}

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
  /** Frees what the program holds; it must not run afterwards. */
  readonly dispose: () => Promise<void>;
}

/** Why `feeds` do not fit `inputs` by name, dtype, rank or fixed size; null where they do. Free sizes are the executor's to check. */
export function misfit(
  inputs: readonly PortInfo[],
  feeds: Readonly<Record<string, Tensor>>,
): string | null {
  for (const { name, dtype, dims } of inputs) {
    const feed = feeds[name];
    const expected = `${dtype}[${dims.join(', ')}]`;
    if (feed === undefined) return `input ${name} is missing: ${expected}`;
    const fits =
      feed.dtype === dtype &&
      feed.shape.length === dims.length &&
      dims.every((size, axis) => typeof size === 'string' || size === feed.shape[axis]);
    if (!fits)
      return `input ${name} is ${feed.dtype}[${feed.shape.join(', ')}], but ${expected} is expected`;
  }
  return null;
}

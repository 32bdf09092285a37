// All builtins by name: what every program can call without an import. The checker types calls of them, the elaborator
// runs them, the reference in docs lists them.

import type { Builtin } from './builtin.ts';
import { creationBuiltins } from './creation.ts';
import { mathematicsBuiltins } from './mathematics.ts';
import { operatorBuiltins } from './operators.ts';
import { rearrangingBuiltins } from './rearranging.ts';
import { reductionBuiltins } from './reductions.ts';
import { sortingBuiltins } from './sorting.ts';
import { triangularBuiltins } from './triangular.ts';

const families: readonly (readonly Builtin[])[] = [
  operatorBuiltins,
  mathematicsBuiltins,
  reductionBuiltins,
  sortingBuiltins,
  creationBuiltins,
  rearrangingBuiltins,
  triangularBuiltins,
];

function collect(): Readonly<Record<string, Builtin>> {
  const table: Record<string, Builtin> = Object.create(null);
  for (const builtin of families.flat()) {
    if (builtin.name in table) throw new Error(`two builtins are named ${builtin.name}`);
    table[builtin.name] = builtin;
  }
  return table;
}

/** Name -> builtin; operators are `add`, `negate`, `less_equal`, `matmul` and so on. */
export const builtins: Readonly<Record<string, Builtin>> = collect();

/** Numbers that have a name. */
export const namedNumbers: Readonly<Record<string, number>> = { pi: Math.PI };

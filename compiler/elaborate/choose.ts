// One value or another, by a condition that the running program knows.

import type { Elaborated } from '../builtins/elaboration.ts';
import { asTensor, dtypeOf, elementwise } from '../builtins/labelled.ts';
import type { Builder } from '../ir/builder-types.ts';

/** Chooses element by element; a tuple field by field. */
export function choose(
  builder: Builder,
  condition: Elaborated,
  onTrue: Elaborated,
  onFalse: Elaborated,
): Elaborated {
  if (onTrue.kind === 'tuple' && onFalse.kind === 'tuple') {
    const others = onFalse.items;
    const items = onTrue.items.map((item, i) => choose(builder, condition, item, others[i]));
    return { kind: 'tuple', items };
  }
  const dtypes = [dtypeOf(onTrue), dtypeOf(onFalse)];
  const dtype = dtypes.includes('f32') ? 'f32' : dtypes[0];
  const operands = [
    asTensor(builder, condition, 'bool'),
    asTensor(builder, onTrue, dtype),
    asTensor(builder, onFalse, dtype),
  ];
  return elementwise(builder, operands, (c, a, b) => builder.select(c, a, b));
}

// Schedules and decision processes as records: where a record type is wanted, the tables of those names are its fields. So
// a function says which tables it needs, `fn noised(q: (abar: [T]), ...)`, and takes any schedule that has them.

import type { Dim } from '../dims/dim.ts';
import { real, realScalar, tensor } from './convert.ts';
import { isTabulated } from './static.ts';
import { substituteType } from './substitute.ts';
import type { TypedConstant, TypedExpression } from './typed.ts';
import type { InstanceType, TupleType, Type } from './types.ts';

/** The type `mdp`: P[s, a, r] is the probability that action a leads from s to r, R[s, a] the reward expected. */
export function mdpType(states: Dim, actions: Dim): TupleType {
  const over = (...sizes: readonly Dim[]): Type =>
    tensor(
      real,
      sizes.map((size) => ({ kind: 'size', size })),
    );
  return {
    kind: 'tuple',
    fields: [
      { name: 'P', type: over(states, actions, states) },
      { name: 'R', type: over(states, actions) },
      { name: 'discount', type: realScalar },
    ],
    spaces: new Map([
      ['S', states],
      ['A', actions],
    ]),
  };
}

/** The table of that name and its type in this use; null where there is none. */
export function tableOf(
  { model, bindings }: InstanceType,
  name: string | null,
): { readonly constant: TypedConstant; readonly type: Type } | null {
  const constant = isTabulated(model) ? model.constants.find((c) => c.name === name) : undefined;
  return constant === undefined
    ? null
    : { constant, type: substituteType(constant.type, bindings) };
}

/** The tables of `value` that `wanted` names, in its order; null where one is missing. */
export function tablesAsRecord(
  value: TypedExpression,
  wanted: TupleType,
): readonly TypedExpression[] | null {
  const { type, span } = value;
  if (type.kind !== 'instance') return null;
  const items = wanted.fields.map(({ name }): TypedExpression | null => {
    const table = tableOf(type, name);
    return table === null ? null : { kind: 'constant', owner: value, span, ...table };
  });
  const known = items.filter((item) => item !== null);
  return known.length === items.length ? known : null;
}

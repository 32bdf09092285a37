// Prints every conformance case in the registry as JSON, for the Python scripts that make the fixtures. Dimensions must be
// constants here, and become numbers.
//
//     npx tsx tests/ir/print-cases.ts | python3 tests/fixtures/make-ops.py

import { isConstant } from '../../compiler/dims/arithmetic.ts';
import { isDim, isTensor } from '../../compiler/ir/attributes.ts';
import type { Attribute } from '../../compiler/ir/graph.ts';
import { registry } from '../../compiler/ir/registry.ts';
import { fixtureNameOf } from './fixture-name.ts';

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

function plain(attribute: Attribute): Json {
  if (typeof attribute !== 'object') return attribute;
  if (isDim(attribute)) return isConstant(attribute);
  if (isTensor(attribute))
    return { dtype: attribute.dtype, shape: attribute.shape, data: [...attribute.data] };
  if (Array.isArray(attribute)) return attribute.map(plain);
  return Object.fromEntries(Object.entries(attribute).map(([name, value]) => [name, plain(value)]));
}

const cases = Object.values(registry).flatMap((op) =>
  op.cases.map((of) => ({
    name: fixtureNameOf(op, of),
    op: op.name,
    attributes: plain(of.attributes),
    inputs: of.inputs,
    range: of.range ?? [-2, 2],
    bound: of.bound ?? 3,
  })),
);

process.stdout.write(JSON.stringify(cases));

// Independent values for the conformance tests: what each operation must give on fixed inputs. The JSON files are written by
// Python from JAX in float64 (or hold literal published values), never by this compiler.
//
// Format, one object a file (every tests/fixtures/*ops.json):
//
//     { "<operation>/<case name>": { "inputs": [{ "dtype", "shape", "data" }, ...], "outputs": [the same] }, ... }
//
// A case of a record names its entry in `fixture`; without that it is "<operation>/<case name>". Every case must have an entry:
// its inputs are the operands of all the conformance tests of that case, so they must suit the gradient tests too (no ties
// or kinks within 1e-3 of a real operand, unless the case is about ties). `data` is flat and row-major, booleans as 0 and 1;
// "nan", "inf" and "-inf" are strings. How to make an entry from the cases in the registry: `npx tsx tests/ir/print-cases.ts`
// prints every case as JSON ({ name, op, attributes, inputs, range, bound }; dimensions as numbers), which
// tests/fixtures/make-ops.py reads on its standard input.

import { readdirSync, readFileSync } from 'node:fs';

import type { Case, Op } from '../../compiler/ir/op.ts';
import type { Attributes } from '../../compiler/ir/graph.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import type { DType, Precision, Tensor } from '../../compiler/ir/tensor.ts';
import { fixtureNameOf } from './fixture-name.ts';

interface StoredTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

interface StoredFixture {
  readonly inputs: readonly StoredTensor[];
  readonly outputs: readonly StoredTensor[];
}

export interface Fixture {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

const folder = new URL('../fixtures/', import.meta.url);

const files = readdirSync(folder).filter((file) => file.endsWith('ops.json'));

const stored: ReadonlyMap<string, StoredFixture> = new Map(
  files.flatMap((file) => {
    const text = readFileSync(new URL(file, folder), 'utf8');
    return Object.entries(JSON.parse(text) as Record<string, StoredFixture>);
  }),
);

const special: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, '-inf': -Infinity };

const restore = (value: StoredTensor, precision: Precision): Tensor =>
  tensor(
    value.dtype,
    value.shape,
    value.data.map((x) => (typeof x === 'string' ? special[x] : x)),
    precision,
  );

/** The entry of a case; reals in `precision`. Throws by name where there is none. */
export function fixtureOf(op: Op, of: Case<Attributes>, precision: Precision): Fixture {
  const name = fixtureNameOf(op, of);
  const found = stored.get(name);
  if (found === undefined) throw new Error(`no fixture is named ${name}`);
  return {
    inputs: found.inputs.map((x) => restore(x, precision)),
    outputs: found.outputs.map((x) => restore(x, precision)),
  };
}

// All operations of the intermediate representation, by name. The builder finds type rules here, differentiation gradients,
// the interpreter evaluations, the emitters lowerings; the conformance tests and docs/ops.md walk the whole table.

import type { Op } from './op.ts';
import { argumentOps } from './ops/arg-max.ts';
import { constantOps } from './ops/constants.ts';
import { contractionOps } from './ops/contractions.ts';
import { convolutionOps } from './ops/convolution.ts';
import { cumulativeOps } from './ops/cumulative.ts';
import { binaryOps } from './ops/elementwise-binary.ts';
import { unaryOps } from './ops/elementwise-unary.ts';
import { customJvpOps } from './ops/custom-jvp.ts';
import { implicitOps } from './ops/implicit.ts';
import { indexingOps } from './ops/indexing.ts';
import { logicOps } from './ops/logic.ts';
import { markerOps } from './ops/markers.ts';
import { normalisationOps } from './ops/normalisations.ts';
import { poolingOps } from './ops/pooling.ts';
import { randomOps } from './ops/random.ts';
import { reductionOps } from './ops/reductions.ts';
import { scanOps } from './ops/scan.ts';
import { shapeOps } from './ops/shape.ts';
import { slicingOps } from './ops/slicing.ts';
import { whileOps } from './ops/while.ts';
import { sortingOps } from './ops/sorting.ts';
import { windowOps } from './ops/windows.ts';

/** One array of records a file of ops/, in the order the reference lists them. */
const families: readonly (readonly Op[])[] = [
  constantOps,
  unaryOps,
  binaryOps,
  logicOps,
  reductionOps,
  argumentOps,
  cumulativeOps,
  sortingOps,
  normalisationOps,
  randomOps,
  shapeOps,
  slicingOps,
  contractionOps,
  indexingOps,
  convolutionOps,
  windowOps,
  poolingOps,
  scanOps,
  whileOps,
  implicitOps,
  customJvpOps,
  markerOps,
];

function collect(): Readonly<Record<string, Op>> {
  const table: Record<string, Op> = Object.create(null);
  for (const op of families.flat()) {
    if (op.name in table) throw new Error(`two records are named ${op.name}`);
    table[op.name] = op;
  }
  return table;
}

/** Name -> record. */
export const registry: Readonly<Record<string, Op>> = collect();

/** The record of `name`; a name without one is an internal error, since only the builder writes nodes. */
export function opNamed(name: string): Op {
  const op = registry[name];
  if (op === undefined) throw new Error(`no operation is named ${name}`);
  return op;
}

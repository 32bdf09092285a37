// The loop over the registry that the conformance tests share: every case of every record, and its node in a graph of its own.

import { createBuilder } from '../../compiler/ir/builder.ts';
import type { GraphBuilder } from '../../compiler/ir/builder.ts';
import type { Attributes, Value } from '../../compiler/ir/graph.ts';
import type { Case, Op } from '../../compiler/ir/op.ts';
import { registry } from '../../compiler/ir/registry.ts';
import { fixtureNameOf } from './fixture-name.ts';
import { typeOf } from './run-graph.ts';

/** Records that no test runs, and why. */
export const notRun: Readonly<Record<string, string>> = {
  scan: 'tests/ir/loops.test.ts runs it, with bodies of many kinds',
  while: 'tests/ir/loops.test.ts runs it, with bodies of many kinds',
  implicit: 'tests/transform/implicit-gradients.test.ts solves equations of many kinds',
  custom_jvp: 'tests/transform/implicit-gradients.test.ts states derivatives',
  gradient:
    'differentiate replaces it before a graph runs; the gradient tests of all others go through it',
};

export interface ConformanceCase {
  readonly name: string;
  readonly op: Op;
  readonly of: Case<Attributes>;
}

export const conformanceCases: readonly ConformanceCase[] = Object.values(registry)
  .filter((op) => !(op.name in notRun))
  .flatMap((op) => op.cases.map((of) => ({ name: fixtureNameOf(op, of), op, of })));

export interface NodeGraph {
  readonly builder: GraphBuilder;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

/** A graph with inputs x0, x1, ... and the one node of the case; no output ports yet. */
export function nodeGraph({ op, of }: ConformanceCase): NodeGraph {
  const builder = createBuilder();
  const inputs = of.inputs.map((x, i) => builder.input(`x${i}`, 'data', typeOf(x)));
  return { builder, inputs, outputs: builder.emit(op.name, inputs, of.attributes) };
}

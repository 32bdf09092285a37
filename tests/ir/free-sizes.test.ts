// Conformance with free sizes: every case again, its sizes variables that are bound when the graph runs.

import { describe, expect, it } from 'vitest';

import { conformanceCases } from './conformance-cases.ts';
import type { ConformanceCase } from './conformance-cases.ts';
import { expectClose } from './expect-close.ts';
import { fixtureOf } from './fixtures.ts';
import { freeNodeGraph } from './free-sizes.ts';
import type { FreeGraph } from './free-sizes.ts';
import { runInterpreter } from './run-graph.ts';

interface FreeCase extends ConformanceCase {
  readonly graph: FreeGraph;
}

const freeCases: readonly FreeCase[] = conformanceCases.flatMap((of) => {
  const graph = freeNodeGraph(of);
  return graph === null ? [] : [{ ...of, graph }];
});

/** Operations none of whose cases has a size to free, and why. */
const neverFree: Readonly<Record<string, string>> = {
  constant: 'a literal has its own size',
};

describe('free sizes', () => {
  it('are tested for every operation', () => {
    const tested = new Set(freeCases.map(({ op }) => op.name));
    const missing = new Set(
      conformanceCases.map(({ op }) => op.name).filter((name) => !tested.has(name)),
    );
    expect([...missing]).toEqual(Object.keys(neverFree));
  });

  it.each(freeCases)('$name', (of) => {
    const { builder, outputs, witness } = of.graph;
    const { inputs, outputs: expected } = fixtureOf(of.op, of.of, 'f64');
    outputs.forEach((y, i) => builder.output(`y${i}`, 'result', y));
    const graph = builder.graph(of.name);
    const actual = runInterpreter(graph, [...inputs, witness], 'f64');
    expected.forEach((y, i) => expectClose(actual[`y${i}`], y, 1e-12, `output ${i}`));
  });
});

// Building takes work in proportion to the program: counted, not timed, so that a busy machine cannot fail it. What grows
// faster than the number of layers shows here: nodes of a graph, and the sizes that passes and emitters look at.

import { describe, expect, test } from 'vitest';

import { deep, library } from '../../bench/check/generate.ts';
import { check } from '../../compiler/check/check.ts';
import type { Graph, Node } from '../../compiler/ir/graph.ts';
import { compile, exportOnnx } from '../../compiler/pipeline.ts';
import type { CompiledProgram } from '../../compiler/program.ts';
import { host } from './programs.ts';

const depths = [8, 16, 32] as const;

interface Work {
  readonly program: CompiledProgram;
  /** The nodes of every graph after every pass. */
  readonly nodes: ReadonlyMap<string, number>;
  /** How often a pass or emitter asked for the inputs of a node. */
  readonly visits: number;
}

/** Compiles and encodes a network of that depth, and counts. */
function build(depth: number): Work {
  const nodes = new Map<string, number>();
  let visits = 0;
  const counted = (node: Node): Node =>
    Object.defineProperty({ ...node }, 'inputs', {
      enumerable: true,
      get: () => {
        visits++;
        return node.inputs;
      },
    });
  const { program, diagnostics } = compile({ path: 'deep.dlg', text: deep(depth) }, host, {
    onPass: (pass, graph) => nodes.set(pass, (nodes.get(pass) ?? 0) + graph.nodes.length),
  });
  if (program === null) throw new Error(diagnostics.map((d) => d.message).join('\n'));
  const watched = (graph: Graph): Graph => ({ ...graph, nodes: graph.nodes.map(counted) });
  exportOnnx({
    ...program,
    functions: program.functions.map((f) => ({ ...f, graph: watched(f.graph) })),
    trains: program.trains.map((train) => ({ ...train, step: watched(train.step) })),
  });
  return { program, nodes, visits };
}

/** Linear: twice the step in depth is twice the step in work. */
const grows = ([a, b, c]: readonly number[]): number => (c - b) / (b - a);

describe('building a deeper network', () => {
  const works = depths.map(build);

  test('every pass leaves nodes in proportion to the depth', () => {
    for (const pass of works[0].nodes.keys()) {
      const counts = works.map(({ nodes }) => nodes.get(pass) ?? 0);
      expect({ pass, growth: grows(counts) }).toEqual({ pass, growth: expect.closeTo(2, 1) });
    }
  });

  test('a block has the same operations in every depth', () => {
    const perBlock = works.map(({ program }, i) => {
      const before = works[i - 1]?.program.trains[0].step.nodes.length;
      if (before === undefined) return null;
      return (program.trains[0].step.nodes.length - before) / (depths[i] - depths[i - 1]);
    });
    expect(perBlock[1]).toBe(perBlock[2]);
  });

  test('the encoder looks at each node a fixed number of times', () => {
    expect(grows(works.map(({ visits }) => visits))).toBeCloseTo(2, 1);
  });

  test('the encoded models grow in proportion', () => {
    const bytes = works.map(({ program }) =>
      [...exportOnnx(program).values()].reduce((sum, file) => sum + file.length, 0),
    );
    expect(grows(bytes)).toBeGreaterThan(1.8);
    expect(grows(bytes)).toBeLessThan(2.3);
  });
});

test('the generated library of 1,000 lines has no errors', () => {
  const text = library(1000);
  expect(text.split('\n').length).toBeGreaterThanOrEqual(1000);
  expect(check({ path: 'library.dlg', text }, host).diagnostics).toEqual([]);
});

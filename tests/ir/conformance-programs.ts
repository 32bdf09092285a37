// The conformance cases as programs for a target: an operation alone with its first derivative, with known sizes and with free ones.

import type { Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { differentiate } from '../../compiler/transform/differentiate.ts';
import { conformanceCases, nodeGraph, type ConformanceCase } from './conformance-cases.ts';
import { expectClose } from './expect-close.ts';
import { fixtureOf } from './fixtures.ts';
import { freeNodeGraph } from './free-sizes.ts';
import { isReal, project, randomNumbers } from './projections.ts';
import { runInterpreter } from './run-graph.ts';

/** Results y0, y1, ... are to be `outputs`; d0, d1, ... are derivatives of a scalar made of them by the real operands. */
export interface ConformanceProgram {
  readonly graph: Graph;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

/** Of random weights of the results. */
export function knownProgram(of: ConformanceCase): ConformanceProgram {
  const { builder, inputs, outputs } = nodeGraph(of);
  outputs.forEach((y, i) => builder.output(`y${i}`, 'result', y));
  const reals = inputs.filter(isReal);
  if (reals.length > 0 && outputs.some(isReal)) {
    const loss = project(builder, outputs, randomNumbers());
    builder.gradient(loss, reals).forEach((g, i) => builder.output(`d${i}`, 'result', g));
  }
  return { ...fixtureOf(of.op, of.of, 'f32'), graph: differentiate(builder.graph(of.name)) };
}

/** The cases that run with free sizes. */
export const freeCases: readonly ConformanceCase[] = conformanceCases.filter(
  (of) => freeNodeGraph(of) !== null,
);

/** One of those: of the squares of the results. */
export function freeProgram(of: ConformanceCase): ConformanceProgram {
  const graph = freeNodeGraph(of);
  if (graph === null) throw new Error(`${of.name} has no free sizes`);
  const { builder, inputs, outputs, witness } = graph;
  outputs.forEach((y, i) => builder.output(`y${i}`, 'result', y));
  const sums = outputs.filter(isReal).map((y) => {
    const axes = y.shape.map((_, axis) => axis);
    return builder.reduce('add', builder.multiply(y, y), axes);
  });
  const loss = sums.reduce((a, b) => builder.add(a, b), builder.scalar(0));
  builder
    .gradient(loss, inputs.filter(isReal))
    .forEach((g, i) => builder.output(`d${i}`, 'result', g));
  const fixture = fixtureOf(of.op, of.of, 'f32');
  return {
    graph: differentiate(builder.graph(of.name)),
    inputs: [...fixture.inputs, witness],
    outputs: fixture.outputs,
  };
}

const tolerance = 1e-5;

/** What compares the results of a target: integers and booleans are exact, derivatives as the interpreter has them in float64. */
export function comparison({ graph, inputs, outputs }: ConformanceProgram) {
  const reference = runInterpreter(graph, inputs, 'f64');
  const derivatives = Object.keys(reference).filter((name) => name.startsWith('d'));
  return (actual: Readonly<Record<string, Tensor>>, target: string): void => {
    outputs.forEach((y, i) => expectClose(actual[`y${i}`], y, tolerance, `${target}: output ${i}`));
    for (const name of derivatives)
      expectClose(actual[name], reference[name], tolerance, `${target}: derivative ${name}`);
  };
}

// Every case of every operation on the GPU, with its first derivative, with known sizes and with free ones. Integers, booleans and bits
// must be exact, and nothing is written behind the end of a buffer; reals agree with the fixture, derivatives with the interpreter in float64.

import { describe, expect, it } from 'vitest';

import type { Graph } from '../../../compiler/ir/graph.ts';
import type { Tensor } from '../../../compiler/ir/tensor.ts';
import { differentiate } from '../../../compiler/transform/differentiate.ts';
import { webgpuProgram } from '../../../runtime/executors/webgpu.ts';
import { guarded } from '../../gpu/canaries.ts';
import { deviceForTests } from '../../gpu/device.ts';
import { conformanceCases, nodeGraph } from '../../ir/conformance-cases.ts';
import { expectClose } from '../../ir/expect-close.ts';
import { fixtureOf } from '../../ir/fixtures.ts';
import { freeNodeGraph } from '../../ir/free-sizes.ts';
import { isReal, project, randomNumbers } from '../../ir/projections.ts';
import { feedsOf, runInterpreter } from '../../ir/run-graph.ts';

const device = deviceForTests();
const tolerance = 1e-5;

/** Outputs y0, y1, ... are those of the fixture, d0, d1, ... derivatives. */
async function check(graph: Graph, inputs: readonly Tensor[], outputs: readonly Tensor[]) {
  const { device: watched, overwritten } = guarded(device());
  const program = await webgpuProgram(graph, watched);
  const actual = await program.run(feedsOf(inputs));
  expect(await overwritten()).toEqual([]);
  await program.dispose();
  outputs.forEach((y, i) => expectClose(actual[`y${i}`], y, tolerance, `output ${i}`));
  const reference = runInterpreter(graph, inputs, 'f64');
  for (const name of Object.keys(reference).filter((output) => output.startsWith('d')))
    expectClose(actual[name], reference[name], tolerance, `derivative ${name}`);
}

describe('in WGSL', () => {
  it.each(conformanceCases)('$name', async (of) => {
    const { builder, inputs, outputs } = nodeGraph(of);
    const fixture = fixtureOf(of.op, of.of, 'f32');
    outputs.forEach((y, i) => builder.output(`y${i}`, 'result', y));
    const reals = inputs.filter(isReal);
    if (reals.length > 0 && outputs.some(isReal)) {
      const loss = project(builder, outputs, randomNumbers());
      builder.gradient(loss, reals).forEach((g, i) => builder.output(`d${i}`, 'result', g));
    }
    await check(differentiate(builder.graph(of.name)), fixture.inputs, fixture.outputs);
  });
});

describe('in WGSL with free sizes', () => {
  it.each(conformanceCases.filter((of) => freeNodeGraph(of) !== null))('$name', async (of) => {
    const graph = freeNodeGraph(of);
    if (graph === null) return expect.fail('the case lost its free sizes');
    const { builder, inputs, outputs, witness } = graph;
    const fixture = fixtureOf(of.op, of.of, 'f32');
    outputs.forEach((y, i) => builder.output(`y${i}`, 'result', y));
    const sums = outputs.filter(isReal).map((y) => {
      const axes = y.shape.map((_, axis) => axis);
      return builder.reduce('add', builder.multiply(y, y), axes);
    });
    const loss = sums.reduce((a, b) => builder.add(a, b), builder.scalar(0));
    builder
      .gradient(loss, inputs.filter(isReal))
      .forEach((g, i) => builder.output(`d${i}`, 'result', g));
    const derived = differentiate(builder.graph(of.name));
    await check(derived, [...fixture.inputs, witness], fixture.outputs);
  });
});

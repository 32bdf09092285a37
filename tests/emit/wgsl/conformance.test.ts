// Every case of every operation on the GPU, against the fixtures the other executors are held to. Integers, booleans and bits are
// exact.

import { describe, it } from 'vitest';

import { webgpuProgram } from '../../../runtime/executors/webgpu.ts';
import { deviceForTests } from '../../gpu/device.ts';
import { conformanceCases, nodeGraph } from '../../ir/conformance-cases.ts';
import { expectClose } from '../../ir/expect-close.ts';
import { fixtureOf } from '../../ir/fixtures.ts';
import { feedsOf } from '../../ir/run-graph.ts';

const device = deviceForTests();
const tolerance = 1e-5;

describe('in WGSL', () => {
  it.each(conformanceCases)('$name', async (of) => {
    const { builder, outputs } = nodeGraph(of);
    const fixture = fixtureOf(of.op, of.of, 'f32');
    outputs.forEach((y, i) => builder.output(`y${i}`, 'result', y));
    const program = await webgpuProgram(builder.graph(of.name), device());
    const actual = await program.run(feedsOf(fixture.inputs));
    fixture.outputs.forEach((y, i) => expectClose(actual[`y${i}`], y, tolerance, `output ${i}`));
    await program.dispose();
  });
});

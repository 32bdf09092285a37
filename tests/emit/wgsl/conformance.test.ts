// Every case of every operation on the GPU, with its first derivative. Integers, booleans and bits must be exact, and nothing is written
// behind the end of a buffer; reals agree with the fixture, derivatives with the interpreter in float64.

import { describe, it } from 'vitest';

import { differentiate } from '../../../compiler/transform/differentiate.ts';
import { deviceForTests } from '../../gpu/device.ts';
import { conformanceCases, nodeGraph } from '../../ir/conformance-cases.ts';
import { fixtureOf } from '../../ir/fixtures.ts';
import { isReal, project, randomNumbers } from '../../ir/projections.ts';
import { checkConformance } from './check-conformance.ts';

const device = deviceForTests();

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
    const derived = differentiate(builder.graph(of.name));
    await checkConformance(device(), derived, fixture.inputs, fixture.outputs);
  });
});

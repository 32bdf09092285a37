// Every case of every operation on the GPU, with its first derivative, its sizes left free; otherwise as in conformance.test.ts.

import { describe, expect, it } from 'vitest';

import { differentiate } from '../../../compiler/transform/differentiate.ts';
import { deviceForTests } from '../../gpu/device.ts';
import { conformanceCases } from '../../ir/conformance-cases.ts';
import { fixtureOf } from '../../ir/fixtures.ts';
import { freeNodeGraph } from '../../ir/free-sizes.ts';
import { isReal } from '../../ir/projections.ts';
import { checkConformance } from './check-conformance.ts';

const device = deviceForTests();

const cases = conformanceCases.filter((of) => freeNodeGraph(of) !== null);

describe('in WGSL with free sizes', () => {
  it.each(cases)('$name', { timeout: 60_000 }, async (of) => {
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
    await checkConformance(device(), derived, [...fixture.inputs, witness], fixture.outputs);
  });
});

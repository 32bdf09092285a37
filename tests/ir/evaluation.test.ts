// Conformance, part 1: the reference evaluation of every case of every operation gives what the independent fixture says.

import { describe, expect, it } from 'vitest';

import { isConstant } from '../../compiler/dims/arithmetic.ts';
import type { Dim } from '../../compiler/dims/dim.ts';
import { registry } from '../../compiler/ir/registry.ts';
import { allocate } from '../../compiler/ir/tensor.ts';
import type { Precision, Tensor } from '../../compiler/ir/tensor.ts';
import type { ConformanceCase } from './conformance-cases.ts';
import { conformanceCases, nodeGraph, notRun } from './conformance-cases.ts';
import { expectClose } from './expect-close.ts';
import { fixtureOf } from './fixtures.ts';

function known(dim: Dim): number {
  const value = isConstant(dim);
  if (value === null) throw new Error('the cases have constant sizes only');
  return value;
}

function evaluate(of: ConformanceCase, inputs: readonly Tensor[], precision: Precision) {
  return of.op.evaluate({
    inputs,
    attributes: of.of.attributes,
    outputs: nodeGraph(of).outputs.map(({ dtype, shape }) => ({ dtype, shape: shape.map(known) })),
    precision,
    allocate: (dtype, size) => allocate(dtype, size, precision),
    dim: known,
    run: () => {
      throw new Error('no case has a body');
    },
  });
}

describe('evaluation', () => {
  it('covers every operation', () => {
    const idle = Object.values(registry).filter((op) => op.cases.length === 0);
    expect(idle.map((op) => op.name)).toEqual(Object.keys(notRun));
  });

  it.each(conformanceCases)('$name', (of) => {
    const { inputs, outputs } = fixtureOf(of.op, of.of, 'f64');
    expect(inputs.map(({ dtype, shape }) => ({ dtype, shape }))).toEqual(of.of.inputs);
    const actual = evaluate(of, inputs, 'f64');
    expect(actual.length).toBe(outputs.length);
    outputs.forEach((expected, i) => expectClose(actual[i], expected, 1e-12, `output ${i}`));

    const rounded = evaluate(of, fixtureOf(of.op, of.of, 'f32').inputs, 'f32');
    outputs.forEach((expected, i) => expectClose(rounded[i], expected, 2e-6, `f32 output ${i}`));
  });
});

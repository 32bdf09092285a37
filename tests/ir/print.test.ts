// How graphs read: a listing of a training step before and after the passes, and each form of attribute.

import { expect, it } from 'vitest';

import { constant, dimOf, variable } from '../../compiler/dims/arithmetic.ts';
import { createBuilder } from '../../compiler/ir/builder.ts';
import { printGraph } from '../../compiler/ir/print.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { optimise } from '../../compiler/transform/passes.ts';
import { perceptronStep, real, sizes } from '../transform/models.ts';

it('a training step, as built and as it runs', () => {
  const { graph } = perceptronStep([5, 7, 4]);
  expect(printGraph(graph)).toMatchSnapshot();
  expect(printGraph(optimise(graph))).toMatchSnapshot();
});

it('attributes', () => {
  const b = createBuilder();
  const batch = dimOf(variable('B'));
  const x = b.input('x', 'data', real([batch, ...sizes(3, 4)]));
  b.dotGeneral(x, x, { lhsBatch: [0], rhsBatch: [0], lhsContracting: [2], rhsContracting: [2] });
  b.dotGeneral(b.scalar(2), x, {
    lhsBatch: [],
    rhsBatch: [],
    lhsContracting: [],
    rhsContracting: [],
  });
  b.slice(x, sizes(0, 1, 0), [batch, ...sizes(3, 4)], sizes(1, 1, 2));
  b.pad(x, b.scalar(-Infinity), sizes(0, 1, 0), sizes(0, -1, 2), sizes(0, 0, 1));
  b.concatenate([x, x], 1);
  b.reduce('max', x, [2, 1]);
  b.cumsum(x, 1, { reverse: true });
  b.constant(tensor('i32', [9], [1, 2, 3, 4, 5, 6, 7, 8, 9]));
  b.constant(tensor('bool', [2], [1, 0]));
  b.compare('ge', x, b.fill(b.dim(batch, 'f32'), x.shape));
  b.unfold(x, {
    axes: [1],
    sizes: [constant(2)],
    strides: [constant(1)],
    dilations: [constant(1)],
  });
  expect(printGraph(b.graph('attributes'))).toMatchSnapshot();
});

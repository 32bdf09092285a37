// Conformance, part 2: the first and the second derivative of every case of every operation against central differences in
// float64. The second is that of a random projection of the first, so each rule is differentiated in its turn.

import { describe, expect, it } from 'vitest';

import type { Tensor } from '../../compiler/ir/tensor.ts';
import { differentiate } from '../../compiler/transform/differentiate.ts';
import type { ConformanceCase } from './conformance-cases.ts';
import { conformanceCases, nodeGraph } from './conformance-cases.ts';
import { fixtureOf } from './fixtures.ts';
import { isReal, project, randomNumbers } from './projections.ts';
import { runInterpreter } from './run-graph.ts';

/** Operations whose differences are not zero although no gradient passes. */
const heldConstant = ['stop_gradient'];

const differentiable = conformanceCases.filter(
  ({ op, of }) =>
    !heldConstant.includes(op.name) &&
    of.inputs.some(isReal) &&
    nodeGraph({ name: of.name, op, of }).outputs.some(isReal),
);

/** Outputs loss1, loss2 and, for every real input xi of the case, their derivatives d1/xi and d2/xi. */
function derivatives(of: ConformanceCase) {
  const { builder, inputs, outputs } = nodeGraph(of);
  const next = randomNumbers();
  const reals = inputs.filter(isReal);
  const first = project(builder, outputs, next);
  const gradients = builder.gradient(first, reals);
  const second = project(builder, gradients, next);
  const curvatures = builder.gradient(second, reals);
  builder.output('loss1', 'result', first);
  builder.output('loss2', 'result', second);
  inputs.forEach((x, i) => {
    const k = reals.indexOf(x);
    if (k < 0) return;
    builder.output(`d1/x${i}`, 'result', gradients[k]);
    builder.output(`d2/x${i}`, 'result', curvatures[k]);
  });
  return differentiate(builder.graph(of.name));
}

const step = 1e-5;
const mostElements = 40;

/** `x` with its element `at` moved by `by`. */
function moved(x: Tensor, at: number, by: number): Tensor {
  const data = x.data.slice();
  data[at] += by;
  return { ...x, data };
}

describe('derivatives against finite differences', () => {
  it('are tested for every operation that has them', () => {
    const tested = new Set(differentiable.map(({ op }) => op.name));
    const missing = conformanceCases
      .filter(({ op }) => op.gradient.kind === 'rule' && !tested.has(op.name))
      .map(({ op }) => op.name);
    expect(missing).toEqual([]);
  });

  it.each(differentiable)('$name', (of) => {
    const graph = derivatives(of);
    const { inputs } = fixtureOf(of.op, of.of, 'f64');
    const run = (xs: readonly Tensor[]) => runInterpreter(graph, xs, 'f64');
    const exact = run(inputs);
    for (const [i, x] of inputs.entries()) {
      if (!isReal(x)) continue;
      for (let at = 0; at < Math.min(x.data.length, mostElements); at++) {
        const above = run(inputs.with(i, moved(x, at, step)));
        const below = run(inputs.with(i, moved(x, at, -step)));
        for (const order of [1, 2]) {
          const loss = `loss${order}`;
          const difference = (above[loss].data[0] - below[loss].data[0]) / (2 * step);
          const derivative = exact[`d${order}/x${i}`].data[at];
          const error = Math.abs(derivative - difference) / Math.max(1, Math.abs(difference));
          if (!(error < 1e-7))
            expect.fail(
              `derivative ${order} by x${i}[${at}] is ${derivative}, differences give ${difference}`,
            );
        }
      }
    }
  });
});

// Operations that stand for a transformation to come: none is left in a graph that runs.

import type { TensorType } from '../graph.ts';
import { defineOp, notDifferentiable } from '../op.ts';
import type { Op } from '../op.ts';

const expandedBefore = (stage: string): never => {
  throw new Error(`a gradient marker reached ${stage}: differentiate expands them first`);
};

const gradient = defineOp<Record<string, never>>({
  name: 'gradient',
  doc: 'd y / d xs: the derivatives of the scalar y with respect to the values xs, each of the shape of its x. The pass `differentiate` replaces it, innermost first, so that a derivative can itself be differentiated.',
  operands: ['y', 'xs...'],
  type: ([y, ...xs]: readonly TensorType[]) => {
    if (y === undefined || y.dtype !== 'f32' || y.shape.length !== 0)
      return 'differentiates one real scalar';
    if (xs.some((x) => x.dtype !== 'f32')) return 'differentiates by real tensors only';
    return xs.map(({ dtype, shape }) => ({ dtype, shape }));
  },
  gradient: notDifferentiable('the pass that expands it differentiates what it expands to'),
  evaluate: () => expandedBefore('the interpreter'),
  onnx: () => expandedBefore('the ONNX emitter'),
  cases: [],
});

export const markerOps: readonly Op[] = [gradient];

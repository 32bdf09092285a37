// Operations for the pass `differentiate`, which leaves none of them in a graph that runs.

import { view } from '../../emit/wgsl/lowering.ts';
import type { TensorType } from '../graph.ts';
import { defineOp, notDifferentiable } from '../op.ts';
import type { Op } from '../op.ts';
import { shapesDiffer } from './type-rules.ts';

const expandedBefore = (stage: string): never => {
  throw new Error(`a gradient marker reached ${stage}: differentiate expands them first`);
};

const gradient = defineOp<Record<string, never>>({
  name: 'gradient',
  doc: 'sum(u * d y / d xs): the derivatives of y along u, of the shape of y, with respect to the values xs, each of the shape of its x; u is constant. The pass `differentiate` replaces it, innermost first, so that a derivative can itself be differentiated.',
  operands: ['y', 'u', 'xs...'],
  type: ([y, u, ...xs]: readonly TensorType[]) => {
    if (y?.dtype !== 'f32' || u === undefined) return 'differentiates one real tensor';
    const differ = shapesDiffer([y, u], 2);
    if (differ !== null) return differ;
    if (xs.some((x) => x.dtype !== 'f32')) return 'differentiates by real tensors only';
    return xs.map(({ dtype, shape }) => ({ dtype, shape }));
  },
  gradient: notDifferentiable('the pass that expands it differentiates what it expands to'),
  evaluate: () => expandedBefore('the interpreter'),
  onnx: () => expandedBefore('the ONNX emitter'),
  wgsl: { kind: 'composite', expand: () => expandedBefore('the WGSL emitter') },
  cases: [],
});

const variable = defineOp<{ readonly id: number }>({
  name: 'variable',
  doc: 'x itself, as a value that a derivative is taken with respect to: no rewriting before `differentiate` looks through it or merges two of them, so that a `gradient` means the same after. `differentiate` takes it away; `id` tells one from another.',
  operands: ['x'],
  type: (inputs: readonly TensorType[]) => shapesDiffer(inputs, 1) ?? [inputs[0]],
  gradient: { kind: 'rule', rule: ({ cotangents }) => cotangents },
  evaluate: ({ inputs: [x] }) => [x],
  onnx: ({ onnx, names: [x] }) => [onnx.node('Identity', [x])],
  wgsl: view((index) => index),
  cases: [
    {
      name: 'f32[2,3]',
      attributes: { id: 0 },
      inputs: [{ dtype: 'f32', shape: [2, 3] }],
      fixture: 'stop_gradient/f32[2,3]',
    },
  ],
});

export const markerOps: readonly Op[] = [gradient, variable];

// A value that solves an equation, differentiated by the equation and not by how it was found.

import type { Graph, TensorType } from '../graph.ts';
import { defineOp, notDifferentiable } from '../op.ts';
import { bodyGivesOther, bodyTakesOther } from './bodies.ts';

/** Operands: the `unknowns`, then what the body reads whole. */
export interface ImplicitAttributes {
  readonly [name: string]: Graph | number | string;
  readonly kind: 'fixed_point' | 'root';
  readonly unknowns: number;
  readonly tolerance: number;
  readonly limit: number;
  /** (z, the rest) -> f(z) */
  readonly body: Graph;
}

function typeOfImplicit(
  inputs: readonly TensorType[],
  { unknowns, body }: ImplicitAttributes,
): readonly TensorType[] | string {
  const z = inputs.slice(0, unknowns);
  if (z.some(({ dtype }) => dtype !== 'f32')) return 'solves for real tensors only';
  return bodyTakesOther(body, inputs) ?? bodyGivesOther(body, z) ?? z;
}

const implicit = defineOp<ImplicitAttributes>({
  name: 'implicit',
  doc: 'z itself, as the solution of f(z, a) = z (`fixed_point`) or, element by element, of f(z, a) = 0 (`root`); f is `body`. The implicit function theorem gives its derivative by a: with u = g + (df/dz)^T u, or u = -g / (df/dz), the cotangent of a is (df/da)^T u. By z the derivative is 0.',
  operands: ['z...', 'captured...'],
  type: typeOfImplicit,
  gradient: notDifferentiable('its derivative is not there yet'),
  evaluate: ({ inputs, attributes: { unknowns } }) => inputs.slice(0, unknowns),
  onnx: ({ names, attributes: { unknowns } }) => names.slice(0, unknowns),
  wgsl: { kind: 'composite', expand: (_, inputs, { unknowns }) => inputs.slice(0, unknowns) },
  cases: [],
});

export const implicitOps = [implicit];

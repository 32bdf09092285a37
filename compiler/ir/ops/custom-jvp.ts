// A value with a derivative that its author states.

import type { Graph, TensorType } from '../graph.ts';
import { defineOp, notDifferentiable } from '../op.ts';
import { bodyGivesOther, bodyTakesOther } from './bodies.ts';

/** Operands: y, the `variables` x, then what the body reads whole. */
export interface CustomJvpAttributes {
  readonly [name: string]: Graph | number;
  readonly variables: number;
  /** (x, dx, the rest) -> dy, linear in dx */
  readonly body: Graph;
}

function typeOfCustomJvp(
  [y, ...inputs]: readonly TensorType[],
  { variables, body }: CustomJvpAttributes,
): readonly TensorType[] | string {
  const xs = inputs.slice(0, variables);
  if (y === undefined || [y, ...xs].some(({ dtype }) => dtype !== 'f32'))
    return 'takes real tensors only';
  const wrong =
    bodyTakesOther(body, [...xs, ...xs, ...inputs.slice(variables)]) ?? bodyGivesOther(body, [y]);
  return wrong ?? [y];
}

const customJvp = defineOp<CustomJvpAttributes>({
  name: 'custom_jvp',
  doc: 'y itself, with the derivative dy = `body`(x, dx), which is linear in dx; the reverse rule is its transpose. By what else the body reads, the derivative is 0.',
  operands: ['y', 'xs...', 'captured...'],
  type: typeOfCustomJvp,
  gradient: notDifferentiable('its derivative is not there yet'),
  evaluate: ({ inputs: [y] }) => [y],
  onnx: ({ names: [y] }) => [y],
  wgsl: { kind: 'composite', expand: (_, [y]) => [y] },
  cases: [],
});

export const customJvpOps = [customJvp];

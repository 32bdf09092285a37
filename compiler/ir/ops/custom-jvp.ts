// A value with a derivative that its author states.

import type { Graph, TensorType, Value } from '../graph.ts';
import { inline } from '../inline.ts';
import type { Differentiation } from '../op.ts';
import { defineOp } from '../op.ts';
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

/** The rule is linear in dx, so its pullback by dx is its transpose, at any dx. */
function transposed({
  builder,
  inputs: [, ...operands],
  attributes: { variables, body },
  cotangents: [g],
  wanted,
  pullBack,
}: Differentiation<CustomJvpAttributes>): readonly (Value | null)[] {
  if (g === null) return wanted.map(() => null);
  const [xs, captured] = [operands.slice(0, variables), operands.slice(variables)];
  const isWanted = body.inputs.map(
    (_, i) => i >= variables && i < 2 * variables && wanted[1 + i - variables],
  );
  const { graph, cotangents } = pullBack(body, [true], isWanted);
  const anywhere = xs.map(({ shape }) => builder.full(0, shape));
  const made = inline(builder, graph, [...xs, ...anywhere, ...captured, g]);
  const byX = cotangents.slice(variables, 2 * variables);
  return [null, ...byX.map((i) => (i === null ? null : made[i])), ...captured.map(() => null)];
}

const customJvp = defineOp<CustomJvpAttributes>({
  name: 'custom_jvp',
  doc: 'y itself, with the derivative dy = `body`(x, dx), which is linear in dx; the reverse rule is its transpose. By what else the body reads, the derivative is 0.',
  operands: ['y', 'xs...', 'captured...'],
  type: typeOfCustomJvp,
  gradient: { kind: 'rule', rule: transposed },
  evaluate: ({ inputs: [y] }) => [y],
  onnx: ({ names: [y] }) => [y],
  wgsl: { kind: 'composite', expand: (_, [y]) => [y] },
  cases: [],
});

export const customJvpOps = [customJvp];

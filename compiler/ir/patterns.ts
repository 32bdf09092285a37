// Patterns of a few nodes that passes and emitters both look for, given what makes each value.

import type { Node, Value } from './graph.ts';
import { attributesIf } from './node-attributes.ts';

/** A builder is one. */
export interface Producers {
  readonly producerOf: (value: Value) => Node | undefined;
}

/** The number that every element of `value` is, if that is a constant, also one that was repeated over a shape. */
export function uniform(producers: Producers, value: Value): number | null {
  const node = producers.producerOf(value);
  if (node?.op === 'broadcast_in_dim') return uniform(producers, node.inputs[0]);
  const data = attributesIf('constant', node)?.value.data;
  if (data === undefined || data.length === 0) return null;
  const first = data[0];
  return data.every((x: number) => Object.is(x, first)) ? first : null;
}

/** The x of `select(x > 0, x, 0)`, which is how the IR spells relu(x). */
export function reluOperand(producers: Producers, node: Node | undefined): Value | null {
  if (node?.op !== 'select' || node.outputs[0].dtype !== 'f32') return null;
  const [predicate, x, other] = node.inputs;
  const compare = producers.producerOf(predicate);
  const direction = attributesIf('compare', compare)?.direction;
  if (compare === undefined || uniform(producers, other) !== 0) return null;
  const [a, b] = direction === 'lt' ? compare.inputs.toReversed() : compare.inputs;
  const isPositive = (direction === 'gt' || direction === 'lt') && a === x;
  return isPositive && uniform(producers, b) === 0 ? x : null;
}

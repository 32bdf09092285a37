// The softmax in a graph of primitives: largest = max x, e = exp(x - largest), total = sum e, and the ratio e / total.

import type { Node, Value } from '../../ir/graph.ts';
import { attributesIf } from '../../ir/node-attributes.ts';
import type { Index } from './indices.ts';
import { loweringOf, type ElementRead, type Network } from './network.ts';

export interface SoftmaxPattern {
  readonly x: Value;
  readonly axis: number;
  readonly largest: Value;
  readonly total: Value;
  readonly ratio: Value;
}

/** The softmax whose total a node makes. */
export function softmaxOf(network: Network, node: Node): SoftmaxPattern | null {
  const total = rowFold(node, 'add');
  const e = total && network.producerOf(total.x);
  if (!total || e?.op !== 'exponential') return null;
  const difference = network.producerOf(e.inputs[0]);
  if (difference?.op !== 'subtract') return null;
  const [x, repeated] = difference.inputs;
  const largest = repeatedRow(network, repeated, total.axis);
  const maximum = largest && network.producerOf(largest);
  const fold = maximum && rowFold(maximum, 'max');
  if (!largest || !fold || fold.x !== x || fold.axis !== total.axis) return null;
  const [of] = node.outputs;
  const ratio = network
    .usersOf(e.outputs[0])
    .find(
      ({ op, inputs }) =>
        op === 'divide' &&
        inputs[0] === e.outputs[0] &&
        repeatedRow(network, inputs[1], total.axis) === of,
    );
  return ratio === undefined
    ? null
    : { x, axis: total.axis, largest, total: of, ratio: ratio.outputs[0] };
}

/** What a reduction of one axis reduces. */
function rowFold(
  node: Node,
  kind: 'add' | 'max',
): { readonly x: Value; readonly axis: number } | null {
  const attributes = attributesIf('reduce', node);
  if (attributes?.kind !== kind || attributes.axes.length !== 1) return null;
  return { x: node.inputs[0], axis: attributes.axes[0] };
}

/** The value with one element a row that is repeated along `axis`. */
function repeatedRow(network: Network, value: Value, axis: number): Value | null {
  const node = network.producerOf(value);
  const axes = attributesIf('broadcast_in_dim', node)?.axes;
  const kept = value.shape.map((_, i) => i).filter((i) => i !== axis);
  return node !== undefined && axes?.join() === kept.join() ? node.inputs[0] : null;
}

/** Where an element lies in `source`, if views alone lead there. */
export function indexThroughViews(
  network: Network,
  { value, index }: ElementRead,
  source: Value,
): readonly Index[] | null {
  if (value === source) return index;
  const node = network.producerOf(value);
  const lowering = node === undefined ? null : loweringOf(node);
  if (node === undefined || lowering?.kind !== 'map' || lowering.cost !== 'free') return null;
  const reads = network.elementReads(node, index);
  return reads.length === 1 ? indexThroughViews(network, reads[0], source) : null;
}

// Finds relu, which the IR spells select(x > 0, x, 0), so that ONNX's own operator is written: one pass over memory instead
// of two, and runtimes fuse it into the matrix product or convolution before it. (For NaN the select gives 0, Relu what the
// runtime makes of it.)

import type { Graph, Node, Value } from '../../ir/graph.ts';
import { attributesIf } from '../../ir/node-attributes.ts';

/** The nodes that are the relu of a value, and that value. */
export function findRelus(graph: Graph): ReadonlyMap<Node, Value> {
  const producers = new Map<Value, Node>();
  const relus = new Map<Node, Value>();
  const isZero = (value: Value): boolean => {
    const producer = producers.get(value);
    if (producer?.op === 'broadcast_in_dim') return isZero(producer.inputs[0]);
    const constant = attributesIf('constant', producer)?.value;
    return constant !== undefined && constant.data.every((x: number) => x === 0);
  };
  const isPositivePart = ([predicate, x, other]: readonly Value[]): boolean => {
    const compare = producers.get(predicate);
    const direction = attributesIf('compare', compare)?.direction;
    if (compare === undefined || direction === undefined || !isZero(other)) return false;
    const [a, b] = compare.inputs;
    return (
      (direction === 'gt' && a === x && isZero(b)) || (direction === 'lt' && b === x && isZero(a))
    );
  };
  for (const node of graph.nodes) {
    if (node.op === 'select' && node.outputs[0].dtype === 'f32' && isPositivePart(node.inputs))
      relus.set(node, node.inputs[1]);
    for (const output of node.outputs) producers.set(output, node);
  }
  return relus;
}

// Finds relu, which the IR spells select(x > 0, x, 0), so that ONNX's own operator is written: one pass over memory instead
// of two, and runtimes fuse it into the matrix product or convolution before it. (For NaN the select gives 0, Relu what the
// runtime makes of it.)

import type { Graph, Node, Value } from '../../ir/graph.ts';
import { reluOperand } from '../../ir/patterns.ts';

/** The nodes that are the relu of a value, and that value. */
export function findRelus(graph: Graph): ReadonlyMap<Node, Value> {
  const makers = new Map<Value, Node>();
  const relus = new Map<Node, Value>();
  for (const node of graph.nodes) {
    const x = reluOperand({ producerOf: (value) => makers.get(value) }, node);
    if (x !== null) relus.set(node, x);
    for (const output of node.outputs) makers.set(output, node);
  }
  return relus;
}

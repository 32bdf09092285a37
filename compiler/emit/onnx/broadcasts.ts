// Which broadcasts ONNX need not carry out: its elementwise operators stretch their operands themselves. The IR broadcasts
// explicitly; here an elementwise node reads the small tensor, rank aligned, and only other readers get the expanded one.

import { attributesIf } from '../../ir/node-attributes.ts';
import type { Graph, Node, Value } from '../../ir/graph.ts';

export interface Broadcasts {
  /** The broadcast that makes `value`, where `reader` may read what it broadcasts instead. */
  readonly avoided: (reader: Node, value: Value) => Node | null;
}

/** `stretches`: whether the lowering of an operation lets ONNX stretch its operands. */
export function findBroadcasts(graph: Graph, stretches: (op: string) => boolean): Broadcasts {
  const producers = new Map<Value, Node>();
  for (const node of graph.nodes)
    if (node.op === 'broadcast_in_dim') producers.set(node.outputs[0], node);
  const expanded = new Map<Node, Value>();
  for (const node of graph.nodes)
    if (stretches(node.op)) {
      const value = needed(node, producers);
      if (value !== null) expanded.set(node, value);
    }
  return {
    avoided: (reader, value) =>
      stretches(reader.op) && expanded.get(reader) !== value
        ? (producers.get(value) ?? null)
        : null,
  };
}

/** An operand that has to be expanded, since without it some axis of the result would be missing or too short. */
function needed(node: Node, producers: ReadonlyMap<Value, Node>): Value | null {
  const covered = new Set<number>();
  for (const value of node.inputs) {
    const producer = producers.get(value);
    const axes =
      producer === undefined
        ? value.shape.keys()
        : (attributesIf('broadcast_in_dim', producer)?.axes ?? []);
    for (const axis of axes) covered.add(axis);
  }
  if (covered.size === node.outputs[0].shape.length) return null;
  return node.inputs.find((value) => producers.has(value)) ?? null;
}

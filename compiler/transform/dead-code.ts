// Removes the nodes that no output depends on. Input ports stay: they are the caller's interface.

import type { Graph, Value } from '../ir/graph.ts';

export function removeDeadCode(graph: Graph): Graph {
  const alive = new Set<Value>(graph.outputs.map(({ value }) => value));
  const nodes = graph.nodes
    .toReversed()
    .filter((node) => {
      if (!node.outputs.some((output) => alive.has(output))) return false;
      for (const input of node.inputs) alive.add(input);
      return true;
    })
    .reverse();
  return nodes.length === graph.nodes.length ? graph : { ...graph, nodes };
}

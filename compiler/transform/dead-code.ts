// Removes the nodes that no output depends on, and of loops what no result needs. Input ports stay: they are the caller's interface.

import type { Graph, Value } from '../ir/graph.ts';
import { pruneLoop } from './prune-loops.ts';

export function removeDeadCode(graph: Graph): Graph {
  const alive = new Set<Value>(graph.outputs.map(({ value }) => value));
  let changed = false;
  const nodes = graph.nodes
    .toReversed()
    .flatMap((node) => {
      const isAlive = node.outputs.map((output) => alive.has(output));
      const pruned = isAlive.includes(true) ? pruneLoop(node, isAlive, removeDeadCode) : null;
      changed ||= pruned !== node;
      for (const input of pruned?.inputs ?? []) alive.add(input);
      return pruned === null ? [] : [pruned];
    })
    .reverse();
  return changed ? { ...graph, nodes } : graph;
}

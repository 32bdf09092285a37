// Passes inside the bodies of loops.

import { hasBody, isGraph } from '../ir/attributes.ts';
import type { Attributes, Graph, Node } from '../ir/graph.ts';

type Change = (graph: Graph) => Graph;

/** The pass applied to every body, innermost first, and then to the graph. */
export function everywhere(change: Change): Change {
  const run: Change = (graph) => change(mapBodies(graph, run));
  return run;
}

/** The graph with the bodies of its nodes changed; values stay. */
export function mapBodies(graph: Graph, change: Change): Graph {
  const nodes = graph.nodes.map((node) => withBodies(node, change));
  return nodes.every((node, i) => node === graph.nodes[i]) ? graph : { ...graph, nodes };
}

function withBodies(node: Node, change: Change): Node {
  if (!hasBody(node.attributes)) return node;
  let changed = false;
  const attributes: Attributes = Object.fromEntries(
    Object.entries(node.attributes).map(([name, attribute]) => {
      if (!isGraph(attribute)) return [name, attribute];
      const after = change(attribute);
      changed ||= after !== attribute;
      return [name, after];
    }),
  );
  return changed ? { ...node, attributes } : node;
}

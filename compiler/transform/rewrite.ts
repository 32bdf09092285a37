// The frame every rewriting pass runs in: walks a graph once in order, builds the new one, and keeps the two in step.

import type { GraphBuilder, Shortcut } from '../ir/builder.ts';
import { createBuilder } from '../ir/builder.ts';
import type { Graph, Node, Value } from '../ir/graph.ts';

/** What stands for `node`'s outputs, from its already rewritten inputs; null keeps the node. */
export type Rewriter = (
  node: Node,
  inputs: readonly Value[],
  builder: GraphBuilder,
) => readonly Value[] | null;

/** A new graph in which every node is replaced by what `replace` builds for it, at the node's origin; `shortcut` is the builder's. */
export function rewrite(graph: Graph, replace: Rewriter, shortcut?: Shortcut): Graph {
  const builder = createBuilder({ firstId: firstFreeId(graph), shortcut });
  const images = new Map<Value, Value>();
  const imageOf = (value: Value): Value => images.get(value) ?? value;
  graph.inputs.forEach(builder.appendInput);
  for (const node of graph.nodes)
    builder.at(node.origin, () => {
      const inputs = node.inputs.map(imageOf);
      const replacement = replace(node, inputs, builder);
      if (replacement === null) builder.append(withInputs(node, inputs));
      else node.outputs.forEach((output, i) => images.set(output, replacement[i]));
    });
  for (const { name, role, value } of graph.outputs) builder.output(name, role, imageOf(value));
  return builder.graph(graph.name);
}

/** The node reading `inputs`, itself where they are the same. */
const withInputs = (node: Node, inputs: readonly Value[]): Node =>
  inputs.every((value, i) => value === node.inputs[i]) ? node : { ...node, inputs };

/** Above every id of the graph. */
function firstFreeId(graph: Graph): number {
  let last = -1;
  for (const { value } of graph.inputs) last = Math.max(last, value.id);
  for (const { outputs } of graph.nodes) for (const { id } of outputs) last = Math.max(last, id);
  return last + 1;
}

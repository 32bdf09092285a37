// The nodes of one graph written into another. A body is closed, so a node with bodies is copied as it is.

import type { Builder } from './builder-types.ts';
import type { Graph, Node, Value } from './graph.ts';

/** Appends what `graph` computes from `inputs`; its results. */
export function inline(builder: Builder, graph: Graph, inputs: readonly Value[]): readonly Value[] {
  const images = new Map(graph.inputs.map(({ value }, i) => [value, inputs[i]]));
  inlineNodes(builder, graph.nodes, images);
  return graph.outputs.map(({ value }) => imageOf(images, value));
}

/** Appends copies of `nodes`, reading what `images` says of the values they read; adds theirs to it. */
export function inlineNodes(
  builder: Builder,
  nodes: readonly Node[],
  images: Map<Value, Value>,
): void {
  for (const { op, inputs, attributes, outputs, origin } of nodes)
    builder.at(origin, () => {
      const made = builder.emit(
        op,
        inputs.map((value) => imageOf(images, value)),
        attributes,
      );
      outputs.forEach((value, i) => images.set(value, made[i]));
    });
}

/** What stands for `value`. */
export function imageOf(images: ReadonlyMap<Value, Value>, value: Value): Value {
  const image = images.get(value);
  if (image === undefined) throw new Error(`value ${value.id} has no image`);
  return image;
}

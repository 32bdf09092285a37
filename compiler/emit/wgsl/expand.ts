// Prepares a graph for scheduling: composites become the operations they are written in, long reductions shorter ones, loops what the GPU
// repeats, and a concatenation of many parts one of concatenations, since a kernel has only so many buffers.

import type { Graph, Node, Value } from '../../ir/graph.ts';
import type { GraphBuilder } from '../../ir/builder.ts';
import { attributesIf } from '../../ir/node-attributes.ts';
import { shareCommonSubexpressions } from '../../transform/common-subexpressions.ts';
import { removeDeadCode } from '../../transform/dead-code.ts';
import { rewrite } from '../../transform/rewrite.ts';
import { simplify } from '../../transform/simplify.ts';
import { prepareLoops } from './loops.ts';
import { shortenReductions } from './long-reductions.ts';
import { loweringOf } from './network.ts';
import { shortenRowSums } from './softmax-gradient.ts';

/** Parts of a concatenation that one kernel reads: with its output, within the buffers of WebGPU's default limits. */
const mostParts = 6;

export const expand = (graph: Graph): Graph =>
  prepareLoops(shortenReductions(shortenRowSums(expandComposites(graph))), expand);

function expandComposites(graph: Graph): Graph {
  const expanded = rewrite(graph, expandNode);
  const tidy = removeDeadCode(
    shareCommonSubexpressions(simplify(shareCommonSubexpressions(expanded))),
  );
  return tidy.nodes.some(isComposite) ? expandComposites(tidy) : tidy;
}

const isComposite = (node: Node): boolean => loweringOf(node).kind === 'composite';

function expandNode(
  node: Node,
  inputs: readonly Value[],
  builder: GraphBuilder,
): readonly Value[] | null {
  const lowering = loweringOf(node);
  if (lowering.kind === 'composite') return lowering.expand(builder, inputs, node.attributes);
  const axis = attributesIf('concatenate', node)?.axis;
  return axis === undefined || inputs.length <= mostParts
    ? null
    : [concatenateInParts(builder, inputs, axis)];
}

function concatenateInParts(builder: GraphBuilder, parts: readonly Value[], axis: number): Value {
  if (parts.length <= mostParts) return builder.concatenate(parts, axis);
  const groups = Array.from({ length: Math.ceil(parts.length / mostParts) }, (_, i) =>
    builder.concatenate(parts.slice(i * mostParts, (i + 1) * mostParts), axis),
  );
  return concatenateInParts(builder, groups, axis);
}

// Computes every expression once: nodes with one operation, the same operands and equal attributes become the first of them.

import { attributeKey } from '../ir/attributes.ts';
import type { Graph, Node, Value } from '../ir/graph.ts';
import { rewrite } from './rewrite.ts';

export function shareCommonSubexpressions(graph: Graph): Graph {
  const first = new Map<string, readonly Value[]>();
  return rewrite(graph, (node, inputs) => {
    const key = keyOf(node, inputs);
    const known = first.get(key);
    if (known === undefined) first.set(key, node.outputs);
    return known ?? null;
  });
}

/** Operands in either order are the same expression. */
const commutative = new Set(['add', 'multiply', 'maximum', 'minimum', 'and', 'or', 'xor']);

function keyOf({ op, attributes }: Node, inputs: readonly Value[]): string {
  const ids = inputs.map(({ id }) => id);
  const operands = commutative.has(op) ? ids.sort((a, b) => a - b) : ids;
  return `${op}(${operands.join(',')})${attributeKey(attributes)}`;
}

// Reverse-mode differentiation, source to source: each `gradient` marker becomes the nodes that compute it. What it makes
// are ordinary primitives, so a gradient of a gradient is the same step again. Runs before the simplifying passes.
//
// Baydin et al. 2018, "Automatic differentiation in machine learning: a survey", section 3.2, with the tape replaced by
// the graph itself.

import type { Builder } from '../ir/builder-types.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import type { Graph, Node, Value } from '../ir/graph.ts';
import { opNamed } from '../ir/registry.ts';
import { rewrite } from './rewrite.ts';

/** What only tells differentiation how to go. */
const transparent: ReadonlySet<string> = new Set(['stop_gradient', 'variable']);

/**
 * `graph` with its gradient markers expanded; a marker inside another's path comes earlier and is expanded first. Then nothing is
 * left to differentiate, and stop_gradient and variable go.
 */
export function differentiate(graph: Graph): Graph {
  const expanded = rewrite(graph, (node, [y, ...xs], builder) =>
    node.op === 'gradient' ? gradientOf(builder, y, xs) : null,
  );
  return rewrite(expanded, (node, inputs) => (transparent.has(node.op) ? inputs : null));
}

/**
 * The derivatives of the scalar `y` with respect to each of `xs`: of y as a function of that value, through every node
 * between, also where that passes another of xs. Zeros where nothing connects them.
 */
export function gradientOf(
  builder: GraphBuilder,
  y: Value,
  xs: readonly Value[],
): readonly Value[] {
  const { order, dependent } = nodesBetween(builder, xs, y);
  const contributions = new Map<Value, Value[]>();
  if (dependent.has(y)) contributions.set(y, [builder.scalar(1)]);
  const cotangentOf = (value: Value): Value | null => {
    const parts = contributions.get(value);
    if (parts === undefined) return null;
    const total = balancedSum(builder, parts);
    contributions.set(value, [total]);
    return total;
  };
  for (const node of order.toReversed())
    builder.at(node.origin, () => {
      for (const [input, cotangent] of pullBack(builder, node, dependent, cotangentOf))
        appendTo(contributions, input, cotangent);
    });
  return xs.map((x) => cotangentOf(x) ?? builder.full(0, x.shape, x.dtype));
}

/** The nodes that y depends on and that depend on xs, in order, and the values that do. */
function nodesBetween(
  builder: GraphBuilder,
  xs: readonly Value[],
  y: Value,
): { order: readonly Node[]; dependent: ReadonlySet<Value> } {
  const before = new Set<number>();
  const open: Value[] = [y];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    const index = builder.indexOf(value);
    if (index === undefined || before.has(index)) continue;
    before.add(index);
    open.push(...builder.nodes[index].inputs);
  }
  const dependent = new Set<Value>(xs);
  const order: Node[] = [];
  for (const index of [...before].sort((a, b) => a - b)) {
    const node = builder.nodes[index];
    if (opNamed(node.op).gradient.kind === 'none') continue;
    if (!node.inputs.some((input) => dependent.has(input))) continue;
    order.push(node);
    for (const output of node.outputs) if (output.dtype === 'f32') dependent.add(output);
  }
  return { order, dependent };
}

/** The cotangents that one node sends to its inputs, those on a path only. */
function pullBack(
  builder: Builder,
  node: Node,
  dependent: ReadonlySet<Value>,
  cotangentOf: (value: Value) => Value | null,
): readonly (readonly [Value, Value])[] {
  const { gradient } = opNamed(node.op);
  const cotangents = node.outputs.map(cotangentOf);
  if (gradient.kind === 'none' || cotangents.every((g) => g === null)) return [];
  const { inputs, outputs, attributes } = node;
  const wanted = inputs.map((input) => dependent.has(input));
  return gradient
    .rule({ builder, inputs, outputs, attributes, cotangents, wanted })
    .flatMap((g, i) => (g === null || !wanted[i] ? [] : [[inputs[i], g] as const]));
}

function appendTo(lists: Map<Value, Value[]>, key: Value, item: Value): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}

/** A tree of additions: for n terms the rounding error grows with log n, and no chain of n additions holds up the rest. */
function balancedSum(builder: Builder, terms: readonly Value[]): Value {
  if (terms.length === 1) return terms[0];
  const half = Math.ceil(terms.length / 2);
  return builder.add(
    balancedSum(builder, terms.slice(0, half)),
    balancedSum(builder, terms.slice(half)),
  );
}

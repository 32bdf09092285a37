// Reverse-mode differentiation, source to source: each `gradient` marker becomes the nodes that compute it. What it makes
// are ordinary primitives, so a gradient of a gradient is the same step again. Runs before the simplifying passes.
//
// Baydin et al. 2018, "Automatic differentiation in machine learning: a survey", section 3.2, with the tape replaced by
// the graph itself.

import type { Builder } from '../ir/builder-types.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import { createBuilder } from '../ir/builder.ts';
import type { Attributes, Graph, Node, Value } from '../ir/graph.ts';
import { inline } from '../ir/inline.ts';
import type { Pullback } from '../ir/op.ts';
import { opNamed } from '../ir/registry.ts';
import { everywhere } from './bodies.ts';
import { shareCommonSubexpressions } from './common-subexpressions.ts';
import { removeDeadCode } from './dead-code.ts';
import { rewrite } from './rewrite.ts';
import { simplify } from './simplify.ts';

/** What only tells differentiation how to go, and the results that stand for it afterwards. */
const transparent: Readonly<
  Record<string, (inputs: readonly Value[], node: Node) => readonly Value[]>
> = {
  stop_gradient: (inputs) => inputs,
  variable: (inputs) => inputs,
  implicit: (inputs, { outputs }) => inputs.slice(0, outputs.length),
  custom_jvp: ([y]) => [y],
};

/**
 * `graph` with its gradient markers expanded, those of its bodies first; a marker inside another's path comes earlier and is
 * expanded before it. Then nothing is left to differentiate, and what only told how goes.
 */
export const differentiate = (graph: Graph): Graph => everywhere(withoutRules)(expand(graph));

const expand = everywhere((graph) =>
  rewrite(graph, (node, [y, along, ...xs], builder) =>
    node.op === 'gradient' ? gradientOf(builder, y, xs, along) : null,
  ),
);

const withoutRules = (graph: Graph): Graph =>
  rewrite(graph, (node, inputs) => transparent[node.op]?.(inputs, node) ?? null);

/**
 * The derivatives of `y`, along `along`, with respect to each of `xs`: of y as a function of that value, through every node
 * between, also where that passes another of xs. Zeros where nothing connects them.
 */
export function gradientOf(
  builder: GraphBuilder,
  y: Value,
  xs: readonly Value[],
  along: Value = builder.scalar(1),
): readonly Value[] {
  const cotangents = cotangentsOf(builder, new Map([[y, along]]), xs);
  return xs.map((x, i) => cotangents[i] ?? builder.full(0, x.shape, x.dtype));
}

/** The cotangents of `xs`, given those of some values that may depend on them; null where nothing does. */
function cotangentsOf(
  builder: GraphBuilder,
  seeds: ReadonlyMap<Value, Value>,
  xs: readonly Value[],
): readonly (Value | null)[] {
  const { order, dependent } = nodesBetween(builder, xs, [...seeds.keys()]);
  const contributions = new Map<Value, Value[]>();
  for (const [y, seed] of seeds) if (dependent.has(y)) contributions.set(y, [seed]);
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
  return xs.map(cotangentOf);
}

/** The nodes that some of ys depend on and that depend on xs, in order, and the values that do. */
function nodesBetween(
  builder: GraphBuilder,
  xs: readonly Value[],
  ys: readonly Value[],
): { order: readonly Node[]; dependent: ReadonlySet<Value> } {
  const before = new Set<number>();
  const open: Value[] = [...ys];
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
  builder: GraphBuilder,
  node: Node,
  dependent: ReadonlySet<Value>,
  cotangentOf: (value: Value) => Value | null,
): readonly (readonly [Value, Value])[] {
  const { gradient } = opNamed(node.op);
  const cotangents = node.outputs.map(cotangentOf);
  if (gradient.kind === 'none' || cotangents.every((g) => g === null)) return [];
  const { inputs, outputs, attributes } = node;
  const wanted = inputs.map((input) => dependent.has(input));
  const extend = (changed: Attributes): readonly Value[] => builder.extend(node, changed);
  return gradient
    .rule({
      builder,
      inputs,
      outputs,
      attributes,
      cotangents,
      wanted,
      pullBack: pullBackBody,
      extend,
    })
    .flatMap((g, i) => (g === null || !wanted[i] ? [] : [[inputs[i], g] as const]));
}

/** See `Differentiation.pullBack`. The graph is tidied, so that what a loop saves of it is what its derivative needs. */
function pullBackBody(
  body: Graph,
  given: readonly boolean[],
  wanted: readonly boolean[],
): Pullback {
  const builder = createBuilder();
  const inputs = body.inputs.map(({ name, value }) => builder.input(name, 'data', value));
  const outputs = inline(builder, body, inputs);
  const seeds = new Map<Value, Value>();
  outputs.forEach((y, i) => {
    if (!given[i]) return;
    const g = builder.input(`g${i}`, 'data', y);
    const before = seeds.get(y);
    seeds.set(y, before === undefined ? g : builder.add(before, g));
  });
  const asked = inputs.filter((_, i) => wanted[i]);
  const found = cotangentsOf(builder, seeds, asked);
  body.outputs.forEach(({ name }, i) => builder.output(name, 'result', outputs[i]));
  let next = outputs.length;
  const cotangents = inputs.map((input, i) => {
    const g = wanted[i] ? found[asked.indexOf(input)] : null;
    if (g === null) return null;
    builder.output(`d${body.inputs[i].name}`, 'result', g);
    return next++;
  });
  return { graph: tidy(builder.graph(`${body.name} back`)), cotangents };
}

const tidy = (graph: Graph): Graph =>
  removeDeadCode(shareCommonSubexpressions(simplify(shareCommonSubexpressions(graph))));

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

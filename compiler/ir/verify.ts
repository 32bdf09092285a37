// The verifier: whether a graph keeps the invariants every pass relies on. Tests run it after each pass.

import { isGraph } from './attributes.ts';
import type { Graph, Node, TensorType, Value } from './graph.ts';
import { registry } from './registry.ts';
import { differ } from './shape-arithmetic.ts';
import { showType } from './types.ts';

/**
 * What is wrong with `graph`, a sentence each: a value read before it is made or made twice, an output type that the
 * record's rule does not give, two ports of one name, an output that nothing makes; in bodies too. Empty for a good graph.
 */
export function verify(graph: Graph): readonly string[] {
  const problems: string[] = [];
  const defined = new Set<Value>();
  const ids = new Set<number>();
  const define = (value: Value, by: string): void => {
    if (defined.has(value)) problems.push(`${by} defines value ${value.id} a second time`);
    else if (ids.has(value.id)) problems.push(`${by} reuses the id ${value.id}`);
    defined.add(value);
    ids.add(value.id);
  };
  for (const { name, value } of graph.inputs) define(value, `input ${name}`);
  for (const [i, node] of graph.nodes.entries()) {
    const label = `node ${i} (${node.op}${node.origin.path && ` in ${node.origin.path}`})`;
    for (const value of node.inputs)
      if (!defined.has(value)) problems.push(`${label} reads value ${value.id} before it is made`);
    problems.push(...wrongTypes(node).map((text) => `${label} ${text}`));
    for (const body of Object.values(node.attributes).filter(isGraph))
      problems.push(...verify(body).map((text) => `${label}, in its body: ${text}`));
    for (const value of node.outputs) define(value, label);
  }
  for (const { name, value } of graph.outputs)
    if (!defined.has(value))
      problems.push(`output ${name} is value ${value.id}, which nothing makes`);
  for (const ports of [graph.inputs, graph.outputs])
    problems.push(
      ...repeated(ports.map(({ name }) => name)).map((name) => `two ports are named ${name}`),
    );
  return problems;
}

function wrongTypes({ op, inputs, attributes, outputs }: Node): string[] {
  const record = registry[op];
  if (record === undefined) return ['is no operation'];
  const types = record.type(inputs, attributes);
  if (typeof types === 'string') return [`is ill-typed: ${types}`];
  if (types.length !== outputs.length)
    return [`has ${outputs.length} results, not ${types.length}`];
  return types.flatMap((type: TensorType, i) =>
    mayBeSame(type, outputs[i])
      ? []
      : [`result ${i} is ${showType(outputs[i])}, not ${showType(type)}`],
  );
}

/** Sizes that only an assumption of the program makes equal are let through, as the type rules do. */
const mayBeSame = (a: TensorType, b: TensorType): boolean =>
  a.dtype === b.dtype &&
  a.shape.length === b.shape.length &&
  !a.shape.some((size, axis) => differ(size, b.shape[axis]));

function repeated(names: readonly string[]): string[] {
  const seen = new Set<string>();
  return names.filter((name) => seen.size === seen.add(name).size);
}

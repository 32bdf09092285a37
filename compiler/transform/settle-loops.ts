// Takes out of loops what need not be in them: what is the same in every step goes before the loop, a carry that never changes is
// its first value, a row read by the index runs with the loop. What is captured twice is captured once, and what is brief
// (see isBrief) goes in, where rules see it.

import type { GraphBuilder } from '../ir/builder.ts';
import type { Graph, Node, Value } from '../ir/graph.ts';
import { imageOf, inlineNodes } from '../ir/inline.ts';
import type { ScanAttributes, WhileAttributes } from '../ir/loop-attributes.ts';
import { isBrief } from '../ir/loops.ts';
import { attributesIf } from '../ir/node-attributes.ts';
import { batchRows } from './batch-rows.ts';
import { everywhere } from './bodies.ts';
import type { Split } from './indexed-rows.ts';
import { indexedRows } from './indexed-rows.ts';
import { rewrite } from './rewrite.ts';

export const settleLoops = everywhere((graph: Graph) =>
  rewrite(graph, (node, inputs, builder) => {
    const scan = attributesIf('scan', node);
    if (scan !== null) return settleScan(builder, scan, inputs);
    const loop = attributesIf('while', node);
    return loop === null ? null : settleWhile(builder, loop, inputs);
  }),
);

function settleScan(
  builder: GraphBuilder,
  { count, reverse, recompute, carries, xs, body }: ScanAttributes,
  inputs: readonly Value[],
): readonly Value[] {
  const own = body.inputs.map(({ value }) => value);
  const results = body.outputs.map(({ value }) => value);
  const whole = new Map(
    own.slice(1 + carries + xs).map((value, i) => [value, inputs[carries + xs + i]]),
  );
  const changing = changingCarries(own.slice(1, 1 + carries), results, inputs, whole);
  const split = hoist(builder, body, whole);
  const given = own.slice(1 + carries, 1 + carries + xs);
  const read = indexedRows(builder, split, own[0], count);
  const rows = [...given.map((row, i) => ({ x: inputs[carries + i], row })), ...read.rows];
  const batched = batchRows(builder, { ...split, nodes: read.nodes }, rows, results, count);
  const { nodes } = batched;
  const running = new Map<Value, Value[]>();
  for (const { x, row } of [...rows, ...batched.rows])
    running.set(x, [...(running.get(x) ?? []), row]);
  const loop = builder.scan(
    count,
    changing.map((i) => inputs[i]),
    [...running.keys()],
    (c, t, current, slices) => {
      const images = new Map<Value, Value>([...whole, [own[0], t]]);
      changing.forEach((i, k) => images.set(own[1 + i], current[k]));
      [...running.values()].forEach((same, k) => same.forEach((row) => images.set(row, slices[k])));
      inlineNodes(c, nodes, images);
      const made = results.map((value) => imageOf(images, value));
      return { carries: changing.map((i) => made[i]), ys: made.slice(carries) };
    },
    { reverse, recompute },
  );
  return [...withFirst(inputs.slice(0, carries), changing, loop.carries), ...loop.ys];
}

function settleWhile(
  builder: GraphBuilder,
  { limit, carries, body }: WhileAttributes,
  inputs: readonly Value[],
): readonly Value[] {
  const own = body.inputs.map(({ value }) => value);
  const results = body.outputs.map(({ value }) => value);
  const whole = new Map(own.slice(1 + carries).map((value, i) => [value, inputs[carries + i]]));
  const changing = changingCarries(own.slice(1, 1 + carries), results, inputs, whole);
  const { nodes } = hoist(builder, body, whole);
  const loop = builder.whileLoop(
    limit,
    changing.map((i) => inputs[i]),
    (c, t, current) => {
      const images = new Map<Value, Value>([...whole, [own[0], t]]);
      changing.forEach((i, k) => images.set(own[1 + i], current[k]));
      inlineNodes(c, nodes, images);
      const made = results.map((value) => imageOf(images, value));
      return { carries: changing.map((i) => made[i]), done: made[carries] };
    },
  );
  const first = withFirst(inputs.slice(0, carries), changing, loop.carries);
  return [...first, loop.steps, loop.done];
}

/** The carries that a step may change; the others become captured values. */
function changingCarries(
  carries: readonly Value[],
  results: readonly Value[],
  inputs: readonly Value[],
  whole: Map<Value, Value>,
): readonly number[] {
  return carries.flatMap((carry, i) => {
    if (results[i] !== carry) return [i];
    whole.set(carry, inputs[i]);
    return [];
  });
}

/** The last value of every carry, from those of the carries that change. */
const withFirst = (
  first: readonly Value[],
  changing: readonly number[],
  last: readonly Value[],
): readonly Value[] =>
  first.map((value, i) => (changing.includes(i) ? last[changing.indexOf(i)] : value));

/** Appends what depends on `whole` values alone to the graph around; what is brief goes with those that read it. */
function hoist(builder: GraphBuilder, body: Graph, whole: Map<Value, Value>): Split {
  const makers = new Map<Value, Node>();
  const isWhole = (value: Value): boolean => {
    const node = makers.get(value);
    return whole.has(value) || (node !== undefined && isBrief(node) && node.inputs.every(isWhole));
  };
  const bring = (value: Value): void => {
    const node = makers.get(value);
    if (whole.has(value) || node === undefined) return;
    node.inputs.forEach(bring);
    inlineNodes(builder, [node], whole);
  };
  const nodes = body.nodes.filter((node) => {
    for (const value of node.outputs) makers.set(value, node);
    if (node.op === 'variable' || isBrief(node) || !node.inputs.every(isWhole)) return true;
    bring(node.outputs[0]);
    return false;
  });
  return { whole, bring, nodes };
}

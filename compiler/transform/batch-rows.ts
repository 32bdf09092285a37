// What a step of a loop makes of its row alone is made for all steps at once, before the loop, where that is a product with
// something that stays the same: one large matrix product in place of one a step. The steps then get its rows.

import type { Dim } from '../dims/dim.ts';
import type { DotDimensions } from '../ir/builder-types.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import { freeAxes } from '../ir/dot-dimensions.ts';
import type { Attributes, Node, Value } from '../ir/graph.ts';
import { opNamed } from '../ir/registry.ts';
import { range } from '../ir/shape-arithmetic.ts';
import type { RunningRow, Split } from './indexed-rows.ts';

export interface Batched {
  readonly rows: readonly RunningRow[];
  /** The nodes that stay in the body. */
  readonly nodes: readonly Node[];
}

/** `results`: what the body hands out. */
export function batchRows(
  builder: GraphBuilder,
  { nodes, whole, bring }: Split,
  running: readonly RunningRow[],
  results: readonly Value[],
  count: Dim,
): Batched {
  const stacks = new Map<Value, Value>(running.map(({ x, row }) => [row, x]));
  const makers = new Map<Value, Node>();
  const ofRows = new Set<Value>(stacks.keys());
  const early = new Set<Node>();
  const isWhole = (value: Value): boolean => whole.has(value) || isLiteral(makers.get(value));
  const isLiteral = (node: Node | undefined): boolean =>
    node !== undefined && !ofRows.has(node.outputs[0]) && node.inputs.every(isWhole);
  const uses = countUses(nodes, results);
  const all: Node[] = [];
  const visit = (node: Node): void => {
    all.push(node);
    const [output, ...others] = node.outputs;
    const known = node.inputs.every((value) => ofRows.has(value) || isWhole(value));
    const isRow = node.inputs.some((value) => ofRows.has(value));
    makers.set(output, node);
    if (!known || !isRow || others.length > 0 || !(isElementwise(node) || node.op in rules)) return;
    ofRows.add(output);
    const follows = isElementwise(node) && node.inputs.some(isEarly);
    if (node.op === 'dot_general' || follows) early.add(node);
  };
  const isEarly = (value: Value): boolean => {
    const node = makers.get(value);
    return node !== undefined && early.has(node);
  };
  const addsTo = (value: Value): Node | undefined => {
    const node = makers.get(value);
    return node?.op === 'add' && uses.get(value) === 1 && !early.has(node) ? node : undefined;
  };
  const isOnlyHere = (value: Value): boolean =>
    isEarly(value) || (stacks.has(value) && uses.get(value) === 1);
  for (const node of nodes) {
    const sum = node.op === 'add' ? regrouped(node, addsTo, isOnlyHere, isWhole) : [node];
    sum.forEach(visit);
    if (sum.length > 1) early.add(sum[0]);
  }
  const context: Context = {
    builder,
    count,
    whole: (value) => {
      bring(value);
      return whole.get(value) ?? value;
    },
    isRow: (value) => ofRows.has(value),
    stackOf(value) {
      let stack = stacks.get(value);
      const node = makers.get(value);
      if (stack === undefined && node !== undefined)
        stacks.set(value, (stack = builder.at(node.origin, () => stackedNode(context, node))));
      if (stack === undefined) throw new Error(`value ${value.id} is not of a row`);
      return stack;
    },
  };
  const rest = all.filter((node) => !early.has(node));
  const read = new Set([...rest.flatMap(({ inputs }) => inputs), ...results]);
  const rows = [...early].flatMap(({ outputs: [row] }) =>
    read.has(row) ? [{ x: context.stackOf(row), row }] : [],
  );
  return { rows, nodes: rest };
}

/** `(early + late) + whole` as `(early + whole) + late`, whose first sum comes before the loop. */
function regrouped(
  node: Node,
  addsTo: (value: Value) => Node | undefined,
  isEarly: (value: Value) => boolean,
  isWhole: (value: Value) => boolean,
): readonly Node[] {
  for (const [x, whole] of [node.inputs, node.inputs.toReversed()]) {
    const inner = addsTo(x);
    if (inner === undefined || !isWhole(whole)) continue;
    for (const [early, late] of [inner.inputs, inner.inputs.toReversed()]) {
      if (!isEarly(early)) continue;
      const sum: Value = { ...inner.outputs[0] };
      return [
        { ...inner, inputs: [early, whole], outputs: [sum] },
        { ...node, inputs: [sum, late] },
      ];
    }
  }
  return [node];
}

function countUses(nodes: readonly Node[], results: readonly Value[]): ReadonlyMap<Value, number> {
  const uses = new Map<Value, number>();
  for (const value of [...nodes.flatMap(({ inputs }) => inputs), ...results])
    uses.set(value, (uses.get(value) ?? 0) + 1);
  return uses;
}

interface Context {
  readonly builder: GraphBuilder;
  readonly count: Dim;
  readonly whole: (value: Value) => Value;
  readonly isRow: (value: Value) => boolean;
  readonly stackOf: (value: Value) => Value;
}

const isElementwise = ({ op }: Node): boolean => opNamed(op).elementwise !== undefined;

function stackedNode(context: Context, node: Node): Value {
  const { builder: b, count, isRow, stackOf, whole } = context;
  const rule = rules[node.op];
  if (rule !== undefined) return rule(context, node.inputs, node.attributes);
  const shape = [count, ...node.outputs[0].shape];
  const axes = next(range(shape.length - 1));
  const operands = node.inputs.map((value) =>
    isRow(value) ? stackOf(value) : b.broadcastInDim(whole(value), shape, axes),
  );
  return b.emit(node.op, operands, node.attributes)[0];
}

const next = (axes: readonly number[]): number[] => axes.map((axis) => axis + 1);

type Rule = (context: Context, inputs: readonly Value[], attributes: Attributes) => Value;

/** The steps are a batch axis where both operands have them, else the first free axis of the one that has. */
const dotGeneral: Rule = ({ builder: b, isRow, stackOf, whole }, [lhs, rhs], attributes) => {
  const d = attributes as unknown as DotDimensions;
  const of = (value: Value): Value => (isRow(value) ? stackOf(value) : whole(value));
  const moved = (value: Value, axes: readonly number[]): readonly number[] =>
    isRow(value) ? next(axes) : axes;
  const both = isRow(lhs) && isRow(rhs);
  const product = b.dotGeneral(of(lhs), of(rhs), {
    lhsBatch: [...(both ? [0] : []), ...moved(lhs, d.lhsBatch)],
    rhsBatch: [...(both ? [0] : []), ...moved(rhs, d.rhsBatch)],
    lhsContracting: moved(lhs, d.lhsContracting),
    rhsContracting: moved(rhs, d.rhsContracting),
  });
  if (both) return product;
  const { lhsFree } = freeAxes(lhs.shape.length, rhs.shape.length, d);
  const place = d.lhsBatch.length + (isRow(lhs) ? 0 : lhsFree.length);
  const others = range(product.shape.length).filter((axis) => axis !== place);
  return b.transpose(product, [place, ...others]);
};

/** Besides elementwise operations. */
const rules: Readonly<Record<string, Rule>> = {
  dot_general: dotGeneral,
  reshape: ({ builder: b, stackOf, count }, [x], { shape }) =>
    b.reshape(stackOf(x), [count, ...(shape as readonly Dim[])]),
  transpose: ({ builder: b, stackOf }, [x], { permutation }) =>
    b.transpose(stackOf(x), [0, ...next(permutation as readonly number[])]),
  broadcast_in_dim: ({ builder: b, stackOf, count }, [x], { shape, axes }) =>
    b.broadcastInDim(
      stackOf(x),
      [count, ...(shape as readonly Dim[])],
      [0, ...next(axes as readonly number[])],
    ),
};

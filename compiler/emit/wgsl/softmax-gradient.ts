// A row sum in the gradient of attention that takes fewer terms. With probabilities p, y = p v and the gradient g of y,
//
//     sum over s of p[t, s] (g v')[t, s]  =  sum over c of g[t, c] y[t, c]
//
// The left side is what the derivative of a softmax asks for; the right side needs no element of the scores (Dao et al. 2022).

import type { DotDimensions } from '../../ir/builder-types.ts';
import type { GraphBuilder } from '../../ir/builder.ts';
import { freeAxes } from '../../ir/dot-dimensions.ts';
import type { Graph, Node, Value } from '../../ir/graph.ts';
import { attributesIf } from '../../ir/node-attributes.ts';
import { removeDeadCode } from '../../transform/dead-code.ts';
import { rewrite } from '../../transform/rewrite.ts';
import { simplify } from '../../transform/simplify.ts';

export function shortenRowSums(graph: Graph): Graph {
  let changed = false;
  const products: Node[] = [];
  const shorter = rewrite(graph, (node, inputs, builder) => {
    if (node.op === 'dot_general') products.push({ ...node, inputs });
    const result = shortened(builder, products, node, inputs[0]);
    changed ||= result !== null;
    return result === null ? null : [result];
  });
  return changed ? removeDeadCode(simplify(shorter)) : graph;
}

function shortened(
  builder: GraphBuilder,
  products: readonly Node[],
  node: Node,
  x: Value,
): Value | null {
  const sum = attributesIf('reduce', node);
  const product = sum?.kind === 'add' ? builder.producerOf(x) : undefined;
  if (sum === null || sum.axes.length !== 1 || product?.op !== 'multiply') return null;
  const [a, b] = product.inputs;
  return (
    withFewerTerms(builder, products, sum.axes[0], a, b) ??
    withFewerTerms(builder, products, sum.axes[0], b, a)
  );
}

/** The sum of p times the product of g and v along the axis that v alone has. */
function withFewerTerms(
  builder: GraphBuilder,
  products: readonly Node[],
  axis: number,
  p: Value,
  weighed: Value,
): Value | null {
  const inner = builder.producerOf(weighed);
  if (inner?.op !== 'dot_general') return null;
  for (const [g, v] of sidesOf(inner)) {
    if (v.free.length !== 1 || v.places[v.free[0]] !== axis) continue;
    for (const outer of products)
      for (const [q, w] of sidesOf(outer))
        if (q.of === p && w.of === v.of && isBack(q, w, v, axis))
          return rowSum(builder, outer.outputs[0], { p: q, g, v, w }, axis);
  }
  return null;
}

/** One operand of a product: what its axes are for, and where those that stay lie in the result. */
interface Side {
  readonly of: Value;
  readonly batch: readonly number[];
  readonly contracting: readonly number[];
  readonly free: readonly number[];
  readonly places: Readonly<Record<number, number>>;
}

function sidesOf(node: Node): readonly (readonly [Side, Side])[] {
  const d = attributesIf('dot_general', node);
  if (d === null) return [];
  const [lhs, rhs] = node.inputs;
  const { lhsFree, rhsFree } = freeAxes(lhs.shape.length, rhs.shape.length, d);
  const side = (
    of: Value,
    { batch, contracting }: Record<'batch' | 'contracting', readonly number[]>,
    free: readonly number[],
    first: number,
  ): Side => ({
    of,
    batch,
    contracting,
    free,
    places: Object.fromEntries([
      ...batch.map((axis, i) => [axis, i]),
      ...free.map((axis, i) => [axis, first + i]),
    ]) as Record<number, number>,
  });
  const count = d.lhsBatch.length;
  const left = side(lhs, ofLhs(d), lhsFree, count);
  const right = side(rhs, ofRhs(d), rhsFree, count + lhsFree.length);
  return [
    [left, right],
    [right, left],
  ];
}

const ofLhs = (d: DotDimensions) => ({ batch: d.lhsBatch, contracting: d.lhsContracting });
const ofRhs = (d: DotDimensions) => ({ batch: d.rhsBatch, contracting: d.rhsContracting });

/** Whether `p` is multiplied with v again so that each of its axes meets the axis of v that it is. */
function isBack(p: Side, w: Side, v: Side, axis: number): boolean {
  const isSummed = p.contracting.length === 1 && p.contracting[0] === axis;
  const isFree = w.contracting[0] === v.free[0];
  const isSameBatch =
    w.batch.length === v.batch.length &&
    w.batch.every((of, i) => v.batch.includes(of) && v.places[of] === p.batch[i]);
  return isSummed && isFree && isSameBatch;
}

/** The sum of g times y along the axes that v had in common with g. */
function rowSum(
  builder: GraphBuilder,
  y: Value,
  { p, g, v, w }: Readonly<Record<'p' | 'g' | 'v' | 'w', Side>>,
  axis: number,
): Value {
  const rows = p.of.shape.map((_, i) => i).filter((i) => i !== axis);
  const placesOfG = Object.entries(g.places);
  const fromG = rows.map((row) => Number(placesOfG.find(([, place]) => place === row)?.[0]));
  const ordered = builder.transpose(g.of, [...fromG, ...g.contracting]);
  const columns = v.contracting.map((of) => w.places[of]);
  const result = builder.transpose(y, [...rows.map((row) => p.places[row]), ...columns]);
  const axes = columns.map((_, i) => rows.length + i);
  return builder.reduce('add', builder.multiply(ordered, result), axes);
}

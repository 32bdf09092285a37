// A sum of very many numbers into few, such as a loss, in two stages: parts of a fixed length, each a row of its own for as many workgroups,
// and then the parts. One workgroup would add for long while the others have nothing to do. The parts depend on sizes alone, so that
// the sum is the same every time.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { GraphBuilder } from '../../ir/builder.ts';
import type { Reduction } from '../../ir/builder-types.ts';
import type { Graph, Node, Value } from '../../ir/graph.ts';
import { attributesIf } from '../../ir/node-attributes.ts';
import { rewrite } from '../../transform/rewrite.ts';
import { sizeOf } from './indices.ts';
import { isShort, kernelOf } from './kernel.ts';
import { createNetwork, loweringOf, type Network } from './network.ts';
import { likely } from './product-variants.ts';
import { columnAxes } from './row-sums.ts';

/** Fewer results than workgroups that a GPU runs at once, and more terms than one of them takes in a few steps. */
const fewest = { results: 4096, terms: 1024 };

/** How long parts are, best first: where terms lie side by side, and where results do. A length that divides is preferred. */
const lengths = { terms: [1024, 512, 2048, 256], results: [256, 128, 64, 512] } as const;

export function shortenReductions(graph: Graph): Graph {
  const network = createNetwork(graph);
  return rewrite(graph, (node, [x], builder) => {
    const attributes = attributesIf('reduce', node);
    if (attributes === null || !isWorthIt(network, node, attributes.axes)) return null;
    return [inStages(builder, node, x, attributes)];
  });
}

function isWorthIt(network: Network, node: Node, axes: readonly number[]): boolean {
  const [{ shape }] = node.inputs;
  if (!isLong(shape, axes)) return false;
  const kernel = { domain: shape, axes };
  if (isShort(kernel) && returnsTo(network, node.outputs[0], sizeOf(shape))) return false;
  return !isBesideProduct(network, node);
}

const isLong = (shape: readonly Dim[], axes: readonly number[]): boolean => {
  const [terms, all] = [axes.map((axis) => shape[axis]), shape].map((of) => likely(sizeOf(of)));
  return terms >= fewest.terms && all / terms < fewest.results;
};

/** Whether maps spread the result over as many elements as were reduced, as in softmax: then one kernel reads each row once for all. */
function returnsTo(network: Network, value: Value, size: Dim): boolean {
  return network.usersOf(value).some((user) => {
    const isMap = loweringOf(user).kind === 'map';
    return (
      isMap &&
      user.outputs.some((y) => dims.equal(sizeOf(y.shape), size) || returnsTo(network, y, size))
    );
  });
}

/** Whether a product's kernel can do the sum on the way (row-sums.ts). */
const isBesideProduct = (network: Network, node: Node): boolean => {
  const rows = kernelOf(network, node.outputs[0]);
  return network
    .usersOf(node.inputs[0])
    .filter((user) => loweringOf(user).kind === 'contract')
    .some((user) => columnAxes(network, kernelOf(network, user.outputs[0]), rows) !== null);
};

interface Reducing {
  readonly kind: Reduction;
  readonly axes: readonly number[];
}

function inStages(builder: GraphBuilder, node: Node, x: Value, { kind, axes }: Reducing): Value {
  const [first, last] = [axes[0], axes[axes.length - 1]];
  const areApart = last - first + 1 > axes.length;
  // Of axes that do not lie side by side, those after the gap first.
  if (areApart) {
    const after = axes.findLastIndex((axis, i) => axis !== last - (axes.length - 1 - i));
    const inner = builder.reduce(kind, x, axes.slice(after + 1));
    return builder.reduce(kind, inner, axes.slice(0, after + 1));
  }
  const [before, terms, behind] = [
    x.shape.slice(0, first),
    sizeOf(x.shape.slice(first, last + 1)),
    x.shape.slice(last + 1),
  ];
  const isInner = dims.equal(sizeOf(behind), dims.one);
  const wanted = isInner ? lengths.terms : lengths.results;
  const length = dims.constant(
    wanted.find((n) => dims.exactDivide(terms, dims.constant(n)) !== null) ?? wanted[0],
  );
  const parts = dims.floorDivide(dims.add(terms, dims.subtract(length, dims.one)), length);
  const whole = padded(builder, node, builder.reshape(x, [...before, terms, ...behind]), first, {
    from: terms,
    to: dims.multiply(parts, length),
  });
  const split = builder.reshape(whole, [...before, parts, length, ...behind]);
  const sums = builder.reduce(kind, split, [first + 1]);
  return isLong(sums.shape, [first])
    ? inStages(builder, node, sums, { kind, axes: [first] })
    : builder.reduce(kind, sums, [first]);
}

/** `x`, longer along an axis by elements that change nothing. */
function padded(
  builder: GraphBuilder,
  node: Node,
  x: Value,
  axis: number,
  { from, to }: { readonly from: Dim; readonly to: Dim },
): Value {
  const lowering = loweringOf(node);
  if (dims.equal(from, to) || lowering.kind !== 'reduce') return x;
  const [{ initial }] = lowering.fold(x, node.attributes).accumulators;
  const none = x.shape.map(() => dims.zero);
  const high = none.with(axis, dims.subtract(to, from));
  return builder.pad(x, builder.scalar(initial, x.dtype), none, high);
}

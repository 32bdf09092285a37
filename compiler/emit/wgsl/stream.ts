// What a stream is: the scores of attention, and whatever else is a short sum of products for every pair of a row and a key, are never
// stored. A kernel takes some rows and walks along the keys; it computes the products of a pair again, the maps that follow them, and
// folds the result at once: into a sum of products with another factor, or into an accumulator. Forward and backward are alike: the
// gradients of attention compute the same probabilities again, from the maximum and the total of each row that the forward kernel left.

import type { Dim } from '../../dims/dim.ts';
import type { Node, Value } from '../../ir/graph.ts';
import type { Index } from './indices.ts';
import {
  createWalk,
  factorsOf,
  partsOf,
  productOf,
  type ElementRead,
  type Network,
} from './network.ts';

export interface Stream extends Frame {
  readonly products: readonly ShortProduct[];
  /** What is folded along the keys, besides the softmax. */
  readonly folds: readonly StreamFold[];
  readonly softmax: StreamSoftmax | null;
  /** Whether a value is computed again for every pair. */
  readonly isInside: (value: Value) => boolean;
}

/** The pairs: for each batch, every row with every key. */
export interface Frame {
  readonly batch: readonly Dim[];
  readonly rows: readonly Dim[];
  readonly keys: readonly Dim[];
}

export type Place = Readonly<Record<'batch' | 'row' | 'key', readonly Index[]>>;

/** A product of every row with every key: one operand is read by row, the other by key. */
export interface ShortProduct {
  readonly node: Node;
  readonly value: Value;
  readonly ofRow: 0 | 1;
}

export interface StreamFold extends Frame {
  readonly node: Node;
  readonly value: Value;
  /** The element of a pair that is folded. */
  readonly element: (place: Place) => ElementRead;
  /** What it is multiplied by, for every column, before it is summed; null for reductions. */
  readonly factor:
    | ((batch: readonly Index[], key: readonly Index[], column: readonly Index[]) => ElementRead)
    | null;
  readonly columns: readonly Dim[];
  readonly output: (
    batch: readonly Index[],
    row: readonly Index[],
    column: readonly Index[],
  ) => readonly Index[];
}

/**
 * e^(x - largest) and its total along the keys, in one walk: where a larger x comes, what was summed so far is scaled down (Milakov and
 * Gimelshein 2018). The folds of a stream with a softmax sum e / total times a factor, as flash attention does (Dao et al. 2022).
 */
export interface StreamSoftmax {
  readonly x: Value;
  readonly largest: Value;
  readonly total: Value;
  /** The element of x that belongs to a pair. */
  readonly at: (place: Place) => readonly Index[];
  /** The element of `largest` and `total` in the row of that element. */
  readonly inRow: (at: readonly Index[]) => readonly Index[];
}

/** Index variables for a pair, the same ones whenever frames are alike. */
export const canonicalPlace = (network: Network, { batch, rows, keys }: Frame): Place => ({
  batch: network.indexOver(batch, 'batch'),
  row: network.indexOver(rows, 'row'),
  key: network.indexOver(keys, 'key'),
});

/** The elements of a pair that are folded. */
export const elementsAt = ({ folds, softmax }: Stream, place: Place): readonly ElementRead[] =>
  softmax === null
    ? folds.map(({ element }) => element(place))
    : [{ value: softmax.x, index: softmax.at(place) }];

/** All that is read for a pair: for its elements, and what they are multiplied by. */
export function readsAt(network: Network, stream: Stream): readonly ElementRead[] {
  const place = canonicalPlace(network, stream);
  const factors = stream.folds.flatMap(({ factor, columns }) =>
    factor === null ? [] : [factor(place.batch, place.key, network.indexOver(columns, 'column'))],
  );
  return [...elementsAt(stream, place), ...factors];
}

/** What `elements` need of values that are not computed again. */
export function readsFrom(
  network: Network,
  isInside: (value: Value) => boolean,
  elements: readonly ElementRead[],
): readonly ElementRead[] {
  const reads: ElementRead[] = [];
  const walk = createWalk(
    network,
    (value) => !isInside(value) || isProduct(network, value),
    (value, index) => reads.push({ value, index }),
  );
  for (const { value, index } of elements) walk(value, index);
  return reads;
}

const isProduct = (network: Network, value: Value): boolean => {
  const node = network.producerOf(value);
  return node !== undefined && productOf(node) !== null;
};

/** The elements of the two operands whose product is term `sum` of an element of the product. */
export function factorsAt(
  { node, ofRow }: ShortProduct,
  index: readonly Index[],
  sum: readonly Index[],
): { readonly row: ElementRead; readonly key: ElementRead } {
  const product = productOf(node);
  if (product === null) throw new Error(`${node.op} is no product`);
  const { lhs, rhs } = factorsOf(node, product, { ...partsOf(product, index), sum });
  return ofRow === 0 ? { row: lhs[0], key: rhs[0] } : { row: rhs[0], key: lhs[0] };
}

/** The terms of a product. */
export const depthOf = ({ node }: Pick<ShortProduct, 'node'>): readonly Dim[] =>
  productOf(node)?.sum ?? [];

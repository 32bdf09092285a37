// What folds the elements of a stream: a product that sums over the keys, or a reduction along them, brought to one form (`StreamFold`).

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Node, Value } from '../../ir/graph.ts';
import { sizeOf, variableKeys, type Index } from './indices.ts';
import {
  elementKey,
  factorsOf,
  loweringOf,
  productOf,
  type ElementRead,
  type Network,
} from './network.ts';
import {
  canonicalPlace,
  depthOf,
  factorsAt,
  readsFrom,
  type Frame,
  type Place,
  type ShortProduct,
  type StreamFold,
} from './stream.ts';

/** Columns of a fold, and terms of a product, that an invocation can hold. */
export const mostHeld = 128;

export const isHeld = (shape: readonly Dim[]): boolean => {
  const size = dims.isConstant(sizeOf(shape));
  return size !== null && size <= mostHeld;
};

/** A fold of what is inside a stream, with the products that it needs; null for one that cannot walk along keys. */
export interface FoundFold extends StreamFold {
  readonly products: readonly FoundProduct[];
}

export interface FoundProduct extends ShortProduct {
  /** Says which element is read for a pair. */
  readonly at: string;
}

export function foldOf(
  network: Network,
  node: Node,
  isInside: (value: Value) => boolean,
): FoundFold | null {
  const fold =
    productOf(node) === null ? reductionFold(network, node, isInside) : productFold(node, isInside);
  if (fold === null || !isHeld(fold.columns)) return null;
  const place = canonicalPlace(network, fold);
  const products = productsOf(network, fold, isInside, [fold.element(place)]);
  return products === null ? null : { ...fold, products };
}

/** A product with one operand inside the stream, which is summed over the keys alone. */
function productFold(node: Node, isInside: (value: Value) => boolean): StreamFold | null {
  const product = productOf(node);
  const inside = node.inputs.map(isInside);
  if (product === null || node.op !== 'dot_general' || inside[0] === inside[1]) return null;
  const { batch, rows, columns, sum, output } = product;
  const isLeft = inside[0];
  const readOf = (
    operand: 'inside' | 'factor',
    at: Place['batch'],
    free: readonly Index[],
    key: readonly Index[],
  ): ElementRead => {
    const { lhs, rhs } = factorsOf(node, product, {
      batch: at,
      rows: free,
      columns: free,
      sum: key,
    });
    return ((operand === 'inside') === isLeft ? lhs : rhs)[0];
  };
  return {
    node,
    value: node.outputs[0],
    batch,
    rows: isLeft ? rows : columns,
    keys: sum,
    columns: isLeft ? columns : rows,
    element: (place) => readOf('inside', place.batch, place.row, place.key),
    factor: (at, key, column) => readOf('factor', at, column, key),
    output: (at, row, column) => (isLeft ? output(at, row, column) : output(at, column, row)),
  };
}

/** A reduction along one axis. Kept axes that the keys' operands know are the batch, the others the rows. */
function reductionFold(
  network: Network,
  node: Node,
  isInside: (value: Value) => boolean,
): StreamFold | null {
  const lowering = loweringOf(node);
  const [x] = node.inputs;
  const axes = lowering.kind === 'reduce' ? lowering.axes(node.attributes) : [];
  if (axes.length !== 1) return null;
  const [axis] = axes;
  const kept = x.shape.map((_, i) => i).filter((i) => i !== axis);
  const split = (batchAxes: readonly number[]): StreamFold => {
    const rowAxes = kept.filter((i) => !batchAxes.includes(i));
    const sizes = (of: readonly number[]): Dim[] => of.map((i) => x.shape[i]);
    const spread = (batch: readonly Index[], row: readonly Index[]): Index[] => {
      const index: Index[] = [];
      batchAxes.forEach((at, i) => (index[at] = batch[i]));
      rowAxes.forEach((at, i) => (index[at] = row[i]));
      return index;
    };
    return {
      node,
      value: node.outputs[0],
      batch: sizes(batchAxes),
      rows: sizes(rowAxes),
      keys: [x.shape[axis]],
      columns: [],
      element: ({ batch, row, key: [key] }) => {
        const index = spread(batch, row);
        index[axis] = key;
        return { value: x, index };
      },
      factor: null,
      output: (batch, row) => kept.map((i) => spread(batch, row)[i]),
    };
  };
  const all = split([]);
  const place = canonicalPlace(network, all);
  const found = indicesOfProducts(network, isInside, [all.element(place)]);
  if (found === null) return null;
  const shared = new Set<string>();
  for (const { node: product, index } of found) {
    const both = bothFactors({ node: product }, index);
    const byKey = both.filter((names) => place.key.some(({ key }) => names.has(key)));
    byKey.forEach((names) => names.forEach((name) => shared.add(name)));
  }
  return split(kept.filter((_, i) => shared.has(place.row[i].key)));
}

/** The keys of the index variables that either factor of a product is read at. */
function bothFactors(of: Pick<ShortProduct, 'node'>, index: readonly Index[]): Set<string>[] {
  const { row, key } = factorsAt(
    { ...of, value: of.node.outputs[0], ofRow: 0 },
    index,
    depthOf(of).map(() => dims.zero),
  );
  return [row, key].map((read) => variableKeys(read.index));
}

/** Where the products inside are read for these elements; null where one is read at two places. */
function indicesOfProducts(
  network: Network,
  isInside: (value: Value) => boolean,
  elements: readonly ElementRead[],
): { readonly node: Node; readonly index: readonly Index[] }[] | null {
  const found = new Map<Value, readonly Index[]>();
  for (const { value, index } of readsFrom(network, isInside, elements)) {
    if (!isInside(value)) continue;
    const before = found.get(value);
    if (before !== undefined && elementKey(value, before) !== elementKey(value, index)) return null;
    found.set(value, index);
  }
  return [...found].flatMap(([value, index]) => {
    const node = network.producerOf(value);
    return node === undefined ? [] : [{ node, index }];
  });
}

/** The products of these elements, if each has one operand for the row and one for the key. */
function productsOf(
  network: Network,
  frame: Frame,
  isInside: (value: Value) => boolean,
  elements: readonly ElementRead[],
): readonly FoundProduct[] | null {
  const place = canonicalPlace(network, frame);
  const found = indicesOfProducts(network, isInside, elements);
  const [rowKeys, keyKeys] = [place.row, place.key].map((index) => variableKeys(index));
  const products = (found ?? []).map(({ node, index }): FoundProduct | null => {
    const [lhs, rhs] = bothFactors({ node }, index);
    const areSplit = (ofRow: ReadonlySet<string>, ofKey: ReadonlySet<string>): boolean =>
      areApart(ofRow, keyKeys) && areApart(ofKey, rowKeys);
    const [value] = node.outputs;
    const at = elementKey(value, index);
    if (areSplit(lhs, rhs)) return { node, value, at, ofRow: 0 };
    return areSplit(rhs, lhs) ? { node, value, at, ofRow: 1 } : null;
  });
  const complete = products.filter((product) => product !== null);
  return complete.length > 0 && complete.length === products.length ? complete : null;
}

const areApart = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean =>
  [...a].every((name) => !b.has(name));

// Which folds of a stream share a kernel: the softmax of a row with what sums its ratio, and sums over the same pairs.

import * as dims from '../../dims/arithmetic.ts';
import type { Node, Value } from '../../ir/graph.ts';
import { sameShape } from '../../ir/types.ts';
import { sizeOf, type Index } from './indices.ts';
import type { Kernel } from './kernel.ts';
import type { Network } from './network.ts';
import { mostHeld, type FoundFold } from './stream-folds.ts';
import { indexThroughViews, type SoftmaxPattern } from './stream-softmax.ts';
import { canonicalPlace, depthOf, type Place, type ShortProduct, type Stream } from './stream.ts';

/** Whether a fold sums the ratio of a softmax along its axis, times a factor that does not depend on the softmax. */
export function sumsRatio(
  network: Network,
  fold: FoundFold,
  { ratio, axis, largest }: SoftmaxPattern,
): boolean {
  const place = canonicalPlace(network, fold);
  const element = fold.element(place);
  const index = indexThroughViews(network, element, ratio);
  if (index === null || fold.factor === null || place.key.length !== 1) return false;
  const [key] = place.key;
  const isAlong = index.every((i, at) => (i.key === key.key) === (at === axis));
  const factor = fold.factor(place.batch, place.key, network.indexOver(fold.columns, 'column'));
  return isAlong && !dependsOn(network, factor.value, largest);
}

export function softmaxStream(
  network: Network,
  { x, axis, largest, total, ratio }: SoftmaxPattern,
  fold: FoundFold,
  sum: FoundFold | null,
  isInside: Stream['isInside'],
): Stream {
  const { batch, rows, keys, products } = sum ?? fold;
  const at = (place: Place): readonly Index[] => {
    if (sum === null) return fold.element(place).index;
    const index = indexThroughViews(network, sum.element(place), ratio);
    if (index === null) throw new Error('the ratio of a softmax is not found again');
    return index;
  };
  const inRow = (index: readonly Index[]): readonly Index[] => index.filter((_, i) => i !== axis);
  const folds = sum === null ? [] : [sum];
  return {
    batch,
    rows,
    keys,
    products,
    folds,
    isInside,
    softmax: { x, largest, total, at, inRow },
  };
}

/** Whether a sum may share a kernel with others: the same pairs, few enough registers, and none needs another. */
export function mayJoin(network: Network, joined: readonly FoundFold[], fold: FoundFold): boolean {
  const [first] = joined;
  const all = [...joined, fold];
  if (joined.includes(fold) || all.some(({ factor }) => factor === null)) return false;
  const isAlike = (['batch', 'rows', 'keys'] as const).every((space) =>
    sameShape(first[space], fold[space]),
  );
  const held = [
    ...all.map(({ columns }) => sizeOf(columns)),
    ...unionOf(all).map((product) => sizeOf(depthOf(product))),
  ].reduce((sum, size) => sum + (dims.isConstant(size) ?? Infinity), 0);
  return (
    isAlike &&
    held <= 2 * mostHeld &&
    joined.every((other) => haveSamePairs(other, fold)) &&
    !joined.some(
      ({ value, node }) =>
        isNeeded(network, value, fold.node) || isNeeded(network, fold.value, node),
    )
  );
}

const isNeeded = (network: Network, value: Value, by: Node): boolean =>
  by.inputs.some((input) => dependsOn(network, input, value));

/** Whether two folds read the products that they share at the same pair, and share one. */
function haveSamePairs(a: FoundFold, b: FoundFold): boolean {
  const shared = a.products.flatMap((product) => {
    const other = b.products.find(({ value }) => value === product.value);
    return other === undefined ? [] : [product.at === other.at];
  });
  return shared.length > 0 && shared.every((isSame) => isSame);
}

/** Whether a value is computed from another, by whatever way. */
function dependsOn(network: Network, value: Value, source: Value): boolean {
  const seen = new Set<Value>();
  const stack = [value];
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    if (at === source) return true;
    if (seen.has(at)) continue;
    seen.add(at);
    stack.push(...(network.producerOf(at)?.inputs ?? []));
  }
  return false;
}

export const unionOf = (folds: readonly FoundFold[]): ShortProduct[] => [
  ...new Map(folds.flatMap(({ products }) => products).map((x) => [x.value, x])).values(),
];

export function kernelOfStream(stream: Stream): Kernel {
  const { softmax, folds } = stream;
  const own = softmax === null ? [] : [softmax.largest, softmax.total];
  const values = [...own, ...folds.map(({ value }) => value)];
  const last = values[values.length - 1];
  return { kind: 'stream', domain: last.shape, axes: [], values, stream };
}

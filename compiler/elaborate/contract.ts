// Sums of products over index variables: which factors meet in a dot_general, in which order, and what stays outside the sum.

import type { Label, TensorValue } from '../builtins/elaboration.ts';
import {
  elementwise,
  labelAxis,
  reduceLabels,
  tensorOf,
  unionOfLabels,
  varies,
} from '../builtins/labelled.ts';
import { isConstant, multiply, one } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import type { Builder } from '../ir/builder-types.ts';

/** The sum over `over` of the product of the factors, which are scalars along their labels. At least one factor. */
export function sumOfProduct(
  builder: Builder,
  factors: readonly TensorValue[],
  over: readonly Label[],
): TensorValue {
  let open = factors;
  let left = over;
  for (;;) {
    open = open.map((factor) => sumOwn(builder, factor, open, left));
    left = left.filter((label) => open.some((factor) => varies(factor, label)));
    if (left.length === 0) break;
    const [a, b] = cheapestPair(open, left);
    const others = open.filter((factor) => factor !== a && factor !== b);
    const shared = left.filter((label) => varies(a, label) && varies(b, label));
    const gone = shared.filter((label) => !others.some((factor) => varies(factor, label)));
    open = [contractPair(builder, a, b, gone), ...others];
  }
  return multiplyAll(builder, open);
}

/** Sums a factor along the labels that no other factor has. */
function sumOwn(
  builder: Builder,
  factor: TensorValue,
  all: readonly TensorValue[],
  over: readonly Label[],
): TensorValue {
  const own = over.filter(
    (label) =>
      varies(factor, label) && !all.some((other) => other !== factor && varies(other, label)),
  );
  return own.length === 0 ? factor : reduceLabels(builder, 'add', factor, own);
}

/** The product of tensors, smaller ones first. */
export function multiplyAll(builder: Builder, factors: readonly TensorValue[]): TensorValue {
  const [first, ...others] = factors.toSorted((a, b) => a.labels.length - b.labels.length);
  return others.reduce(
    (product, factor) => elementwise(builder, [product, factor], (x, y) => builder.multiply(x, y)),
    first,
  );
}

/** What a free size counts as when products are compared. */
const assumedSize = 64;

const estimate = (labels: readonly Label[]): number =>
  labels.reduce((product, { size }) => product * (isConstant(size) ?? assumedSize), 1);

/** The two factors with a summed label in common whose product is smallest. */
function cheapestPair(
  factors: readonly TensorValue[],
  over: readonly Label[],
): readonly [TensorValue, TensorValue] {
  let best: { cost: number; pair: readonly [TensorValue, TensorValue] } | null = null;
  for (const [i, a] of factors.entries())
    for (const b of factors.slice(i + 1)) {
      if (!over.some((label) => varies(a, label) && varies(b, label))) continue;
      const cost = estimate(unionOfLabels([a, b]));
      if (best === null || cost < best.cost) best = { cost, pair: [a, b] };
    }
  if (best === null) throw new Error('a summed index is in one factor alone');
  return best.pair;
}

/** The product of two factors, summed along `gone`, which both have. */
function contractPair(
  builder: Builder,
  a: TensorValue,
  b: TensorValue,
  gone: readonly Label[],
): TensorValue {
  const freeOf = (x: TensorValue, y: TensorValue): Label[] =>
    x.labels.filter((label) => !varies(y, label));
  const [freeA, freeB] = [freeOf(a, b), freeOf(b, a)];
  const product = (): TensorValue => multiplyAll(builder, [a, b]);
  if (gone.length === 0) return product();
  // Without a free index on either side there is no reuse: a map and a reduction do it.
  if (freeA.length === 0 && freeB.length === 0)
    return reduceLabels(builder, 'add', product(), gone);
  const isGone = new Set(gone.map((label) => label.id));
  const batch = unionOfLabels([a, b]).filter(
    (label) => varies(a, label) && varies(b, label) && !isGone.has(label.id),
  );
  const labelsAB = [...batch, ...freeA, ...freeB];
  const labelsBA = [...batch, ...freeB, ...freeA];
  // The order of the result that needs no transposition afterwards, where there is one.
  return inversions(labelsAB) <= inversions(labelsBA)
    ? dotGeneral(builder, a, b, batch, gone, labelsAB)
    : dotGeneral(builder, b, a, batch, gone, labelsBA);
}

function dotGeneral(
  builder: Builder,
  lhs: TensorValue,
  rhs: TensorValue,
  batch: readonly Label[],
  contracting: readonly Label[],
  labels: readonly Label[],
): TensorValue {
  const axesOf = (t: TensorValue, of: readonly Label[]): number[] =>
    of.map((label) => labelAxis(t, label));
  const value = builder.dotGeneral(lhs.value, rhs.value, {
    lhsBatch: axesOf(lhs, batch),
    rhsBatch: axesOf(rhs, batch),
    lhsContracting: axesOf(lhs, contracting),
    rhsContracting: axesOf(rhs, contracting),
  });
  return tensorOf(value, labels);
}

/** How many pairs of labels stand in the wrong order. */
const inversions = (labels: readonly Label[]): number =>
  labels.reduce(
    (count, label, i) => count + labels.slice(i + 1).filter((later) => later.id < label.id).length,
    0,
  );

/** The number of values that `labels` run through. */
export const countOfLabels = (labels: readonly Label[]): Dim =>
  labels.reduce((product, { size }) => multiply(product, size), one);

// The derivatives of reductions that need more than the cotangent: of max and min, and of products.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Builder } from '../builder-types.ts';
import type { Value } from '../graph.ts';
import { invert, product, range } from '../shape-arithmetic.ts';
import { fullLike, otherAxes, spread } from './type-rules.ts';

/** The cotangent of x under max or min: shared equally by the elements that attain it, as JAX does. */
export function extremeGradient(
  b: Builder,
  x: Value,
  y: Value,
  g: Value,
  axes: readonly number[],
): Value {
  const attains = b.compare('eq', x, spread(b, y, x.shape, axes));
  const count = b.reduce('add', b.convert(attains, 'f32'), axes);
  return b.select(attains, spread(b, b.divide(g, count), x.shape, axes), fullLike(b, 0, x));
}

/**
 * The products of the elements of the last axis before each one, from 1: doubling, so log2(n) multiplications. The products after
 * each one are those of the reversed axis.
 */
function productsBefore(b: Builder, x: Value, size: number): Value {
  const last = x.shape.length - 1;
  const along = (by: number): Dim[] =>
    x.shape.map((_, axis) => dims.constant(axis === last ? by : 0));
  const shifted = (of: Value, by: number): Value => b.pad(of, b.scalar(1), along(by), along(-by));
  let products = shifted(x, 1);
  for (let by = 1; by < size; by *= 2) products = b.multiply(products, shifted(products, by));
  return products;
}

/** The same for a free size, quadratic: row i of a square holds the elements but the i-th, and is multiplied up. */
function productsOfOthers(b: Builder, x: Value): Value {
  const rank = x.shape.length;
  const last = x.shape[rank - 1];
  const square = [...x.shape, last];
  const rows = b.broadcastInDim(x, square, [...range(rank - 1), rank]);
  const diagonal = b.compare('eq', b.iota(square, rank - 1), b.iota(square, rank));
  return b.reduce('multiply', b.select(diagonal, fullLike(b, 1, rows), rows), [rank]);
}

/**
 * The cotangent of x under a product: that of y times the product of the others. Never divides, so zeros are no exception, and every
 * derivative of it is exact.
 */
export function productGradient(b: Builder, x: Value, g: Value, axes: readonly number[]): Value {
  const kept = otherAxes(axes, x.shape.length);
  const order = [...kept, ...axes];
  const sizes = order.map((axis) => x.shape[axis]);
  const length = product(axes.map((axis) => x.shape[axis]));
  const flatShape = [...kept.map((axis) => x.shape[axis]), length];
  const flat = b.reshape(b.transpose(x, order), flatShape);
  const size = dims.isConstant(length);
  const last = [kept.length];
  const others =
    size === null
      ? productsOfOthers(b, flat)
      : b.multiply(
          productsBefore(b, flat, size),
          b.reverse(productsBefore(b, b.reverse(flat, last), size), last),
        );
  const slope = b.transpose(b.reshape(others, sizes), invert(order));
  return b.multiply(spread(b, g, x.shape, axes), slope);
}

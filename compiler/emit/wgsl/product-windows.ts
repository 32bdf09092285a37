// Products that are finished window by window. What a pool reads of a convolution is all that its windows hold, so an invocation computes
// the elements of a window side by side, and stores what the pool makes of them; the result of the convolution is never stored.

import {
  add,
  constant,
  floorDivide,
  isConstant,
  multiply,
  subtract,
} from '../../dims/arithmetic.ts';
import type { Node, Value } from '../../ir/graph.ts';
import { attributesIf } from '../../ir/node-attributes.ts';
import { sameShape } from '../../ir/types.ts';
import { isTiling, type WindowAttribute } from '../../ir/window-geometry.ts';
import { sizeOf, surelyBelow, unflatten, type Index } from './indices.ts';
import type { Kernel, Windows } from './kernel.ts';
import type { Product } from './lowering.ts';
import { loweringOf, type Network } from './network.ts';
import { contractionOf } from './row-sums.ts';
import { tapIndex } from './windows.ts';

/** Elements of a window that lie in one vector of an invocation's registers, whatever the variant. */
const fitting = [2, 4];

/** The windows over the product's result by which a kernel of maps reads it; null where there are none that fit. */
export function windowsOver(network: Network, product: Kernel, maps: Kernel): Windows | null {
  const { domain: shape, values, axes, windows } = product;
  if (windows !== undefined || axes.length > 0 || shape.length !== maps.domain.length) return null;
  if (!values.every((value) => sameShape(value.shape, shape))) return null;
  const window = windowBetween(network, values, maps.values);
  if (window === null || !isTiling(window)) return null;
  if (!fitting.includes(isConstant(sizeOf(window.sizes)) ?? 0)) return null;
  const found = { shape, window };
  return columnsUnder(network, contractionOf(network, product).product, found) && found;
}

/** The window of a pool through which values are computed by maps from others. */
function windowBetween(
  network: Network,
  from: readonly Value[],
  to: readonly Value[],
): WindowAttribute | null {
  const seen = new Set<Value>(from);
  const stack = [...to];
  for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
    const node = network.producerOf(value);
    if (seen.has(value) || node === undefined || loweringOf(node).kind !== 'map') continue;
    seen.add(value);
    const window = windowOfPool(node);
    if (window !== null && sameShape(node.inputs[0].shape, from[0].shape)) return window;
    stack.push(...node.inputs);
  }
  return null;
}

const windowOfPool = (node: Node): WindowAttribute | null =>
  (
    attributesIf('max_pool', node) ??
    attributesIf('arg_max_pool', node) ??
    attributesIf('sum_pool', node)
  )?.window ?? null;

/** Which axis of the columns each windowed axis of the result is; null where one is none. */
function columnsUnder(network: Network, product: Product, { window }: Windows) {
  const columns = network.indexOver(product.columns, 'column');
  const [batch, rows] = [
    network.indexOver(product.batch, 'batch'),
    network.indexOver(product.rows, 'row'),
  ];
  const result = product.output(batch, rows, columns);
  const axes = window.axes.map((axis) => columns.findIndex(({ key }) => key === result[axis].key));
  return axes.includes(-1) ? null : axes;
}

/** The product with its columns in the order of the windows: those of a window are neighbours. Some at the edge may lie in none. */
export function byWindows(network: Network, product: Product, windows: Windows): Product {
  const { sizes } = windows.window;
  const axes = columnsUnder(network, product, windows);
  if (axes === null) throw new Error('the windows do not lie over columns');
  const counts = [...product.columns];
  axes.forEach((axis, i) => (counts[axis] = floorDivide(counts[axis], sizes[i])));
  /** Where a column stands in the product as it was. */
  const original = (column: readonly Index[]): readonly Index[] => {
    const at = column.slice(0, counts.length);
    axes.forEach(
      (axis, i) => (at[axis] = add(multiply(at[axis], sizes[i]), column[counts.length + i])),
    );
    return at;
  };
  return {
    ...product,
    columns: [...counts, ...sizes],
    rhs: (at, source) => product.rhs({ ...at, columns: original(at.columns) }, source),
    output: (batch, row, column) => product.output(batch, row, original(column)),
  };
}

/** The taps of a window, row-major. */
export const tapsOf = ({ window: { sizes } }: Windows): readonly (readonly Index[])[] =>
  Array.from({ length: isConstant(sizeOf(sizes)) ?? 0 }, (_, t) => unflatten(constant(t), sizes));

/** An element, any one, of window `at`. */
export const elementUnder = (
  network: Network,
  { window }: Windows,
  at: readonly Index[],
): readonly Index[] => tapIndex(at, network.indexOver(window.sizes, 'tap'), window);

/** Whether the element lies in window `at` for certain. */
export const isInWindow = (
  { window }: Windows,
  at: readonly Index[],
  element: readonly Index[],
): boolean =>
  element.every((i, axis) => {
    const n = window.axes.indexOf(axis);
    if (n < 0) return i.key === at[axis].key;
    return surelyBelow(subtract(i, multiply(at[axis], window.sizes[n])), window.sizes[n]);
  });

// What a kernel is: a set of values that one dispatch computes, and how it runs over its domain.

import { equal, isConstant } from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Value } from '../../ir/graph.ts';
import { sameShape } from '../../ir/types.ts';
import type { WindowAttribute } from '../../ir/window-geometry.ts';
import { flatten, sizeOf, unflatten, type Index } from './indices.ts';
import { loweringOf, type Network } from './network.ts';
import type { Stream } from './stream.ts';

/**
 * How a kernel runs over its domain.
 * - `map`: an invocation computes an element of every value of the kernel; all have as many as the domain.
 * - `rows`: the reduced `axes` of the domain are folded, row by row; its values are reductions, maps over the domain, and maps over
 *   the rows.
 * - `product`: one contraction, and maps of as many elements, or `windows`, that follow it; where there are `axes`, those of the columns,
 *   also the sums of its first factor's rows, and maps over the rows.
 * - `stream`: folds along the keys of pairs that are computed on the way (stream.ts), and maps of as many elements that follow.
 * - `loop`: a body of kernels of its own, run over and over.
 */
export type KernelKind = 'map' | 'rows' | 'product' | 'stream' | 'loop';

export interface Kernel {
  readonly kind: KernelKind;
  readonly domain: readonly Dim[];
  /** The axes of the domain that go. */
  readonly axes: readonly number[];
  /** In topological order. */
  readonly values: readonly Value[];
  readonly stream?: Stream;
  /** Of a product that is finished window by window: what they lie over. The domain counts them. */
  readonly windows?: Windows;
}

/** Windows that tile a value of that shape, that of a product's result. */
export interface Windows {
  readonly shape: readonly Dim[];
  readonly window: WindowAttribute;
}

/** The kernel that computes one value alone. */
export function kernelOf(network: Network, value: Value): Kernel {
  const node = network.producerOf(value);
  if (node === undefined) throw new Error(`value ${value.id} is made by nothing`);
  const lowering = loweringOf(node);
  const alone = (kind: KernelKind): Kernel => ({
    kind,
    domain: value.shape,
    axes: [],
    values: [value],
  });
  if (lowering.kind === 'contract') return alone('product');
  if (lowering.kind === 'loop') return { ...alone('loop'), values: node.outputs };
  if (lowering.kind !== 'reduce') return alone('map');
  const axes = lowering.axes(node.attributes);
  return { kind: 'rows', domain: node.inputs[0].shape, axes, values: [value] };
}

/** The domain's axes that a row kernel keeps. */
export const keptAxes = ({ domain, axes }: Pick<Kernel, 'domain' | 'axes'>): number[] =>
  domain.map((_, axis) => axis).filter((axis) => !axes.includes(axis));

export const outerShape = (kernel: Pick<Kernel, 'domain' | 'axes'>): Dim[] =>
  keptAxes(kernel).map((axis) => kernel.domain[axis]);

/** Whether the kernel computes the value once an element of its domain; else once a row. */
export const isOverDomain = (kernel: Kernel, { shape }: Pick<Value, 'shape'>): boolean =>
  sameShape(shape, kernel.domain) ||
  (!sameShape(shape, outerShape(kernel)) && equal(sizeOf(shape), sizeOf(kernel.domain)));

/** The windows by which a product's kernel computes the elements of the value, which no buffer holds; null where it does not. */
export const windowsOf = ({ windows }: Kernel, { shape }: Pick<Value, 'shape'>): Windows | null =>
  windows !== undefined && sameShape(shape, windows.shape) ? windows : null;

/** Whether the value has as many elements as the domain, or as there are rows. */
export const isPlaced = (kernel: Kernel, { shape }: Pick<Value, 'shape'>): boolean =>
  [kernel.domain, outerShape(kernel)].some(
    (other) => sameShape(shape, other) || equal(sizeOf(shape), sizeOf(other)),
  );

/**
 * The element of a value that belongs to element `full` of the domain. The value may have another shape of as many elements: then it
 * is the one at the same position.
 */
export function indexIn(
  kernel: Kernel,
  value: Pick<Value, 'shape'>,
  full: readonly Index[],
): readonly Index[] {
  const isOver = isOverDomain(kernel, value);
  const shape = isOver ? kernel.domain : outerShape(kernel);
  const index = isOver ? full : keptAxes(kernel).map((axis) => full[axis]);
  return sameShape(value.shape, shape) ? index : unflatten(flatten(index, shape), value.shape);
}

/** Whether rows are short and many enough that a kernel that runs by rows may write the whole domain. */
export function isShort({ domain, axes }: Pick<Kernel, 'domain' | 'axes'>): boolean {
  const length = isConstant(sizeOf(axes.map((axis) => domain[axis])));
  const rows = isConstant(sizeOf(outerShape({ domain, axes })));
  if (length === null || length > 16384) return false;
  return rows === null || rows >= 64 || length <= 256;
}

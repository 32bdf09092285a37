// What a kernel reads: the elements that its values need, from buffers and from one another. Merging asks whether kernels fit
// together, the emitter which buffers to bind; both ask here.

import type { Node, Value } from '../../ir/graph.ts';
import type { Index } from './indices.ts';
import { indexIn, isOverDomain, isPlaced, windowsOf, type Kernel } from './kernel.ts';
import {
  createWalk,
  factorsOf,
  loweringOf,
  productOf,
  type ElementRead,
  type Network,
  type Visit,
} from './network.ts';
import { elementUnder, isInWindow } from './product-windows.ts';
import { readsAt } from './stream.ts';

export interface KernelReads {
  /** Values of other kernels, inputs and literals that lie in buffers. */
  readonly buffers: ReadonlySet<Value>;
  /** Of those, what is read at the element that is computed, and nowhere else. */
  readonly aligned: ReadonlySet<Value>;
  /** Of those, what is read more than once a row. */
  readonly perElement: ReadonlySet<Value>;
}

/**
 * What the kernel reads, or null where its values do not fit together: where one needs another at a place that is not computed yet
 * or is another invocation's.
 */
export function readsOf(
  network: Network,
  kernel: Kernel,
  isKept: (value: Value) => boolean,
): KernelReads | null {
  const own = new Set(kernel.values);
  const buffers = new Set<Value>();
  const unaligned = new Set<Value>();
  const perElement = new Set<Value>();
  let fits = true;
  const full = network.indexOver(kernel.domain);
  const places = new Map<Value, readonly Index[] | null>();
  /** The value's element that belongs to the invocation; null where none does. */
  const placeOf = (value: Value): readonly Index[] | null => {
    if (!places.has(value)) places.set(value, elementOf(network, kernel, value, full));
    return places.get(value) ?? null;
  };
  const isHere = (value: Value, index: readonly Index[]): boolean => {
    const windows = windowsOf(kernel, value);
    if (windows !== null) return isInWindow(windows, full, index);
    const place = placeOf(value);
    return place !== null && sameIndex(index, place);
  };
  const { step, stopped, rows } = network.body;
  // Row t of a stacked value is found with t.
  if (step !== null && kernel.values.some((value) => rows.includes(value))) {
    buffers.add(step);
    unaligned.add(step);
  }
  if (stopped !== null) {
    buffers.add(stopped);
    if (!kernel.values.some((value) => network.replacedBy(value) === stopped))
      unaligned.add(stopped);
  }
  let isOfRow = false;
  const folded = foldedValues(kernel);
  const visit: Visit = (value, index) => {
    if (!own.has(value)) {
      buffers.add(value);
      if (!isOfRow) perElement.add(value);
      if (!isHere(value, index)) unaligned.add(value);
    } else if (!isOfRow && isBesideProduct(kernel, value)) fits = false;
    else if (folded.has(value) && !isOnlyFold(kernel, value)) fits = false;
    else if (!isHere(value, index)) {
      const node = network.producerOf(value);
      if (node === undefined || !isRecomputable(kernel, node)) fits = false;
      else for (const read of network.elementReads(node, index)) walk(read.value, read.index);
    }
  };
  const isLeaf = (value: Value): boolean =>
    network.isInput(value) || own.has(value) || isKept(value);
  if (kernel.stream !== undefined) {
    const pairs = createWalk(network, isLeaf, (value) => {
      if (own.has(value)) return;
      buffers.add(value);
      perElement.add(value);
      unaligned.add(value);
    });
    for (const { value, index } of readsAt(network, kernel.stream)) pairs(value, index);
  }
  let walk = createWalk(network, isLeaf, visit);
  const readFor = (value: Value): void => {
    if (folded.has(value)) return;
    const node = network.producerOf(value);
    const place = placeOf(value);
    if (node === undefined) return;
    if (loweringOf(node).kind !== 'map')
      for (const read of foldedReads(network, kernel, node, full)) walk(read.value, read.index);
    else if (place !== null)
      for (const read of network.elementReads(node, place)) walk(read.value, read.index);
  };
  kernel.values.filter((value) => !isBesideProduct(kernel, value)).forEach(readFor);
  isOfRow = true;
  walk = createWalk(network, isLeaf, visit);
  kernel.values.filter((value) => isBesideProduct(kernel, value)).forEach(readFor);
  if (!fits) return null;
  const aligned = new Set([...buffers].filter((value) => !unaligned.has(value)));
  return { buffers, aligned, perElement };
}

/** The value's element that belongs to element `full` of the domain, or any one of its window; null where none does. */
function elementOf(
  network: Network,
  kernel: Kernel,
  value: Value,
  full: readonly Index[],
): readonly Index[] | null {
  const windows = windowsOf(kernel, value);
  if (windows !== null) return elementUnder(network, windows, full);
  return isPlaced(kernel, value) ? indexIn(kernel, value, full) : null;
}

/** Whether a product's kernel makes the value once a row, from the sums beside the product. */
const isBesideProduct = (kernel: Kernel, value: Value): boolean =>
  kernel.kind === 'product' && !isOverDomain(kernel, value) && windowsOf(kernel, value) === null;

/** What a stream is folded into. */
const foldedValues = ({ stream }: Kernel): ReadonlySet<Value> =>
  new Set([
    ...(stream?.folds ?? []).map(({ value }) => value),
    ...(stream?.softmax ? [stream.softmax.largest, stream.softmax.total] : []),
  ]);

/** Whether maps may follow the fold in its kernel. */
const isOnlyFold = ({ stream }: Kernel, value: Value): boolean =>
  stream?.folds.length === 1 && stream.folds[0].value === value;

/** A row kernel has all of its row at hand: another element of a map is computed anew. */
const isRecomputable = (kernel: Kernel, node: Node): boolean =>
  kernel.kind === 'rows' && loweringOf(node).kind === 'map';

const sameIndex = (a: readonly Index[], b: readonly Index[]): boolean =>
  a.length === b.length && a.every((i, axis) => i.key === b[axis].key);

/** What a reduction, a contraction or a loop reads. */
function foldedReads(
  network: Network,
  kernel: Kernel,
  node: Node,
  full: readonly Index[],
): readonly ElementRead[] {
  const lowering = loweringOf(node);
  if (lowering.kind === 'reduce') {
    const [value] = node.inputs;
    const index =
      kernel.kind === 'rows'
        ? indexIn(kernel, value, full)
        : network.indexOver(value.shape, 'whole');
    return [{ value, index }];
  }
  if (lowering.kind === 'loop')
    return node.inputs.map((value) => ({ value, index: network.indexOver(value.shape, 'whole') }));
  const product = productOf(node);
  if (product === null) return [];
  const { lhs, rhs } = factorsOf(node, product, {
    batch: network.indexOver(product.batch, 'batch'),
    rows: network.indexOver(product.rows, 'row'),
    columns: network.indexOver(product.columns, 'column'),
    sum: network.indexOver(product.sum, 'sum'),
  });
  return [...lhs, ...rhs];
}

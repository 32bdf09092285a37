// What a kernel reads: the elements that its values need, from buffers and from one another. Merging asks whether kernels fit
// together, the emitter which buffers to bind; both ask here.

import type { Node, Value } from '../../ir/graph.ts';
import type { Index } from './indices.ts';
import { indexIn, type Kernel } from './kernel.ts';
import {
  createWalk,
  freshIndex,
  loweringOf,
  nowhere,
  walkElement,
  type Network,
  type Visit,
} from './network.ts';

export interface KernelReads {
  /** Values of other kernels, inputs and literals that lie in buffers. */
  readonly buffers: ReadonlySet<Value>;
  /** Of those, what is read at the element that is computed, and nowhere else. */
  readonly aligned: ReadonlySet<Value>;
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
  let fits = true;
  const full = freshIndex(kernel.domain);
  const isHere = (value: Value, index: readonly Index[]): boolean =>
    sameIndex(index, indexIn(kernel, value, full));
  const visit: Visit = (value, index) => {
    if (!own.has(value)) {
      buffers.add(value);
      if (!isHere(value, index)) unaligned.add(value);
    } else if (!isHere(value, index)) {
      const node = network.producerOf(value);
      if (node !== undefined && isRecomputable(kernel, node)) walkElement(node, index, walk);
      else fits = false;
    }
  };
  const walk = createWalk(
    network,
    (value) => network.isInput(value) || own.has(value) || isKept(value),
    visit,
  );
  for (const value of kernel.values) {
    const node = network.producerOf(value);
    if (node === undefined) continue;
    walkNode(
      node,
      indexIn(kernel, value, full),
      indexIn(kernel, node.inputs[0] ?? value, full),
      walk,
    );
  }
  if (!fits) return null;
  return { buffers, aligned: new Set([...buffers].filter((value) => !unaligned.has(value))) };
}

/** A row kernel has all of its row at hand: another element of a map is computed anew. */
const isRecomputable = (kernel: Kernel, node: Node): boolean =>
  kernel.kind === 'rows' && loweringOf(node).kind === 'map';

const sameIndex = (a: readonly Index[], b: readonly Index[]): boolean =>
  a.length === b.length && a.every((i, axis) => i.key === b[axis].key);

/** Walks from the node that makes element `index` of a value; a reduction reads element `folded` of its operand. */
function walkNode(
  node: Node,
  index: readonly Index[],
  folded: readonly Index[],
  walk: Visit,
): void {
  const lowering = loweringOf(node);
  if (lowering.kind === 'map') walkElement(node, index, walk);
  else if (lowering.kind === 'reduce') walk(node.inputs[0], folded);
  else if (lowering.kind === 'loop') node.inputs.forEach((x) => walk(x, freshIndex(x.shape)));
  else if (lowering.kind === 'contract') {
    const product = lowering.product(node);
    const [batch, rows, columns, sum] = [
      freshIndex(product.batch),
      freshIndex(product.rows),
      freshIndex(product.columns),
      freshIndex(product.sum),
    ];
    const read = (operand: number, at: readonly Index[]): string => {
      walk(node.inputs[operand], at);
      return 'x';
    };
    product.lhs({ batch, rows, sum }, { read, code: nowhere });
    product.rhs({ batch, columns, sum }, { read, code: nowhere });
  }
}

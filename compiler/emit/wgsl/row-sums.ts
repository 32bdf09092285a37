// Sums beside a product. The gradient of a bias sums over the batch what the gradient of its weights multiplies: the product's kernel has
// every element of that factor at hand, and adds up its rows on the way. Then the factor is read once for both.

import { equal, one, zero } from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Node, Value } from '../../ir/graph.ts';
import { sameShape } from '../../ir/types.ts';
import { sizeOf, type Index } from './indices.ts';
import { isOverDomain, outerShape, type Kernel } from './kernel.ts';
import type { Product } from './lowering.ts';
import { isFolded, loweringOf, nowhere, type ElementRead, type Network } from './network.ts';

/** The contraction of a product kernel. */
export function contractionOf(
  network: Network,
  { values }: Kernel,
): { readonly value: Value; readonly node: Node; readonly product: Product } {
  for (const value of values) {
    const node = network.producerOf(value);
    const lowering = node === undefined ? null : loweringOf(node);
    if (node !== undefined && lowering?.kind === 'contract')
      return { value, node, product: lowering.product(node) };
  }
  throw new Error('a product kernel of nothing');
}

/** The axes of the product's domain that are its columns, if the folds of `rows` are the sums of its first factor's rows; else null. */
export function columnAxes(
  network: Network,
  product: Kernel,
  rows: Kernel,
): readonly number[] | null {
  const folds = rows.values.filter((value) => isFolded(network, value));
  const areOfRows = rows.values.every((value) => !isOverDomain(rows, value));
  if (product.axes.length > 0 || product.windows !== undefined) return null;
  if (folds.length !== 1 || !areOfRows) return null;
  const of = contractionOf(network, product);
  const fold = network.producerOf(folds[0]);
  if (fold?.op !== 'reduce' || fold.attributes.kind !== 'add') return null;
  if (of.value.dtype !== folds[0].dtype) return null;
  const { batch, columns } = of.product;
  if (!equal(sizeOf(batch), one) || equal(sizeOf(columns), one)) return null;
  const row = network.indexOver(of.product.rows, 'row');
  const sum = network.indexOver(of.product.sum, 'sum');
  const [read, ...more] = firstFactor(of.node, of.product, row, sum);
  if (more.length > 0 || read.value !== fold.inputs[0]) return null;
  const { kept, folded } = byAxes(read.index, rows.axes);
  if (!areSame(kept, row) || folded.length !== sum.length) return null;
  if (!sum.every((k) => folded.some((index) => index.key === k.key))) return null;
  const output = of.product.output(batch.map(zeroOf), row, network.indexOver(columns, 'column'));
  const axes = output.flatMap((index, axis) =>
    row.some(({ key }) => key === index.key) ? [] : [axis],
  );
  const isInOrder = areSame(byAxes(output, axes).kept, row);
  return isInOrder && sameShape(outerShape({ ...product, axes }), folds[0].shape) ? axes : null;
}

/** What one element of the first factor reads. */
function firstFactor(
  { inputs }: Node,
  product: Product,
  rows: readonly Index[],
  sum: readonly Index[],
): readonly ElementRead[] {
  const reads: ElementRead[] = [];
  const read = (operand: number, index: readonly Index[]): string => {
    reads.push({ value: inputs[operand], index });
    return 'x';
  };
  product.lhs({ batch: product.batch.map(zeroOf), rows, sum }, { read, code: nowhere });
  return reads;
}

const zeroOf = (_: Dim): Index => zero;

const byAxes = (index: readonly Index[], axes: readonly number[]) => ({
  kept: index.filter((_, axis) => !axes.includes(axis)),
  folded: index.filter((_, axis) => axes.includes(axis)),
});

const areSame = (a: readonly Index[], b: readonly Index[]): boolean =>
  a.length === b.length && a.every(({ key }, i) => key === b[i].key);

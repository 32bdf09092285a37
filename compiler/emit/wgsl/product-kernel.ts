// A kernel of one contraction, the maps that follow it, and sums beside it. How the sum of products is computed is a variant
// (product-variants.ts).

import { zero } from '../../dims/arithmetic.ts';
import type { Index } from './indices.ts';
import { storeAll, type KernelContext, type KernelFrame } from './kernel-context.ts';
import { indexIn, isOverDomain } from './kernel.ts';
import { elementKey, isFolded, nowhere } from './network.ts';
import { contiguity } from './product-contiguity.ts';
import type { ProductTask } from './product-task.ts';
import { chooseVariant } from './product-variants.ts';
import { byWindows, tapsOf } from './product-windows.ts';
import { contractionOf } from './row-sums.ts';

export function writeProductKernel(context: KernelContext): KernelFrame {
  const { network, kernel, writer, read, target } = context;
  const { windows } = kernel;
  const { value, node, product: plain } = contractionOf(network, kernel);
  const product = windows === undefined ? plain : byWindows(network, plain, windows);
  const taps = windows === undefined ? [[]] : tapsOf(windows);
  const rowSum = kernel.values.find((made) => made !== value && isFolded(network, made));
  const ofRows = context.outputs.filter((made) => !isOverDomain(kernel, made));
  const ofElements = context.outputs.filter((made) => isOverDomain(kernel, made));
  const source = {
    read: (operand: number, at: readonly Index[]) => read(node.inputs[operand], at),
    code: writer,
  };
  const task: ProductTask = {
    writer,
    target,
    dtype: value.dtype,
    batch: product.batch,
    rows: product.rows,
    columns: product.columns,
    sum: product.sum,
    contiguous: contiguity(network, context.isLoaded, node, product),
    lhs: (batch, rows, sum) => product.lhs({ batch, rows, sum }, source),
    rhs: (batch, sum, columns) => product.rhs({ batch, sum, columns }, source),
    source(space, place, sum) {
      const batch = network.indexOver(product.batch, 'batch');
      let found = '';
      const reading = {
        read: (operand: number, at: readonly Index[]) =>
          (found = elementKey(node.inputs[operand], at)),
        code: nowhere,
      };
      if (space === 'rows') product.lhs({ batch, rows: place, sum }, reading);
      else product.rhs({ batch, columns: place, sum }, reading);
      return found;
    },
    together: taps.length,
    finish(batch, row, column, sums) {
      const at = column.slice(0, plain.columns.length);
      taps.forEach((tap, i) =>
        writer.remember(elementKey(value, product.output(batch, row, [...at, ...tap])), sums[i]),
      );
      storeAll(context, ofElements, plain.output(batch, row, at));
    },
    finishRow:
      rowSum === undefined
        ? null
        : (row, sum) => {
            const [batch, columns] = [product.batch, product.columns].map((axes) =>
              axes.map(() => zero),
            );
            const index = product.output(batch, row, columns);
            writer.remember(elementKey(rowSum, indexIn(kernel, rowSum, index)), sum);
            storeAll(context, ofRows, index);
          },
  };
  const variant = chooseVariant(task);
  return { ...variant.write(task), variant: variant.name };
}

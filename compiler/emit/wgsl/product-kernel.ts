// A kernel of one contraction and the maps that follow it. How the sum of products is computed is a variant (product-variants.ts).

import type { Index } from './indices.ts';
import { storeAll, type KernelContext, type KernelFrame } from './kernel-context.ts';
import { elementKey, isFolded, loweringOf, nowhere } from './network.ts';
import { contiguity } from './product-contiguity.ts';
import type { ProductTask } from './product-task.ts';
import { chooseVariant } from './product-variants.ts';

export function writeProductKernel(context: KernelContext): KernelFrame {
  const { network, kernel, writer, read, target } = context;
  const value = kernel.values.find((made) => isFolded(network, made));
  const node = value === undefined ? undefined : network.producerOf(value);
  if (value === undefined || node === undefined) throw new Error('a product kernel of nothing');
  const lowering = loweringOf(node);
  if (lowering.kind !== 'contract') throw new Error(`${node.op} is no contraction`);
  const product = lowering.product(node);
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
    finish(batch, row, column, sum) {
      const index = product.output(batch, row, column);
      writer.remember(elementKey(value, index), sum);
      storeAll(context, context.outputs, index);
    },
  };
  const variant = chooseVariant(task);
  return { ...variant.write(task), variant: variant.name };
}

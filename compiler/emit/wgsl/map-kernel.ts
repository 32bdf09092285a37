// A kernel of maps: an invocation computes one element of each value.

import { isConstant, zero } from '../../dims/arithmetic.ts';
import { sizeOf } from './indices.ts';
import {
  axesOf,
  ceilDivide,
  invocation,
  namedIndex,
  store,
  type KernelContext,
  type KernelFrame,
} from './kernel-context.ts';

const workgroupSize = 256;

export function writeMapKernel(context: KernelContext): KernelFrame {
  const { kernel, writer, read, outputs } = context;
  const total = sizeOf(kernel.domain);
  const isSingle = isConstant(total) === 1;
  if (isSingle) {
    const index = kernel.domain.map(() => zero);
    for (const value of outputs) store(context, value, index, read(value, index));
    return { workgroupSize: 1, groups: total, shared: [] };
  }
  const position = writer.bind('position', invocation(workgroupSize));
  writer.block(`if (${position} >= ${writer.text(total)})`, () => writer.line('return;'));
  const index = axesOf(writer, kernel.domain, namedIndex(position, total), position);
  for (const value of outputs) store(context, value, index, read(value, index));
  return { workgroupSize, groups: ceilDivide(total, workgroupSize), shared: [] };
}

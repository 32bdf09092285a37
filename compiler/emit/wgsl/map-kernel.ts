// A kernel of maps: an invocation computes one element of each value.

import { isConstant, zero } from '../../dims/arithmetic.ts';
import { sizeOf } from './indices.ts';
import {
  axesOf,
  ceilDivide,
  invocation,
  namedIndex,
  storeAll,
  type KernelContext,
  type KernelFrame,
} from './kernel-context.ts';

const workgroupSize = 256;

export function writeMapKernel(context: KernelContext): KernelFrame {
  const { kernel, writer, outputs } = context;
  const total = sizeOf(kernel.domain);
  const isSingle = isConstant(total) === 1;
  if (isSingle) {
    storeAll(
      context,
      outputs,
      kernel.domain.map(() => zero),
    );
    return { workgroupSize: 1, groups: total, shared: [] };
  }
  const position = writer.bind('position', invocation(workgroupSize));
  writer.block(`if (${position} >= ${writer.text(total)})`, () => writer.line('return;'));
  const index = axesOf(writer, kernel.domain, namedIndex(position, total), position);
  storeAll(context, outputs, index);
  return { workgroupSize, groups: ceilDivide(total, workgroupSize), shared: [] };
}

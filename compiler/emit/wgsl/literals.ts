// Literals that lie in buffers: those of many different numbers, where a kernel reads them or they are a result.

import type { Value } from '../../ir/graph.ts';
import type { Tensor } from '../../ir/tensor.ts';
import type { EmittedKernel } from './emit-kernel.ts';
import { uniformValue, type Network } from './network.ts';

export function tablesOf(
  network: Network,
  kernels: readonly EmittedKernel[],
): ReadonlyMap<Value, Tensor> {
  const tables = new Map<Value, Tensor>();
  const add = (value: Value): void => {
    const tensor = network.literalOf(value);
    if (tensor !== null && uniformValue(tensor) === null) tables.set(value, tensor);
  };
  for (const { buffers } of kernels) buffers.forEach(({ value }) => add(value));
  for (const { value } of network.graph.outputs) add(network.baseOf(value));
  return tables;
}

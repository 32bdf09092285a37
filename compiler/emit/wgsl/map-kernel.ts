// A kernel of maps: an invocation computes one element of each value, or a small block of neighbours where those read the same elements.

import * as dims from '../../dims/arithmetic.ts';
import type { Value } from '../../ir/graph.ts';
import { sizeOf, unflatten, type Index } from './indices.ts';
import { indexIn } from './kernel.ts';
import {
  axesOf,
  ceilDivide,
  invocation,
  leaveBeyond,
  storeAll,
  type KernelContext,
  type KernelFrame,
} from './kernel-context.ts';
import { createWalk, loweringOf } from './network.ts';

const workgroupSize = 256;

export function writeMapKernel(context: KernelContext): KernelFrame {
  const { kernel, writer, outputs } = context;
  const block = blockOf(context);
  const inBlocks = kernel.domain.map((size, axis) => dims.floorDivide(size, block[axis]));
  const total = sizeOf(inBlocks);
  const isSingle = dims.isConstant(total) === 1;
  const at = (index: readonly Index[]): void =>
    placesOf(block, index).forEach((place) => storeAll(context, outputs, place));
  if (isSingle) {
    at(kernel.domain.map(() => dims.zero));
    return { workgroupSize: 1, groups: total, shared: [] };
  }
  const position = writer.bind('position', invocation(workgroupSize));
  leaveBeyond(writer, position, total);
  at(axesOf(writer, inBlocks, writer.indexOf(position, total), position));
  return { workgroupSize, groups: ceilDivide(total, workgroupSize), shared: [] };
}

/** The elements of the block with that index among the blocks. */
const placesOf = (block: readonly Index[], index: readonly Index[]): Index[][] =>
  Array.from({ length: dims.isConstant(sizeOf(block)) ?? 1 }, (_, i) => {
    const offsets = unflatten(dims.constant(i), block);
    return index.map((at, axis) => dims.add(dims.multiply(at, block[axis]), offsets[axis]));
  });

/** Blocks over the last two axes, besides single elements. */
const shapes = [
  [1, 2],
  [2, 2],
  [1, 4],
] as const;

/**
 * The block with the fewest loads an element. Neighbours of a GPU's invocation are computed by neighbours, from the same cache; on a
 * software adapter a load less is time less.
 */
function blockOf(context: KernelContext): readonly Index[] {
  const { network, kernel, target } = context;
  const single = kernel.domain.map(() => dims.one);
  const isWhole = kernel.values.some((value) => {
    const node = network.producerOf(value);
    const lowering = node && loweringOf(node);
    return lowering?.kind === 'map' && lowering.cost === 'whole';
  });
  if (target.adapter !== 'software' || kernel.domain.length < 2 || isWhole) return single;
  const last = kernel.domain.length - 2;
  const blocks = shapes
    .map((shape) => [...single.slice(0, last), ...shape.map(dims.constant)])
    .filter((block) =>
      block.every((part, axis) => dims.exactDivide(kernel.domain[axis], part) !== null),
    );
  const [best] = [single, ...blocks]
    .map((block) => ({ block, loads: loadsOf(context, block) }))
    .sort((a, b) => a.loads - b.loads);
  return best.block;
}

/** Loads an element of a block, each of a buffer's elements once. */
function loadsOf({ network, kernel, isLoaded }: KernelContext, block: readonly Index[]): number {
  let loads = 0;
  const own = new Set(kernel.values);
  const isRead = (value: Value): boolean => isLoaded(value) || own.has(value);
  const walk = createWalk(network, isRead, (value) => (loads += isLoaded(value) ? 1 : 0));
  const places = placesOf(block, network.indexOver(kernel.domain));
  for (const place of places)
    for (const value of kernel.values) {
      const node = network.producerOf(value);
      if (node === undefined) continue;
      for (const read of network.elementReads(node, indexIn(kernel, value, place)))
        walk(read.value, read.index);
    }
  return loads / places.length;
}

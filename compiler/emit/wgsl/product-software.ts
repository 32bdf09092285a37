// Which blocks a product is computed by on an adapter that computes on the CPU: those that take the least time by a small model of it.
// What counts there are loads, and that no core waits. Calibrated on SwiftShader with bench/webgpu/profile.ts.

import * as dims from '../../dims/arithmetic.ts';
import { indexVariable, unflatten } from './indices.ts';
import { blocks, togetherOf } from './product-blocks.ts';
import { partsOfRun } from './product-places.ts';
import type { ProductTask, Variant } from './product-task.ts';

/** What a load costs, in multiplications. */
const load = 10;

/** The most elements in a block: the driver's compiler takes its time over each multiplication that is written. */
const largestBlock = 128;

/** Workgroups that keep a few cores busy. */
const enoughGroups = 4;

/** Invocations that the driver computes at once. */
const workgroupSize = 4;

/** The most rows or columns in a block. */
const longestSide = 16;

export function softwareBlocks(
  task: ProductTask,
  [batch, rows, columns]: readonly number[],
): Variant {
  const shapes = sidesOf(task, 'columns', columns).flatMap((across) =>
    sidesOf(task, 'rows', rows).map((down) => {
      const count = batch * Math.ceil(rows / down.length) * Math.ceil(columns / across.length);
      const groups = Math.max(enoughGroups, Math.ceil(count / workgroupSize));
      const area = down.length * across.length;
      return {
        down: down.length,
        across: across.length,
        area,
        time: groups * (area + load * (down.loads + across.loads)),
      };
    }),
  );
  const [{ down, across, area }] = shapes
    .filter((shape) => shape.area <= largestBlock)
    .sort((a, b) => a.time - b.time);
  const unroll = Math.min(8, Math.floor((2 * largestBlock) / area));
  return blocks({ down, across, unroll, workgroupSize });
}

interface Side {
  readonly length: number;
  /** Loads a term of the sums. */
  readonly loads: number;
}

/** Sides that lie evenly along the axes, and those that divide all of them about evenly; the longest first. */
function sidesOf(task: ProductTask, space: 'rows' | 'columns', size: number): Side[] {
  const even = Array.from({ length: longestSide }, (_, i) => longestSide - i).filter(
    (length) => length <= size && partsOfRun(task[space], length) !== null,
  );
  const others = [16, 8, 4].map((most) => Math.ceil(size / Math.ceil(size / most)));
  return [
    ...even.map((length) => ({ length, loads: loadsOf(task, space, length) })),
    ...others
      .filter((length) => !even.includes(length))
      .map((length) => ({ length, loads: length })),
  ];
}

/** How many elements the places of an even run need for a term: under a window, neighbours need the same ones. */
function loadsOf(task: ProductTask, space: 'rows' | 'columns', length: number): number {
  const parts = (partsOfRun(task[space], length) ?? []).map(dims.constant);
  const last = task.sum.findLastIndex((size) => !dims.equal(size, dims.one));
  const terms = last < 0 ? 1 : togetherOf(task.sum[last], 4);
  const [starts, sums] = [task[space], task.sum].map((shape, i) =>
    shape.map((size, axis) =>
      dims.dimOf(indexVariable(`${i === 0 ? 'place' : 'term'}${axis}`, size)),
    ),
  );
  const sources = new Set<string>();
  for (let place = 0; place < length; place++)
    for (let term = 0; term < terms; term++) {
      const offsets = unflatten(dims.constant(place), parts);
      sources.add(
        task.source(
          space,
          starts.map((start, axis) => dims.add(dims.multiply(start, parts[axis]), offsets[axis])),
          sums.map((k, axis) => (axis === last ? dims.add(k, dims.constant(term)) : k)),
        ),
      );
    }
  return sources.size / terms;
}

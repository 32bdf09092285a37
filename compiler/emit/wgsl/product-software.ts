// Which blocks a product is computed by on an adapter that computes on the CPU: those that take the least time by a small model of it.
// What counts there are loads, and that no core waits. Calibrated on SwiftShader with bench/webgpu/profile.ts.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import { indexVariable, unflatten } from './indices.ts';
import { blocks, togetherOf } from './product-blocks.ts';
import { partsOfRun } from './product-places.ts';
import type { ProductTask, Variant } from './product-task.ts';

/** What a load and a turn of a loop cost, in multiplications. */
const [load, turn] = [10, 10];

/** A load through a window with an index and a guard of its own, in loads. */
const alone = 1.5;

/** The most elements in a block, and rows or columns. */
const [largestBlock, longestSide] = [256, 16];

/** The most terms of a sum that are loaded together. */
const mostTerms = 8;

/** So many multiplications written out are as bad as twice the time: the driver's compiler takes long over them. */
const longCode = 4096;

/** Workgroups that keep a few cores busy. */
const enoughGroups = 4;

/** Invocations that the driver computes at once. */
const workgroupSize = 4;

interface Choice {
  readonly down: number;
  readonly across: number;
  readonly terms: number;
}

export function softwareBlocks(
  task: ProductTask,
  [batch, rows, columns]: readonly number[],
): Variant {
  const last = task.sum.findLast((size) => !dims.equal(size, dims.one)) ?? dims.one;
  const counts = [...new Set([1, 2, 4, mostTerms].map((most) => togetherOf(last, most)))];
  const timeOf = ({ down, across, terms }: Choice): number => {
    const blocksNeeded = batch * Math.ceil(rows / down) * Math.ceil(columns / across);
    const groups = Math.max(enoughGroups, Math.ceil(blocksNeeded / workgroupSize));
    const loads = loadsOf(task, 'rows', down, terms) + loadsOf(task, 'columns', across, terms);
    const time = groups * (down * across + (load * loads + turn) / terms);
    return time * (1 + (down * across * terms) / longCode);
  };
  const choices = sidesOf(task, 'columns', columns).flatMap((across) =>
    sidesOf(task, 'rows', rows).flatMap((down) => counts.map((terms) => ({ down, across, terms }))),
  );
  const [{ choice }] = choices
    .filter(({ down, across }) => down * across <= largestBlock)
    .map((choice) => ({ choice, time: timeOf(choice) }))
    .sort((a, b) => a.time - b.time);
  const { down, across, terms } = choice;
  return blocks({ down, across, unroll: terms, workgroupSize });
}

/** Sides that lie evenly along the axes, and those that divide all of them about evenly; the longest first. */
function sidesOf(task: ProductTask, space: 'rows' | 'columns', size: number): number[] {
  const even = Array.from({ length: longestSide }, (_, i) => longestSide - i).filter(
    (length) => length <= size && partsOfRun(task[space], length) !== null,
  );
  const others = [16, 8, 4].map((most) => Math.ceil(size / Math.ceil(size / most)));
  return [...new Set([...even, ...others])];
}

/** How many elements a run needs for some terms: under a window, neighbours and neighbouring terms need the same ones. */
function loadsOf(
  task: ProductTask,
  space: 'rows' | 'columns',
  length: number,
  terms: number,
): number {
  const parts = partsOfRun(task[space], length)?.map(dims.constant);
  const isWindowed = task.sum.length > 1 && task[space].length > 1;
  if (!isWindowed) return length * terms;
  if (parts === undefined) return alone * length * terms;
  const last = task.sum.findLastIndex((size) => !dims.equal(size, dims.one));
  const starts = task[space].map((size, axis) => variable(`place${axis}`, size));
  const sums = task.sum.map((size, axis) => variable(`term${axis}`, size));
  const sources = new Set<string>();
  for (let place = 0; place < length; place++)
    for (let term = 0; term < terms; term++) {
      const offsets = unflatten(dims.constant(place), parts);
      const at = starts.map((start, axis) =>
        dims.add(dims.multiply(start, parts[axis]), offsets[axis]),
      );
      const k = sums.map((sum, axis) => (axis === last ? dims.add(sum, dims.constant(term)) : sum));
      sources.add(task.source(space, at, k));
    }
  return sources.size;
}

const variable = (name: string, bound: Dim): Dim => dims.dimOf(indexVariable(name, bound));

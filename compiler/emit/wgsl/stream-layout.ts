// How the kernel of a stream shares out its rows and walks along its keys.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { AdapterClass } from './adapter.ts';
import { sizeOf } from './indices.ts';
import { depthOf, type Stream } from './stream.ts';

/**
 * - `software`: an invocation takes several rows and several keys at a time, so that each element it loads is used that many times, and
 *   never waits for another.
 * - `gpu`: an invocation takes one row, whose operands and sums stay in registers; a workgroup loads a tile of keys into its memory,
 *   and all its rows walk along it.
 */
export interface StreamLayout {
  readonly workgroupSize: number;
  /** Rows an invocation, and keys at a time. */
  readonly rows: number;
  readonly keys: number;
  /** Keys in workgroup memory at a time; 0 where they are read from buffers. */
  readonly tile: number;
}

const workgroupMemory = 16384;

/** What a free size, such as that of a batch, is taken to be. */
const typicalSize = 64;

/** How many elements there are likely to be along axes. */
export const likely = (shape: readonly Dim[]): number =>
  dims.evaluate(sizeOf(shape), () => typicalSize);

export function streamLayout(stream: Stream, adapter: AdapterClass): StreamLayout {
  if (adapter === 'software') {
    const [batch, rows, keys] = [stream.batch, stream.rows, stream.keys].map(likely);
    const most = stream.products.length === 1 ? 16 : 8;
    let down = Math.ceil(rows / Math.ceil(rows / 8));
    while (down > 1 && batch * Math.ceil(rows / down) < 16) down = Math.ceil(down / 2);
    return { workgroupSize: 4, rows: down, keys: keys > most / 2 ? most : most / 2, tile: 0 };
  }
  let tile = 32;
  while (tile > 4 && tile * bytesOfKey(stream) > workgroupMemory) tile /= 2;
  return { workgroupSize: 64, rows: 1, keys: 4, tile };
}

/** What the operands of a key take in workgroup memory. */
const bytesOfKey = ({ products, folds }: Stream): number =>
  [...products.map(depthOf), ...folds.flatMap(({ factor, columns }) => (factor ? [columns] : []))]
    .map((shape) => 4 * countOf(shape))
    .reduce((sum, bytes) => sum + bytes, 0);

/** How many elements there are along axes whose sizes are known. */
export function countOf(shape: readonly Dim[]): number {
  const count = dims.isConstant(sizeOf(shape));
  if (count === null) throw new Error('a size that must be known is free');
  return count;
}

// The order of the rows in an epoch: a shuffle that depends on nothing but the seed, the epoch and the number of rows, so that a
// run can be continued, or repeated on another machine, with the same batches.
//
// Fisher and Yates from the last row down: row i changes places with a row drawn from 0..i. The draws are the first words of
// Threefry blocks with the key (seed, "data order" hashed) and the counters (epoch, number of the draw); a draw in the uneven rest at
// the top of 2^32 is drawn again, so that every order is equally likely.

import { threefryBlock } from '../../compiler/ir/threefry.ts';

/** FNV-1a, 32 bits, of "data order": keeps these draws apart from the program's own. */
const streamKey = 0x0060a631;

const range = 2 ** 32;

/** The rows 0..rows-1 as epoch `epoch` takes them. */
export function shuffled(rows: number, seed: number, epoch: number): Uint32Array {
  const order = inOrder(rows);
  const words = new Uint32Array(2);
  let draws = 0;
  for (let i = rows - 1; i > 0; i--) {
    const even = range - (range % (i + 1));
    do threefryBlock(seed, streamKey, epoch, draws++, words);
    while (words[0] >= even);
    const j = words[0] % (i + 1);
    const row = order[i];
    order[i] = order[j];
    order[j] = row;
  }
  return order;
}

/** The rows 0..rows-1 as they stand. */
export const inOrder = (rows: number): Uint32Array =>
  Uint32Array.from({ length: rows }, (_, i) => i);

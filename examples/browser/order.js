// The order of the rows in an epoch, as `dlg train` takes them (runtime/data/order.ts): with the same seed and batch size this page
// sees the same batches. Fisher and Yates, with draws from Threefry-2x32.

/** FNV-1a, 32 bits, of "data order". */
const streamKey = 0x0060a631;
const range = 2 ** 32;

/**
 * The rows 0..rows-1 as epoch `epoch` takes them.
 * @param {number} rows
 * @param {number} seed
 * @param {number} epoch
 */
export function shuffled(rows, seed, epoch) {
  const order = Uint32Array.from({ length: rows }, (_, i) => i);
  let draws = 0;
  for (let i = rows - 1; i > 0; i--) {
    // A draw in the uneven rest at the top would make some orders likelier.
    const even = range - (range % (i + 1));
    let word = threefry(seed, streamKey, epoch, draws++);
    while (word >= even) word = threefry(seed, streamKey, epoch, draws++);
    const j = word % (i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
];

/**
 * The first word of a block.
 * @param {number} key0
 * @param {number} key1
 * @param {number} x0
 * @param {number} x1
 */
function threefry(key0, key1, x0, x1) {
  const keys = [key0, key1, key0 ^ key1 ^ 0x1bd11bda];
  let a = (x0 + key0) >>> 0;
  let b = (x1 + key1) >>> 0;
  for (let group = 0; group < 5; group++) {
    for (const r of rotations[group % 2]) {
      a = (a + b) >>> 0;
      b = ((b << r) | (b >>> (32 - r))) ^ a;
    }
    a = (a + keys[(group + 1) % 3]) >>> 0;
    b = (b + keys[(group + 2) % 3] + group + 1) >>> 0;
  }
  return a;
}

// The Threefry-2x32 block cipher of Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3" (2011), 20 rounds, as JAX uses
// it: what every random number of a program, and the order of its data, is made of.

/** Left rotations of the four rounds between two injections of key, in turns. */
export const rotations: readonly (readonly number[])[] = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
];
export const groups = 5;
export const parity = 0x1bd11bda;

/** The two output words of one block, written to `out`; keys and counters are u32. */
export function threefryBlock(
  key0: number,
  key1: number,
  x0: number,
  x1: number,
  out: Uint32Array,
): void {
  const keys = [key0, key1, key0 ^ key1 ^ parity];
  let a = (x0 + key0) >>> 0;
  let b = (x1 + key1) >>> 0;
  for (let group = 0; group < groups; group++) {
    for (const r of rotations[group % 2]) {
      a = (a + b) >>> 0;
      b = ((b << r) | (b >>> (32 - r))) ^ a;
    }
    a = (a + keys[(group + 1) % 3]) >>> 0;
    b = (b + keys[(group + 2) % 3] + group + 1) >>> 0;
  }
  out[0] = a;
  out[1] = b;
}

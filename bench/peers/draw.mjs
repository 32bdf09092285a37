// A small linear congruential stream: data need only be the same for all, and is drawn anew rather than kept where it is large.

/** `count` numbers of [low, low + 1) from `seed` on, as f32. */
export function draw(seed, count, low) {
  const values = new Float32Array(count);
  for (let i = 0, state = seed; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = state / 2 ** 32 + low;
  }
  return values;
}

// From a drawing to what the network was trained on. MNIST's digits were made so: scaled into 20 x 20 with their proportions kept,
// antialiased, then placed in 28 x 28 so that the centre of mass is in the middle (LeCun et al. 1998).

export const side = 28;
const box = 20;

/**
 * The drawing as 28 x 28 numbers from 0 to 1, row by row; null where nothing is drawn.
 * @param {ArrayLike<number>} ink how much ink each pixel holds, 0 to 255, row by row
 * @param {number} width
 * @param {number} height
 * @returns {Float32Array | null}
 */
export function toDigit(ink, width, height) {
  const acrossInk = new Float64Array(width);
  const downInk = new Float64Array(height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      acrossInk[x] += ink[y * width + x];
      downInk[y] += ink[y * width + x];
    }
  const across = extentOf(acrossInk);
  const down = extentOf(downInk);
  if (across === null || down === null) return null;
  const scale = box / Math.max(across.end - across.start, down.end - down.start);
  return resample(ink, width, coverage(width, across, scale), coverage(height, down, scale));
}

/** @typedef {{ start: number, end: number, centre: number }} Extent */

/**
 * From where to where there is ink along an axis, and its centre of mass. Pixel i reaches from i to i + 1.
 * @param {Float64Array} ink
 * @returns {Extent | null}
 */
function extentOf(ink) {
  const start = ink.findIndex((mass) => mass > 0);
  if (start < 0) return null;
  const end = ink.findLastIndex((mass) => mass > 0) + 1;
  const total = ink.reduce((sum, mass) => sum + mass, 0);
  const moment = ink.reduce((sum, mass, i) => sum + mass * (i + 0.5), 0);
  return { start, end, centre: moment / total };
}

/** @typedef {readonly { first: number, weights: readonly number[] }[]} Coverage */

/**
 * For each pixel of the result, which pixels of the drawing it covers along an axis, and how much of it each of them fills.
 * @param {number} length
 * @param {Extent} extent
 * @param {number} scale
 * @returns {Coverage}
 */
function coverage(length, { start, end, centre }, scale) {
  // A shape with its mass near one end would reach over the edge: it stays inside instead.
  const origin = Math.min(start, Math.max(end - side / scale, centre - side / 2 / scale));
  return Array.from({ length: side }, (_, i) => {
    const from = Math.min(length, Math.max(0, origin + i / scale));
    const to = Math.min(length, Math.max(0, origin + (i + 1) / scale));
    const first = Math.floor(from);
    const covered = Array.from(
      { length: Math.ceil(to) - first },
      (_, k) => (Math.min(to, first + k + 1) - Math.max(from, first + k)) * scale,
    );
    return { first, weights: covered };
  });
}

/**
 * Each pixel of the result is the mean over the area that it covers.
 * @param {ArrayLike<number>} ink
 * @param {number} width
 * @param {Coverage} across
 * @param {Coverage} down
 */
function resample(ink, width, across, down) {
  const digit = new Float32Array(side * side);
  down.forEach(({ first: top, weights: rows }, y) => {
    across.forEach(({ first: left, weights: columns }, x) => {
      let sum = 0;
      rows.forEach((row, j) => {
        columns.forEach((column, i) => {
          sum += row * column * ink[(top + j) * width + left + i];
        });
      });
      digit[y * side + x] = Math.min(1, sum / 255);
    });
  });
  return digit;
}

// Writes points of the Stanford bunny's surface (npm package `bunny`) as an .npy file of shape [count, 3], within a ball of
// radius 0.8:  node examples/bunny-sdf/points.mjs out/bunny/points.npy [count]

import { createRequire } from 'node:module';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const { positions, cells } = createRequire(import.meta.url)('bunny');
const [path = 'out/bunny/points.npy', count = '20000'] = process.argv.slice(2);

const axes = [0, 1, 2];
const centre = axes.map((k) => {
  const all = positions.map((p) => p[k]);
  return (Math.min(...all) + Math.max(...all)) / 2;
});
const radius = Math.max(...positions.map((p) => Math.hypot(...axes.map((k) => p[k] - centre[k]))));
const scaled = positions.map((p) => axes.map((k) => ((p[k] - centre[k]) * 0.8) / radius));

const minus = (a, b) => axes.map((k) => a[k] - b[k]);
const area = ([a, b, c]) => {
  const [u, v] = [minus(b, a), minus(c, a)];
  return Math.hypot(
    u[1] * v[2] - u[2] * v[1],
    u[2] * v[0] - u[0] * v[2],
    u[0] * v[1] - u[1] * v[0],
  );
};

// Uniform on the surface: triangles by their area, places inside by a low-discrepancy sequence (Roberts 2018), so that
// each run writes the same file.
const triangles = cells.map((cell) => cell.map((i) => scaled[i]));
const sums = [];
triangles.reduce((sum, triangle, i) => (sums[i] = sum + area(triangle)), 0);
const fraction = (i, by) => (0.5 + i * by) % 1;
const points = Float32Array.from({ length: 3 * Number(count) });
let triangle = 0;
for (let i = 0; i < Number(count); i++) {
  const wanted = ((i + 0.5) / Number(count)) * sums.at(-1);
  while (sums[triangle] < wanted) triangle++;
  let [s, t] = [fraction(i, 0.7548776662466927), fraction(i, 0.5698402909980532)];
  if (s + t > 1) [s, t] = [1 - s, 1 - t];
  const [a, b, c] = triangles[triangle];
  axes.forEach((k) => (points[3 * i + k] = a[k] + s * (b[k] - a[k]) + t * (c[k] - a[k])));
}

const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${count}, 3), }`;
const padded = header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11) + '\n';
const magic = Buffer.from([
  0x93,
  ...Buffer.from('NUMPY'),
  1,
  0,
  padded.length & 255,
  padded.length >> 8,
]);
mkdirSync(dirname(path), { recursive: true });
writeFileSync(path, Buffer.concat([magic, Buffer.from(padded), Buffer.from(points.buffer)]));
console.error(`wrote ${count} points to ${path}`);

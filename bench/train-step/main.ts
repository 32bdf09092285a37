// One training step on the CPU, beside the peers: `npm run bench:train-step` (after `npm ci --prefix bench`). Each contender gets
// the same initial parameters, the same batch and the same optimiser. Prints median milliseconds a step, ratios to ours, and how far
// the losses are apart.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { median, medianOf, race, type Contender, type Standing } from '../race.ts';
import { writeTask, type Task } from '../tasks.ts';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3);

const tasks: readonly Task[] = [
  {
    kind: 'mlp',
    title: 'MLP 784-512-256-10, batch 128, Adam',
    program: 'mlp.dlg',
    runs: 200,
    x: [128, 784],
  },
  {
    kind: 'cnn',
    title: 'demo CNN, batch 64, Adam',
    program: 'cnn.dlg',
    runs: 100,
    x: [64, 1, 28, 28],
  },
  {
    kind: 'transformer',
    title: 'pre-norm transformer block, d 128, 4 heads, 64 tokens, batch 16, SGD',
    program: 'transformer.dlg',
    runs: 80,
    x: [16, 64, 128],
  },
];

const peer = (script: string): string =>
  fileURLToPath(new URL(`../peers/${script}`, import.meta.url));
const node = process.execPath;

const contenders = ({ kind }: Task): readonly Contender[] => [
  { name: 'ours 1 thread', command: [node, peer('dlg-onnx.mjs'), 'FOLDER', '1'] },
  { name: 'ours 2 threads', command: [node, peer('dlg-onnx.mjs'), 'FOLDER', '2'] },
  { name: 'JAX 1 thread', command: ['python3', peer('jax-cpu.py'), 'FOLDER', '1'] },
  { name: 'JAX 2 threads', command: ['python3', peer('jax-cpu.py'), 'FOLDER', '2'] },
  { name: 'jax-js', command: [node, peer('jax-js.mjs'), 'FOLDER', 'wasm'] },
  {
    name: 'TensorFlow.js',
    command: [node, peer('tfjs.mjs'), 'FOLDER', kind === 'cnn' ? 'cpu' : 'wasm'],
  },
];

function print(title: string, standings: readonly Standing[]): void {
  const [ours] = standings;
  if (ours.failure !== null) throw new Error(`ours failed: ${ours.failure}`);
  console.log(`\n${title}`);
  console.log(
    '| contender | median ms/step | rounds | ours is faster by | largest loss difference |',
  );
  console.log('| --- | --- | --- | --- | --- |');
  for (const standing of standings) {
    if (standing.failure !== null) {
      console.log(`| ${standing.name} | - | ${standing.failure} | | |`);
      continue;
    }
    const { results } = standing;
    const apart = lossesApart(standing, ours);
    const middle = medianOf(standing);
    const each = results.map((r) => median(r.times).toFixed(1)).join(' ');
    console.log(
      `| ${results[0].contender} | ${middle.toFixed(2)} | ${each} | ${(middle / medianOf(ours)).toFixed(2)}x | ${apart.toExponential(1)} |`,
    );
  }
}

const lossesApart = (a: Standing, b: Standing): number => {
  const [left, right] = [a, b].map(({ results }) => results[0].losses ?? []);
  return Math.max(...left.map((loss, i) => Math.abs(loss - right[i])));
};

const wanted = process.argv.slice(2);
for (const task of tasks) {
  if (wanted.length > 0 && !wanted.includes(task.kind)) continue;
  const folder = mkdtempSync(join(tmpdir(), 'dlg-bench-'));
  await writeTask(task, folder);
  print(task.title, await race(contenders(task), folder, rounds));
  rmSync(folder, { recursive: true, force: true });
}

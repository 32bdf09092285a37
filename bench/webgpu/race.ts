// Races the contenders in the folder that prepare.ts wrote, and prints one table. Bundled into that folder as race.mjs:
//
//     BENCH_ROUNDS=3 [BENCH_PEAK=67] node FOLDER/race.mjs       BENCH_PEAK: the card's TFLOP/s in f32
//
// All compute on whatever adapter Dawn finds. A time is a median of all rounds, in milliseconds: of a training step with its loss read,
// or of an operation with nothing read.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { medianOf, race, type Contender, type Standing } from '../race.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3);
const peak = Number(process.env['BENCH_PEAK'] ?? NaN);

interface TaskInfo {
  readonly title: string;
  readonly flops: number | null;
}

const contender = (name: string, script: string, ...flags: readonly string[]): Contender => ({
  name,
  command: [
    process.execPath,
    ...flags,
    '--import',
    join(here, 'dawn.mjs'),
    join(here, script),
    'FOLDER',
    'webgpu',
  ],
});

const contenders = [
  contender('DLG', 'dlg.mjs'),
  contender('jax-js', 'jax-js.mjs'),
  contender('TensorFlow.js', 'tfjs.mjs'),
  contender('onnxruntime-web', 'ort-web.mjs', '--liftoff-only'),
].filter(({ command }) => existsSync(command.at(-3) ?? ''));

/** `12.3 (1.50x)`: the median, and how much longer than ours. */
function cell({ results, failure }: Standing, ours: Standing): string {
  if (failure !== null) return '-';
  const time = medianOf({ name: '', results, failure });
  const text = time < 10 ? time.toPrecision(3) : time.toFixed(time < 100 ? 1 : 0);
  return ours.failure === null && results !== ours.results
    ? `${text} (${(time / medianOf(ours)).toFixed(2)}x)`
    : text;
}

/** How far answers are from what is expected, or losses from ours. */
function apart({ results }: Standing, ours: Standing): number {
  const [result] = results;
  if (result.losses === undefined) return result.error ?? NaN;
  const ourLosses = ours.results[0]?.losses ?? result.losses;
  return Math.max(...result.losses.map((loss, i) => Math.abs(loss - ourLosses[i])));
}

function rate(ours: Standing, { flops }: TaskInfo): string {
  if (flops === null || ours.failure !== null) return '';
  const tera = flops / medianOf(ours) / 1e9;
  const share = Number.isNaN(peak) ? '' : ` (${((100 * tera) / peak).toFixed(0)} %)`;
  return `${tera.toPrecision(3)}${share}`;
}

const adapter = execFileSync(process.execPath, [
  '--import',
  join(here, 'dawn.mjs'),
  join(here, 'adapter.mjs'),
]);
console.log(`adapter: ${adapter.toString().trim()}\n`);
const names = contenders.map(({ name }) => name);
console.log(`| ms | ${names.join(' | ')} | answers apart by | TFLOP/s |`);
console.log(`| --- | ${names.map(() => '---').join(' | ')} | --- | --- |`);
const failures: string[] = [];
for (const task of JSON.parse(readFileSync(join(here, 'tasks.json'), 'utf8')) as string[]) {
  const folder = join(here, task);
  const info = JSON.parse(readFileSync(join(folder, 'tensors.json'), 'utf8')) as TaskInfo & {
    train: boolean;
  };
  // onnxruntime-web trains nothing.
  const able = contenders.filter(({ name }) => !info.train || name !== 'onnxruntime-web');
  const standings = await race(able, folder, rounds);
  const [first] = standings;
  const cells = names.map((name) => {
    const standing = standings.find((s) => s.name === name);
    if (standing === undefined) return 'cannot';
    if (standing.failure !== null) failures.push(`${info.title}, ${name}: ${standing.failure}`);
    return cell(standing, first);
  });
  const worst = Math.max(
    ...standings.filter((s) => s.failure === null).map((s) => apart(s, first)),
  );
  const last = [worst.toExponential(0), rate(first, info)];
  console.log(`| ${[info.title, ...cells, ...last].join(' | ')} |`);
}
for (const failure of failures) console.log(failure);

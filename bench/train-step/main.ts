// One training step, beside the peers: `npm run bench:train-step` (after `npm ci --prefix bench`). Each contender gets the
// same initial parameters, the same batch and the same optimiser, runs in a process of its own, and takes turns with the others over
// several rounds, so that a noisy moment hits all. Prints median milliseconds a step, ratios to ours, and how far the losses are apart.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { host, readSource } from '../../cli/sources.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { sizeOf, tensor } from '../../compiler/ir/tensor.ts';
import { interpret } from '../../compiler/ir/interpret.ts';
import { compile, exportOnnx } from '../../compiler/pipeline.ts';

const run = promisify(execFile);
const here = fileURLToPath(new URL('.', import.meta.url));
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3);

interface Result {
  readonly contender: string;
  readonly losses: readonly number[];
  readonly times: readonly number[];
}

const tasks = [
  { kind: 'mlp', title: 'MLP 784-512-256-10, batch 128, Adam', steps: 200, x: [128, 784] },
  { kind: 'cnn', title: 'demo CNN, batch 64, Adam', steps: 100, x: [64, 1, 28, 28] },
  {
    kind: 'transformer',
    title: 'pre-norm transformer block, d 128, 4 heads, 64 tokens, batch 16, SGD',
    steps: 80,
    x: [16, 64, 128],
  },
] as const;

const contenders: readonly (readonly string[])[] = [
  ['ours 1 thread', process.execPath, 'ours.mjs', '1'],
  ['ours 2 threads', process.execPath, 'ours.mjs', '2'],
  ['JAX 1 thread', 'python3', 'jax_cpu.py', '1'],
  ['JAX 2 threads', 'python3', 'jax_cpu.py', '2'],
  ['jax-js', process.execPath, 'jax-js.mjs'],
  ['TensorFlow.js', process.execPath, 'tfjs.mjs'],
];

/** A small linear congruential stream: data need only be the same for all. */
function* numbers(): Generator<number, never> {
  for (let state = 1; ;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

function makeData(task: (typeof tasks)[number]): Record<string, Tensor> {
  const stream = numbers();
  const draw = (shape: readonly number[]): Tensor =>
    tensor(
      'f32',
      shape,
      Float32Array.from({ length: sizeOf(shape) }, () => stream.next().value),
    );
  const x = draw(task.x);
  if (task.kind === 'transformer') return { x, y: draw(task.x) };
  const labels = Int32Array.from({ length: task.x[0] }, () => Math.floor(stream.next().value * 10));
  return { x, y: tensor('i32', [task.x[0]], labels) };
}

/** The folder every contender reads: tensors.json with offsets into tensors.bin, and our own step.onnx. */
function writeTask(task: (typeof tasks)[number], folder: string): void {
  const source = readSource(join(here, `${task.kind}.dlg`));
  if (!('text' in source)) throw new Error(`${task.kind}.dlg cannot be read`);
  const { program, diagnostics } = compile(source, host);
  const [train] = program?.trains ?? [];
  if (program === null || train === undefined) throw new Error(JSON.stringify(diagnostics));
  const first = interpret(train.init, { seed: tensor('u32', [], [0]) }, { precision: 'f32' });
  const learnt = train.step.inputs.filter(({ role }) => role === 'parameter');
  const tensors = {
    ...Object.fromEntries(learnt.map(({ name }) => [name, first[name]])),
    ...makeData(task),
  };
  const state = Object.fromEntries(
    Object.entries(first).map(([name, { dtype, shape }]) => [name, { dtype, shape }]),
  );
  let offset = 0;
  const index = Object.entries(tensors).map(([name, { dtype, shape, data }]) => {
    const entry = [name, { dtype, shape, offset }] as const;
    offset += data.byteLength;
    return entry;
  });
  const bytes = Object.values(tensors).map(
    ({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  );
  const description = { ...task, state, tensors: Object.fromEntries(index) };
  writeFileSync(join(folder, 'tensors.json'), JSON.stringify(description));
  writeFileSync(join(folder, 'tensors.bin'), Buffer.concat(bytes));
  const model = exportOnnx(program).get(`${program.name}.train.onnx`);
  if (model === undefined) throw new Error('no step was exported');
  writeFileSync(join(folder, 'step.onnx'), model);
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1];

async function race(task: (typeof tasks)[number]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'dlg-bench-'));
  writeTask(task, folder);
  const results = new Map<string, Result[]>();
  const failures = new Map<string, string>();
  for (let round = 0; round < rounds; round++)
    for (const [name, command, script, ...options] of contenders) {
      // One round tells enough of a contender that takes seconds a step.
      if (failures.has(name) || median(results.get(name)?.[0].times ?? [0]) > 1000) continue;
      try {
        const { stdout } = await run(command, [join(here, script), folder, ...options], {
          maxBuffer: 1 << 26,
        });
        const result: Result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
        results.set(name, [...(results.get(name) ?? []), result]);
      } catch (error) {
        const text = String((error as { stderr?: string }).stderr ?? error);
        failures.set(name, text.split('\n').find((line) => /Error/.test(line)) ?? 'failed');
      }
    }
  rmSync(folder, { recursive: true, force: true });
  print(task.title, results, failures);
}

function print(
  title: string,
  results: ReadonlyMap<string, readonly Result[]>,
  failures: ReadonlyMap<string, string>,
): void {
  const ours = results.get('ours 1 thread');
  if (ours === undefined) throw new Error(`ours failed: ${failures.get('ours 1 thread')}`);
  const times = (of: readonly Result[]): number[] => of.flatMap((r) => r.times);
  const base = median(times(ours));
  console.log(`\n${title}`);
  console.log(
    '| contender | median ms/step | rounds | ours is faster by | largest loss difference |',
  );
  console.log('| --- | --- | --- | --- | --- |');
  for (const [name] of contenders) {
    const of = results.get(name);
    if (of === undefined) {
      console.log(`| ${name} | - | ${failures.get(name)} | | |`);
      continue;
    }
    const apart = Math.max(...of[0].losses.map((l, i) => Math.abs(l - ours[0].losses[i])));
    const middle = median(times(of));
    const each = of.map((r) => median(r.times).toFixed(1)).join(' ');
    console.log(
      `| ${of[0].contender} | ${middle.toFixed(2)} | ${each} | ${(middle / base).toFixed(2)}x | ${apart.toExponential(1)} |`,
    );
  }
}

const wanted = process.argv.slice(2);
for (const task of tasks) if (wanted.length === 0 || wanted.includes(task.kind)) await race(task);

// What every contender shares: reading a task folder (tensors.json + tensors.bin, written by tasks.ts) and the timing
// protocol. A contender runs in a process of its own and prints one line of JSON.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { draw } from './draw.mjs';

/** { kind, train, runs, tensors: { name: { dtype, shape, data } }, expected: { shape, every, data } | null } */
export function readTask(folder) {
  const { tensors, expected, ...task } = JSON.parse(
    readFileSync(join(folder, 'tensors.json'), 'utf8'),
  );
  const bytes = readFileSync(join(folder, 'tensors.bin'));
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const filled = ({ dtype, shape, offset, seed, low }) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const View = dtype === 'i32' ? Int32Array : Float32Array;
    const data = seed === undefined ? new View(buffer, offset, size) : draw(seed, size, low);
    return { dtype, shape, data };
  };
  return {
    ...task,
    tensors: Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, filled(t)])),
    expected: expected && {
      ...expected,
      data: new Float32Array(buffer, expected.offset, expected.count),
    },
  };
}

const report = (result) => console.log(JSON.stringify(result));

/** Milliseconds that one contender may take for one task. */
const patience = Number(process.env.BENCH_PATIENCE ?? 20) * 1000;

/**
 * Runs `step` (which returns the loss before its update) 8 times for the trace, then times `task.runs` more and prints the
 * result. The loss is read every step, as a training loop that shows it does.
 */
export async function measureSteps(contender, task, step) {
  const losses = [];
  for (let i = 0; i < 8; i++) losses.push(await step());
  const times = [];
  const limit = performance.now() + patience;
  for (let i = 0; i < task.runs && (i < 3 || performance.now() < limit); i++) {
    const start = performance.now();
    await step();
    times.push(performance.now() - start);
  }
  report({ contender, losses, times });
}

/**
 * `run` starts a computation on the device and returns a handle on its answer; `read` fetches that as numbers, `free` drops it;
 * `settle` waits until the device is idle. The answer is read once and compared. Then runs are queued in groups that take at least
 * 20 ms, so that a fast device is not measured by what a wait costs: that is alike for all, and no answer is read meanwhile.
 */
export async function measureRuns(contender, task, { run, read, free, settle }) {
  const first = await run();
  const error = difference(await read(first), task.expected);
  free(first);
  const group = async (n) => {
    const start = performance.now();
    for (let i = 0; i < n; i++) free(await run());
    await settle();
    return (performance.now() - start) / n;
  };
  await group(1);
  let n = 1;
  for (let each = await group(1); each * n < 20 && n < 1000; n *= 2)
    if (n > 1) each = await group(n);
  const times = [];
  const limit = performance.now() + patience;
  for (let i = 0; i < task.runs && (i < 3 || performance.now() < limit); i++)
    times.push(await group(n));
  report({ contender, error, times });
}

/** The largest difference at every so many places, over the largest number expected there. */
function difference(found, { shape, every, data }) {
  if (found.length !== shape.reduce((a, b) => a * b, 1)) return Infinity;
  let [worst, size] = [0, 0];
  for (let i = 0; i < data.length; i++) {
    const apart = Math.abs(found[i * every] - data[i]);
    worst = apart <= worst ? worst : apart; // keeps a NaN
    size = Math.max(size, Math.abs(data[i]));
  }
  return worst / size;
}

// What every contender shares: reading a task folder (tensors.json + tensors.bin, written by main.ts) and the timing
// protocol. A contender runs in a process of its own and prints one line of JSON.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** { name, kind: 'mlp' | 'cnn' | 'transformer', steps, tensors: { name: { dtype, shape, data } } } */
export function readTask(folder) {
  const { tensors, ...task } = JSON.parse(readFileSync(join(folder, 'tensors.json'), 'utf8'));
  const bytes = readFileSync(join(folder, 'tensors.bin'));
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const views = Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape, offset }]) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const View = dtype === 'i32' ? Int32Array : Float32Array;
      return [name, { dtype, shape, data: new View(buffer, offset, size) }];
    }),
  );
  return { ...task, tensors: views };
}

/**
 * Runs `step` (which returns the loss before its update) `losses` times for the trace, then times `task.steps` more
 * and prints the result. The loss is read every step, as a training loop that shows it does.
 */
export async function measure(contender, task, step) {
  const losses = [];
  for (let i = 0; i < 8; i++) losses.push(await step());
  const times = [];
  const limit = performance.now() + 20_000;
  for (let i = 0; i < task.steps && performance.now() < limit; i++) {
    const start = performance.now();
    await step();
    times.push(performance.now() - start);
  }
  console.log(JSON.stringify({ contender, losses, times }));
}

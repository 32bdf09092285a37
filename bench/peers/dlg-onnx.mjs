// DLG's training step on onnxruntime-node, driven as a stranger would: outputs `X.next` are fed back as inputs `X`. Imports
// nothing of the compiler. Usage: dlg-onnx.mjs FOLDER THREADS

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';

import { measureSteps, readTask } from './task.mjs';

const [folder, threads] = [process.argv[2], Number(process.argv[3])];
const task = readTask(folder);
const session = await InferenceSession.create(readFileSync(join(folder, 'model.onnx')), {
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  extra: { session: { intra_op: { allow_spinning: '0' } } },
});

const types = { f32: 'float32', i32: 'int32' };
const feeds = Object.fromEntries(
  session.inputNames.map((name) => {
    const known = task.tensors[name];
    const { dtype, shape } = known ?? task.state[name];
    const size = shape.reduce((a, b) => a * b, 1);
    const data = known?.data ?? (dtype === 'i32' ? new Int32Array(size) : new Float32Array(size));
    return [name, new Tensor(types[dtype], data, shape)];
  }),
);
const loops = session.outputNames
  .filter((name) => name.endsWith('.next'))
  .map((name) => [name, name.slice(0, -'.next'.length)]);

const plural = threads === 1 ? '' : 's';
await measureSteps(`DLG on ONNX Runtime (${threads} thread${plural})`, task, async () => {
  const outputs = await session.run(feeds);
  for (const [from, to] of loops) feeds[to] = outputs[from];
  return outputs.loss.data[0];
});

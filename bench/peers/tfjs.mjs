// TensorFlow.js on WebGPU, or on its fastest backend that trains the model without: WebAssembly, or plain JavaScript for
// convolutions (the WebAssembly backend has no gradient kernel for them). Usage: tfjs.mjs FOLDER wasm|cpu|webgpu

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';

import { losses, operations } from './tfjs-models.mjs';
import { measureRuns, measureSteps, readTask } from './task.mjs';

const [folder, backend] = process.argv.slice(2);
const task = readTask(folder);
if (backend === 'webgpu') await import('@tensorflow/tfjs-backend-webgpu');
if (backend === 'wasm') {
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(
    join(dirname(fileURLToPath(import.meta.resolve('@tensorflow/tfjs-backend-wasm'))), '/'),
  );
}
if (!(await tf.setBackend(backend))) throw new Error(`no backend ${backend}`);
await tf.ready();
const contender = `TensorFlow.js (${backend})`;

// TensorFlow.js convolves images [n, h, w, c] by kernels [h, w, in, out]: they are transposed once, before timing.
const permutations = { x: [0, 2, 3, 1], kernel: [2, 3, 1, 0] };
const tensor = ([name, { dtype, shape, data }]) => {
  const t = tf.tensor(data, shape, dtype === 'i32' ? 'int32' : 'float32');
  const images = shape.length === 4 && (task.kind === 'cnn' || task.kind === 'conv');
  return [name, images ? t.transpose(permutations[name] ?? permutations.kernel) : t];
};
const tensors = Object.fromEntries(Object.entries(task.tensors).map(tensor));

await (task.train ? train() : apply());

async function apply() {
  const operation = operations[task.kind];
  await measureRuns(contender, task, {
    run: () => tf.tidy(() => operation(tensors)),
    read: (y) => (task.kind === 'conv' ? y.transpose([0, 3, 1, 2]) : y).data(),
    free: (y) => y.dispose(),
    settle: async () => {
      tf.backend().endComputePassEncoder();
      tf.backend().submitQueue();
      await tf.backend().queue.onSubmittedWorkDone();
    },
  });
}

async function train() {
  const { x, y: target, ...parameters } = tensors;
  const names = Object.keys(parameters);
  const y = task.kind === 'transformer' ? target : tf.oneHot(target, 10).toFloat();
  const loss = losses[task.kind];
  const gradients = tf.valueAndGrads((...values) =>
    loss(Object.fromEntries(names.map((n, i) => [n, values[i]])), x, y),
  );
  let p = parameters;
  let [m, v] = [0, 1].map(() => names.map((n) => tf.zerosLike(p[n])));
  let t = 0;
  await measureSteps(contender, task, async () => {
    t++;
    const kept = tf.tidy(() => {
      const { value, grads } = gradients(names.map((n) => p[n]));
      if (task.kind === 'transformer')
        return { value, p: names.map((n, i) => p[n].sub(grads[i].mul(0.1))) };
      const [a, c] = [1e-3 / (1 - 0.9 ** t), 1 / (1 - 0.999 ** t)];
      const m2 = m.map((e, i) => e.mul(0.9).add(grads[i].mul(0.1)));
      const v2 = v.map((e, i) => e.mul(0.999).add(grads[i].square().mul(0.001)));
      const p2 = names.map((n, i) => p[n].sub(m2[i].mul(a).div(v2[i].mul(c).sqrt().add(1e-8))));
      return { value, p: p2, m: m2, v: v2 };
    });
    tf.dispose([p, ...(kept.m ? [m, v] : [])]);
    p = Object.fromEntries(names.map((n, i) => [n, kept.p[i]]));
    if (kept.m) ({ m, v } = kept);
    const [value] = await kept.value.data();
    kept.value.dispose();
    return value;
  });
}

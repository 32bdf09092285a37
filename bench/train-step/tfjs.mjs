// TensorFlow.js on its fastest backend that trains the model in Node: WebAssembly, or plain JavaScript for convolutions (the
// WebAssembly backend has no gradient kernel for them).

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';

import { measure, readTask } from './task.mjs';

const task = readTask(process.argv[2]);
const backend = task.kind === 'cnn' ? 'cpu' : 'wasm';
if (backend === 'wasm')
  setWasmPaths(
    join(dirname(fileURLToPath(import.meta.resolve('@tensorflow/tfjs-backend-wasm'))), '/'),
  );
await tf.setBackend(backend);
await tf.ready();

const tensor = ({ dtype, shape, data }) =>
  tf.tensor(data, shape, dtype === 'i32' ? 'int32' : 'float32');
const data = ['x', 'y'];
const names = Object.keys(task.tensors).filter((n) => !data.includes(n));
const [x, y] = data.map((n) => tensor(task.tensors[n]));
// TensorFlow.js convolves channels-last with kernels [k, k, in, out]; the weights are transposed once, before timing.
const isKernel = (n) => task.tensors[n].shape.length === 4;
let p = Object.fromEntries(
  names.map((n) => {
    const t = tensor(task.tensors[n]);
    return [n, isKernel(n) ? t.transpose([2, 3, 1, 0]) : t];
  }),
);
const images = task.kind === 'cnn' ? x.transpose([0, 2, 3, 1]) : x;
const oneHot = task.kind === 'transformer' ? null : tf.oneHot(y, 10).toFloat();

const dense = (v, W, b) => {
  const rows = v.shape.length > 2 ? v.reshape([-1, v.shape.at(-1)]) : v;
  const out = tf.matMul(rows, W, false, true).add(b);
  return v.shape.length > 2 ? out.reshape([...v.shape.slice(0, -1), W.shape[0]]) : out;
};
const crossEntropy = (l) => tf.logSoftmax(l).mul(oneHot).sum(-1).mean().neg();
const norm = (v, gamma, beta) => {
  const centred = v.sub(v.mean(-1, true));
  return centred.div(centred.mul(centred).mean(-1, true).add(1e-5).sqrt()).mul(gamma).add(beta);
};
const gelu = (v) => v.mul(0.5).mul(tf.erf(v.mul(Math.SQRT1_2)).add(1));

const losses = {
  mlp: (q) => {
    const h1 = dense(x, q['net.l1.W'], q['net.l1.b']).relu();
    const h2 = dense(h1, q['net.l2.W'], q['net.l2.b']).relu();
    return crossEntropy(dense(h2, q['net.l3.W'], q['net.l3.b']));
  },
  cnn: (q) => {
    const block = (v, K, b) => tf.maxPool(tf.conv2d(v, K, 1, 'same').add(b).relu(), 2, 2, 'valid');
    const a = block(images, q['net.c1.K'], q['net.c1.b']);
    const b = block(a, q['net.c2.K'], q['net.c2.b']);
    const flat = b.transpose([0, 3, 1, 2]).reshape([-1, 1568]);
    const h = dense(flat, q['net.f1.W'], q['net.f1.b']).relu();
    return crossEntropy(dense(h, q['net.f2.W'], q['net.f2.b']));
  },
  transformer: (q) => {
    const layer = (v, name) => dense(v, q[`net.${name}.W`], q[`net.${name}.b`]);
    const heads = (v) => v.reshape([16, 64, 4, 32]).transpose([0, 2, 1, 3]);
    const h = norm(x, q['net.norm1.gamma'], q['net.norm1.beta']);
    const [a, k, v] = ['query', 'key', 'value'].map((n) => heads(layer(h, `attention.${n}`)));
    const weights = tf.softmax(tf.matMul(a, k, false, true).div(Math.sqrt(32)));
    const z = tf.matMul(weights, v).transpose([0, 2, 1, 3]).reshape([16, 64, 128]);
    const r = x.add(layer(z, 'attention.out'));
    const m = norm(r, q['net.norm2.gamma'], q['net.norm2.beta']);
    const d = r.add(layer(gelu(layer(m, 'mlp.l1')), 'mlp.l2')).sub(y);
    return d.mul(d).mean();
  },
};
const loss = losses[task.kind];
const gradients = tf.valueAndGrads((...values) =>
  loss(Object.fromEntries(names.map((n, i) => [n, values[i]]))),
);

let [m, v] = [0, 1].map(() => names.map((n) => tf.zerosLike(p[n])));
let t = 0;
await measure(`TensorFlow.js (${backend})`, task, async () => {
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

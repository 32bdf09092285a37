// The models in TensorFlow.js.

import * as tf from '@tensorflow/tfjs';

const dense = (v, W, b) => {
  const rows = v.shape.length > 2 ? v.reshape([-1, v.shape.at(-1)]) : v;
  const out = tf.matMul(rows, W, false, true).add(b);
  return v.shape.length > 2 ? out.reshape([...v.shape.slice(0, -1), W.shape[0]]) : out;
};
const crossEntropy = (l, oneHot) => tf.logSoftmax(l).mul(oneHot).sum(-1).mean().neg();
const norm = (v, gamma, beta) => {
  const centred = v.sub(v.mean(-1, true));
  return centred.div(centred.mul(centred).mean(-1, true).add(1e-5).sqrt()).mul(gamma).add(beta);
};
const gelu = (v) => v.mul(0.5).mul(tf.erf(v.mul(Math.SQRT1_2)).add(1));

/** The loss of a model with parameters `q`. Images are channels-last, labels one-hot. */
export const losses = {
  mlp: (q, x, y) => {
    const h1 = dense(x, q['net.l1.W'], q['net.l1.b']).relu();
    const h2 = dense(h1, q['net.l2.W'], q['net.l2.b']).relu();
    return crossEntropy(dense(h2, q['net.l3.W'], q['net.l3.b']), y);
  },
  cnn: (q, images, y) => {
    const block = (v, K, b) => tf.maxPool(tf.conv2d(v, K, 1, 'same').add(b).relu(), 2, 2, 'valid');
    const a = block(images, q['net.c1.K'], q['net.c1.b']);
    const b = block(a, q['net.c2.K'], q['net.c2.b']);
    const flat = b.transpose([0, 3, 1, 2]).reshape([-1, 1568]);
    const h = dense(flat, q['net.f1.W'], q['net.f1.b']).relu();
    return crossEntropy(dense(h, q['net.f2.W'], q['net.f2.b']), y);
  },
  transformer: (q, x, y) => {
    const layer = (v, name) => dense(v, q[`net.${name}.W`], q[`net.${name}.b`]);
    const heads = (v) => v.reshape([v.shape[0], v.shape[1], 4, 32]).transpose([0, 2, 1, 3]);
    const h = norm(x, q['net.norm1.gamma'], q['net.norm1.beta']);
    const [a, k, v] = ['query', 'key', 'value'].map((n) => heads(layer(h, `attention.${n}`)));
    const weights = tf.softmax(tf.matMul(a, k, false, true).div(Math.sqrt(32)));
    const z = tf.matMul(weights, v).transpose([0, 2, 1, 3]).reshape(x.shape);
    const r = x.add(layer(z, 'attention.out'));
    const m = norm(r, q['net.norm2.gamma'], q['net.norm2.beta']);
    const d = r.add(layer(gelu(layer(m, 'mlp.l1')), 'mlp.l2')).sub(y);
    return d.mul(d).mean();
  },
};

/** Single operations, of the task's tensors by name; images channels-last. */
export const operations = {
  matmul: ({ a, b }) => tf.matMul(a, b),
  conv: ({ x, K }) => tf.conv2d(x, K, 1, 'same'),
  softmax: ({ x }) => tf.softmax(x),
  layer_norm: ({ x, gamma, beta }) => norm(x, gamma, beta),
  attention: ({ q, k, v }) =>
    tf.matMul(tf.softmax(tf.matMul(q, k, false, true).div(Math.sqrt(32))), v),
  mlp_forward: (p) =>
    dense(dense(p.x, p['net.l1.W'], p['net.l1.b']).relu(), p['net.l2.W'], p['net.l2.b']),
};

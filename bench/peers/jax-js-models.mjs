// The models in jax-js.

import { lax, nn, numpy as np } from '@jax-js/jax';

const dense = (x, W, b) => np.matmul(x, np.transpose(W)).add(b);
const crossEntropy = (l, y) => nn.logSoftmax(l, -1).mul(nn.oneHot(y, 10)).sum(-1).mean().mul(-1);
const pool = (x) => {
  const [n, c, h, w] = x.shape;
  return np.max(np.max(x.reshape([n, c, h / 2, 2, w / 2, 2]), 5), 3);
};
const convolve = (x, K) => {
  const padding = [1, 1];
  return lax.convGeneralDilated(x, K, [1, 1], [padding, padding]);
};
const conv = (x, K, b) => convolve(x, K).add(b.reshape([1, -1, 1, 1]));
const norm = (x, gamma, beta) => {
  const mean = np.mean(x.ref, -1, { keepdims: true });
  const centred = x.sub(mean);
  const variance = np.mean(centred.ref.mul(centred.ref), -1, { keepdims: true });
  return centred
    .div(np.sqrt(variance.add(1e-5)))
    .mul(gamma)
    .add(beta);
};

/** The loss of a model with parameters `p` on data `x`, `y`. An array is used up by an operation, unless by its `ref`. */
export const losses = {
  mlp: (p, x, y) => {
    const h1 = nn.relu(dense(x, p['net.l1.W'], p['net.l1.b']));
    const h2 = nn.relu(dense(h1, p['net.l2.W'], p['net.l2.b']));
    return crossEntropy(dense(h2, p['net.l3.W'], p['net.l3.b']), y);
  },
  cnn: (p, x, y) => {
    const a = pool(nn.relu(conv(x, p['net.c1.K'], p['net.c1.b'])));
    const b = pool(nn.relu(conv(a, p['net.c2.K'], p['net.c2.b'])));
    const h = nn.relu(dense(b.reshape([x.shape[0], 1568]), p['net.f1.W'], p['net.f1.b']));
    return crossEntropy(dense(h, p['net.f2.W'], p['net.f2.b']), y);
  },
  transformer: (p, x, y) => {
    const layer = (v, name) => dense(v, p[`net.${name}.W`], p[`net.${name}.b`]);
    const heads = (v) => np.transpose(v.reshape([v.shape[0], v.shape[1], 4, 32]), [0, 2, 1, 3]);
    const h = norm(x.ref, p['net.norm1.gamma'], p['net.norm1.beta']);
    const q = heads(layer(h.ref, 'attention.query'));
    const k = heads(layer(h.ref, 'attention.key'));
    const v = heads(layer(h, 'attention.value'));
    const scores = np.matmul(q, np.transpose(k, [0, 1, 3, 2])).div(Math.sqrt(32));
    const z = np.transpose(np.matmul(nn.softmax(scores, -1), v), [0, 2, 1, 3]);
    const r = x.ref.add(layer(z.reshape(x.shape), 'attention.out'));
    x.dispose();
    const m = norm(r.ref, p['net.norm2.gamma'], p['net.norm2.beta']);
    const out = r.add(layer(nn.gelu(layer(m, 'mlp.l1'), { approximate: false }), 'mlp.l2'));
    const d = out.sub(y);
    return np.mean(d.ref.mul(d));
  },
};

/** Single operations, of the task's tensors by name. */
export const operations = {
  matmul: ({ a, b }) => np.matmul(a, b),
  conv: ({ x, K }) => convolve(x, K),
  softmax: ({ x }) => nn.softmax(x, -1),
  layer_norm: ({ x, gamma, beta }) => norm(x, gamma, beta),
  attention: ({ q, k, v }) => {
    const scores = np.matmul(q, np.transpose(k, [0, 1, 3, 2])).div(Math.sqrt(32));
    return np.matmul(nn.softmax(scores, -1), v);
  },
  mlp_forward: (p) => {
    const h = nn.relu(dense(p.x, p['net.l1.W'], p['net.l1.b']));
    return dense(h, p['net.l2.W'], p['net.l2.b']);
  },
};

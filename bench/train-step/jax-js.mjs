// jax-js on WebAssembly: the whole step (gradients and optimiser) in one jit.

import { defaultDevice, init, jit, lax, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';

import { measure, readTask } from './task.mjs';

const task = readTask(process.argv[2]);
await init('wasm');
defaultDevice('wasm');

const array = ({ shape, data, dtype }) =>
  np.array(data.slice(), { shape, dtype: dtype === 'i32' ? np.int32 : np.float32 });
const data = ['x', 'y'];
const names = Object.keys(task.tensors).filter((n) => !data.includes(n));

const dense = (x, W, b) => np.matmul(x, np.transpose(W)).add(b);
const crossEntropy = (l, y) => nn.logSoftmax(l, -1).mul(nn.oneHot(y, 10)).sum(-1).mean().mul(-1);
const pool = (x) => {
  const [n, c, h, w] = x.shape;
  return np.max(np.max(x.reshape([n, c, h / 2, 2, w / 2, 2]), 5), 3);
};
const conv = (x, K, b) =>
  lax
    .convGeneralDilated(
      x,
      K,
      [1, 1],
      [
        [1, 1],
        [1, 1],
      ],
    )
    .add(b.reshape([1, -1, 1, 1]));
const norm = (x, gamma, beta) => {
  const mean = np.mean(x.ref, -1, { keepdims: true });
  const centred = x.sub(mean);
  const variance = np.mean(centred.ref.mul(centred.ref), -1, { keepdims: true });
  return centred
    .div(np.sqrt(variance.add(1e-5)))
    .mul(gamma)
    .add(beta);
};

const losses = {
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
    const heads = (v) => np.transpose(v.reshape([16, 64, 4, 32]), [0, 2, 1, 3]);
    const h = norm(x.ref, p['net.norm1.gamma'], p['net.norm1.beta']);
    const q = heads(layer(h.ref, 'attention.query'));
    const k = heads(layer(h.ref, 'attention.key'));
    const v = heads(layer(h, 'attention.value'));
    const scores = np.matmul(q, np.transpose(k, [0, 1, 3, 2])).div(Math.sqrt(32));
    const z = np.transpose(np.matmul(nn.softmax(scores, -1), v), [0, 2, 1, 3]);
    const r = x.add(layer(z.reshape([16, 64, 128]), 'attention.out'));
    const m = norm(r.ref, p['net.norm2.gamma'], p['net.norm2.beta']);
    const out = r.add(layer(nn.gelu(layer(m, 'mlp.l1'), { approximate: false }), 'mlp.l2'));
    const d = out.sub(y);
    return np.mean(d.ref.mul(d));
  },
};
const loss = losses[task.kind];

const adam = jit((p, m, v, a, c, x, y) => {
  const [value, g] = valueAndGrad((q) => loss(q, x, y))(tree.ref(p));
  const [p2, m2, v2] = [{}, {}, {}];
  for (const n of names) {
    m2[n] = m[n].mul(0.9).add(g[n].ref.mul(0.1));
    v2[n] = v[n].mul(0.999).add(g[n].ref.mul(g[n]).mul(0.001));
    p2[n] = p[n].sub(a.ref.mul(m2[n].ref).div(np.sqrt(c.ref.mul(v2[n].ref)).add(1e-8)));
  }
  a.dispose();
  c.dispose();
  return [value, p2, m2, v2];
});
const sgd = jit((p, x, y) => {
  const [value, g] = valueAndGrad((q) => loss(q, x, y))(tree.ref(p));
  return [value, Object.fromEntries(names.map((n) => [n, p[n].sub(g[n].mul(0.1))]))];
});

const [x, y] = data.map((n) => array(task.tensors[n]));
let p = Object.fromEntries(names.map((n) => [n, array(task.tensors[n])]));
const zeros = () => Object.fromEntries(names.map((n) => [n, np.zeros(task.tensors[n].shape)]));
let [m, v, t] = [zeros(), zeros(), 0];

await measure('jax-js', task, async () => {
  t++;
  let value;
  if (task.kind === 'transformer') [value, p] = sgd(p, x.ref, y.ref);
  else {
    const [a, c] = [1e-3 / (1 - 0.9 ** t), 1 / (1 - 0.999 ** t)].map((s) => np.array(s));
    [value, p, m, v] = adam(p, m, v, a, c, x.ref, y.ref);
  }
  return (await value.data())[0];
});

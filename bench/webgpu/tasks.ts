// What is raced on WebGPU: single operations forward, then training steps. A software adapter gets the smaller sizes.

import type { Task } from '../tasks.ts';

const matmul = (n: number, runs = 30): Task => ({
  kind: 'matmul',
  title: `matmul ${n}`,
  runs,
  flops: 2 * n ** 3,
  program: {
    text: `export fn matmul(a: [${n}, ${n}], b: [${n}, ${n}]) -> c: [${n}, ${n}] {
  c[i, j] = sum[k] a[i, k] * b[k, j]
}`,
  },
});

const [batch, channels, side] = [8, 32, 32];
const conv: Task = {
  kind: 'conv',
  title: `conv 3x3, ${batch}x${channels}x${side}x${side}`,
  runs: 30,
  flops: 2 * 9 * batch * channels ** 2 * side ** 2,
  program: {
    text: `export fn conv(x: [${batch}, ${channels}, ${side}, ${side}], K: [${channels}, ${channels}, 3, 3])
    -> y: [${batch}, ${channels}, ${side}, ${side}] {
  z = pad(x, [1, 1], [1, 1])
  y[n, o, i, j] = sum[c, u, v] K[o, c, u, v] * z[n, c, i + u, j + v]
}`,
  },
};

const softmax: Task = {
  kind: 'softmax',
  title: 'softmax 256x1024',
  runs: 30,
  program: {
    text: `export fn f(x: [256, 1024]) -> y: [256, 1024] { y[i, j] = softmax[j] x[i, j] }`,
  },
};

const layerNorm: Task = {
  kind: 'layer_norm',
  title: 'layer norm 256x1024',
  runs: 30,
  program: {
    text: `export fn f(x: [256, 1024], gamma: [1024], beta: [1024]) -> y: [256, 1024] {
  mu[i] = mean[j] x[i, j]
  var[i] = mean[j] (x[i, j] - mu[i])^2
  y[i, j] = gamma[j] * (x[i, j] - mu[i]) / sqrt(var[i] + 1e-5) + beta[j]
}`,
  },
};

const attention: Task = {
  kind: 'attention',
  title: 'attention, 2x4 heads, 128 tokens, width 32',
  runs: 30,
  program: {
    text: `export fn f(q: [2, 4, 128, 32], k: [2, 4, 128, 32], v: [2, 4, 128, 32]) -> y: [2, 4, 128, 32] {
  a[b, h, t, s] = softmax[s] (sum[c] q[b, h, t, c] * k[b, h, s, c] / sqrt(32))
  y[b, h, t, c] = sum[s] a[b, h, t, s] * v[b, h, s, c]
}`,
  },
};

const mlpForward: Task = {
  kind: 'mlp_forward',
  title: 'MLP 784-256-10 forward, batch 64',
  runs: 30,
  program: {
    text: `import "std/nn"
layer net = MLP(784, 256, 10)
export fn f(x: [64, 784]) -> y: [64, 10] = net(x)`,
  },
};

const training = (software: boolean): readonly Task[] => {
  const of = (n: number): string => `batch ${n}`;
  const [mlp, cnn, transformer] = software ? [64, 16, 4] : [128, 64, 16];
  return [
    {
      kind: 'mlp',
      title: `MLP 784-512-256-10 training step, ${of(mlp)}, Adam`,
      program: 'mlp.dlg',
      runs: 30,
      x: [mlp, 784],
    },
    {
      kind: 'cnn',
      title: `demo CNN training step, ${of(cnn)}, Adam`,
      program: 'cnn.dlg',
      runs: 30,
      x: [cnn, 1, 28, 28],
    },
    {
      kind: 'transformer',
      title: `transformer block training step, ${of(transformer)}, SGD`,
      program: 'transformer.dlg',
      runs: 30,
      x: [transformer, 64, 128],
    },
  ];
};

export const tasks = (software: boolean): readonly Task[] => [
  matmul(256),
  matmul(512),
  ...(software ? [] : [matmul(1024), matmul(2048), matmul(4096, 20)]),
  conv,
  softmax,
  layerNorm,
  attention,
  mlpForward,
  ...training(software),
];

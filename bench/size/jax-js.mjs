// The app in jax-js: a perceptron 784-256-10 on WebGPU, its weights given.

import { defaultDevice, init, jit, nn, numpy as np } from '@jax-js/jax';

await init('webgpu');
defaultDevice('webgpu');
const dense = (x, W, b) => np.matmul(x, np.transpose(W)).add(b);
const net = jit((x, W1, b1, W2, b2) => dense(nn.relu(dense(x, W1, b1)), W2, b2));

/** Scores of a batch of images, from flat arrays. */
export async function classify(x, { W1, b1, W2, b2 }) {
  const y = net(
    np.array(x).reshape([-1, 784]),
    np.array(W1).reshape([256, 784]),
    np.array(b1),
    np.array(W2).reshape([10, 256]),
    np.array(b2),
  );
  return y.data();
}

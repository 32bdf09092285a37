// The app in TensorFlow.js, its core and WebGPU backend only: a perceptron 784-256-10, its weights given.

import { add, matMul, ready, relu, setBackend, tensor, tidy } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-webgpu';

await setBackend('webgpu');
await ready();
const dense = (x, W, b) => add(matMul(x, W, false, true), b);

/** Scores of a batch of images, from flat arrays. */
export async function classify(x, { W1, b1, W2, b2 }) {
  const y = tidy(() => {
    const h = relu(
      dense(tensor(x, [x.length / 784, 784]), tensor(W1, [256, 784]), tensor(b1, [256])),
    );
    return dense(h, tensor(W2, [10, 256]), tensor(b2, [10]));
  });
  const scores = await y.data();
  y.dispose();
  return scores;
}

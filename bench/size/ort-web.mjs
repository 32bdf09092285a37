// The app in onnxruntime-web with its WebGPU backend, of an exported model that takes its weights as inputs.

import { InferenceSession, Tensor } from 'onnxruntime-web/webgpu';

const session = await InferenceSession.create('model.onnx', { executionProviders: ['webgpu'] });

/** Scores of a batch of images, from flat arrays. */
export async function classify(x, { W1, b1, W2, b2 }) {
  const { y } = await session.run({
    x: new Tensor('float32', x, [x.length / 784, 784]),
    'net.l1.W': new Tensor('float32', W1, [256, 784]),
    'net.l1.b': new Tensor('float32', b1, [256]),
    'net.l2.W': new Tensor('float32', W2, [10, 256]),
    'net.l2.b': new Tensor('float32', b2, [10]),
  });
  return y.data;
}

// Updates at equal indices all count, with several threads too: ONNX Runtime's ScatterND loses some.

import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';

import { constant } from '../../../compiler/dims/arithmetic.ts';
import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import { createBuilder } from '../../../compiler/ir/builder.ts';

it('scatter_add adds every update with four threads', async () => {
  const [count, rows, width] = [20000, 4, 64];
  const builder = createBuilder();
  const indices = builder.input('i', 'data', { dtype: 'i32', shape: [constant(count)] });
  const updates = builder.input('u', 'data', {
    dtype: 'f32',
    shape: [constant(count), constant(width)],
  });
  const summed = builder.scatterAdd(indices, updates, 0, [constant(rows), constant(width)]);
  builder.output('y', 'result', summed);
  const session = await InferenceSession.create(emitOnnx(builder.graph('sums')), {
    intraOpNumThreads: 4,
    logSeverityLevel: 3,
  });
  const feeds = {
    i: new OrtTensor(
      'int32',
      Int32Array.from({ length: count }, (_, i) => i % rows),
      [count],
    ),
    // Integers below 2^24 are summed exactly, so a lost update shows.
    u: new OrtTensor('float32', new Float32Array(count * width).fill(1), [count, width]),
  };
  for (let run = 0; run < 10; run++) {
    const { y } = await session.run(feeds);
    expect(new Set(y.data as Float32Array)).toEqual(new Set([count / rows]));
  }
  await session.release();
});

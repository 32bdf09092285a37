// The encodings that convolution's gradients choose between by shape: each against the interpreter, and that equal bits come
// out for any number of threads.

import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';

import { constant } from '../../../compiler/dims/arithmetic.ts';
import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import { createBuilder } from '../../../compiler/ir/builder.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import { interpret } from '../../../compiler/ir/interpret.ts';
import type { Tensor } from '../../../compiler/ir/tensor.ts';
import { sizeOf, tensor } from '../../../compiler/ir/tensor.ts';
import { expectClose } from '../../ir/expect-close.ts';

interface Geometry {
  readonly name: string;
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly stride?: number;
  readonly padding?: number;
  readonly dilation?: number;
  readonly groups?: number;
}

const geometries: readonly Geometry[] = [
  { name: 'one channel: windows', x: [3, 1, 9, 9], w: [4, 1, 3, 3], padding: 1 },
  { name: 'few channels: widened', x: [3, 6, 14, 14], w: [16, 6, 5, 5] },
  { name: 'few channels: widened, strided', x: [2, 5, 11, 12], w: [7, 5, 3, 4], stride: 2 },
  { name: 'few channels: widened, one axis', x: [2, 5, 31], w: [4, 5, 4], padding: 2, dilation: 2 },
  { name: 'a product a sample', x: [2, 16, 9, 9], w: [17, 16, 3, 3], padding: 1 },
  { name: 'one product, more outputs', x: [3, 20, 4, 4], w: [33, 20, 3, 3], padding: 1 },
  {
    name: 'one product, more inputs',
    x: [3, 33, 4, 4],
    w: [20, 33, 3, 3],
    padding: 1,
    dilation: 2,
  },
  { name: 'one by one', x: [3, 20, 4, 4], w: [33, 20, 1, 1] },
  { name: 'many taps: Conv', x: [2, 3, 15, 16], w: [4, 3, 9, 9], stride: 2, padding: 3 },
  { name: 'many taps in groups: Conv', x: [2, 6, 15, 16], w: [4, 3, 9, 9], padding: 2, groups: 2 },
  { name: 'groups', x: [2, 32, 7, 7], w: [16, 16, 3, 3], padding: 1, stride: 2, groups: 2 },
];

function data(shape: readonly number[], seed: number): Tensor {
  const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * seed + seed));
  return tensor('f32', shape, values);
}

/** x and w in; y, and the gradients of the sum of y^2, out. */
function gradients({ x, w, stride = 1, padding = 0, dilation = 1, groups = 1 }: Geometry): Graph {
  const builder = createBuilder();
  const each = (value: number) => x.slice(2).map(() => constant(value));
  const window = {
    strides: each(stride),
    padding: x.slice(2).map(() => ({ low: constant(padding), high: constant(padding) })),
    lhsDilation: each(1),
    rhsDilation: each(dilation),
  };
  const input = builder.input('x', 'data', { dtype: 'f32', shape: x.map(constant) });
  const kernel = builder.input('w', 'parameter', { dtype: 'f32', shape: w.map(constant) });
  const y = builder.convolution(input, kernel, window, constant(groups));
  const attributes = { window, groups: constant(groups) };
  const toInput = { ...attributes, shape: input.shape };
  const toKernel = { ...attributes, shape: kernel.shape };
  builder.output(
    'dx',
    'result',
    builder.emit('convolution_input_gradient', [y, kernel], toInput)[0],
  );
  builder.output(
    'dw',
    'result',
    builder.emit('convolution_kernel_gradient', [input, y], toKernel)[0],
  );
  return builder.graph('gradients');
}

async function run(graph: Graph, feeds: Readonly<Record<string, Tensor>>, threads: number) {
  const session = await InferenceSession.create(emitOnnx(graph), {
    intraOpNumThreads: threads,
    logSeverityLevel: 3,
  });
  const inputs = Object.entries(feeds).map(([name, { data: values, shape }]) => [
    name,
    new OrtTensor('float32', Float32Array.from(values), shape),
  ]);
  const outputs = await session.run(Object.fromEntries(inputs));
  await session.release();
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { data: values, dims }]) => [
      name,
      tensor('f32', dims, Array.from(values as ArrayLike<number>)),
    ]),
  );
}

describe('gradients of convolution', () => {
  it.each(geometries)('$name', async (geometry) => {
    const graph = gradients(geometry);
    const feeds = { x: data(geometry.x, 1), w: data(geometry.w, 2) };
    const expected = interpret(graph, feeds, { precision: 'f64' });
    const actual = await run(graph, feeds, 1);
    for (const name of ['dx', 'dw']) expectClose(actual[name], expected[name], 1e-5, name);
  });

  it.each([
    { name: 'a product a sample', x: [16, 32, 14, 14], w: [32, 32, 3, 3], padding: 1 },
    { name: 'one product', x: [16, 64, 8, 8], w: [128, 64, 3, 3], padding: 1 },
    { name: 'widened', x: [32, 6, 14, 14], w: [16, 6, 5, 5] },
  ])('$name: equal bits for 1, 2 and 3 threads', async (geometry) => {
    const graph = gradients(geometry);
    const feeds = { x: data(geometry.x, 1), w: data(geometry.w, 2) };
    const first = await run(graph, feeds, 1);
    for (const threads of [2, 3]) {
      const other = await run(graph, feeds, threads);
      for (const name of ['dx', 'dw'])
        expect(
          Buffer.from(other[name].data.buffer).equals(Buffer.from(first[name].data.buffer)),
        ).toBe(true);
    }
  });
});

// Runs a graph whose input ports are x0, x1, ... in ONNX Runtime, on one thread.

import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';

import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { DType, Tensor } from '../../compiler/ir/tensor.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { feedsOf } from './run-graph.ts';

const toOrt: Readonly<Record<DType, (x: Tensor) => OrtTensor>> = {
  f32: (x) => new OrtTensor('float32', Float32Array.from(x.data), x.shape),
  i32: (x) => new OrtTensor('int32', Int32Array.from(x.data), x.shape),
  u32: (x) => new OrtTensor('uint32', Uint32Array.from(x.data), x.shape),
  bool: (x) => new OrtTensor('bool', Uint8Array.from(x.data), x.shape),
};

const dtypes: Readonly<Record<string, DType>> = {
  float32: 'f32',
  int32: 'i32',
  uint32: 'u32',
  bool: 'bool',
};

function fromOrt(x: OrtTensor): Tensor {
  const dtype = dtypes[x.type];
  if (dtype === undefined) throw new Error(`an output has the ONNX type ${x.type}`);
  return tensor(dtype, x.dims, Array.from(x.data as ArrayLike<number | boolean>, Number));
}

/** The outputs by name. The graph has no gradient markers left. */
export async function runOnnx(
  graph: Graph,
  inputs: readonly Tensor[],
): Promise<Readonly<Record<string, Tensor>>> {
  const session = await InferenceSession.create(emitOnnx(graph), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const feeds = Object.entries(feedsOf(inputs)).map(([name, x]) => [name, toOrt[x.dtype](x)]);
  const outputs = await session.run(Object.fromEntries(feeds));
  await session.release();
  return Object.fromEntries(Object.entries(outputs).map(([name, x]) => [name, fromOrt(x)]));
}

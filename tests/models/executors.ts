// The three ways in which the tests of models run a graph, and how close each must come to the fixtures.

import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { interpreterProgram } from '../../runtime/executors/interpreter.ts';
import { onnxProgram } from '../../runtime/executors/onnx.ts';
import { webgpuProgram } from '../../runtime/executors/webgpu.ts';
import type { Program } from '../../runtime/program.ts';
import type { OpenDevice } from '../../runtime/webgpu/device.ts';
import { openTestDevice } from '../gpu/device.ts';

type Tensors = Readonly<Record<string, Tensor>>;

export interface Executor {
  readonly name: string;
  /** Of the largest element of a tensor, or of 1. */
  readonly tolerance: number;
  readonly run: (graph: Graph, feeds: Tensors) => Promise<Tensors>;
}

export const interpreter: Executor = {
  name: 'the interpreter in float64',
  tolerance: 1e-10,
  run: (graph, feeds) => interpreterProgram(graph, { precision: 'f64' }).run(feeds),
};

export const onnxRuntime: Executor = {
  name: 'ONNX Runtime',
  tolerance: 1e-5,
  async run(graph, feeds) {
    const program = await onnxProgram(emitOnnx(graph), { threads: 1 });
    const outputs = await program.run(feeds);
    await program.dispose();
    return outputs;
  },
};

export const executors = [interpreter, onnxRuntime];

/** One device for all the tests of a file, and each graph compiled once. */
let opened: Promise<OpenDevice> | null = null;
const programs = new WeakMap<Graph, Promise<Program>>();

/** Apart, since compiling for SwiftShader takes long: tests that are about what a program computes list it beside the others. */
export const webgpu: Executor = {
  name: 'WGSL',
  tolerance: 1e-5,
  async run(graph, feeds) {
    const { device } = await (opened ??= openTestDevice());
    const program = programs.get(graph) ?? webgpuProgram(graph, device);
    programs.set(graph, program);
    return (await program).run(feeds);
  },
};

/** For what is quick on SwiftShader. */
export const everywhere = [...executors, webgpu];

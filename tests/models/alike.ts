// WGSL against the interpreter: a graph on the GPU, twice, and in float64; and the data that it is given.

import { expect } from 'vitest';

import { evaluate, isConstant } from '../../compiler/dims/arithmetic.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { interpret } from '../../compiler/ir/interpret.ts';
import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import type { CompiledProgram, DataPort } from '../../compiler/program.ts';
import { webgpuProgram } from '../../runtime/executors/webgpu.ts';
import { expectClose } from '../ir/expect-close.ts';
import { randomTensor } from './arithmetic.ts';

export type Tensors = Readonly<Record<string, Tensor>>;

/** Of the largest element of a tensor, or of 1: a few hundred roundings of f32, since sums add them up and loops pass them on. */
const tolerance = 3e-5;

const seed = tensor('u32', [], [7]);

/** Every free size. */
const size = 3;

/** Data for a graph, the same every time: reals in 0 .. 1, integers in their range. */
export function dataFor(graph: Graph, data: readonly DataPort[]): Tensors {
  const feeds: Record<string, Tensor> = {};
  graph.inputs.forEach(({ name, role, value: { dtype, shape } }, i) => {
    if (role === 'seed') feeds[name] = seed;
    if (role === 'size') feeds[name] = tensor('i32', [], [size]);
    if (role !== 'data') return;
    const dims = shape.map((dim) => evaluate(dim, () => size));
    const bound = data.find((port) => port.name === name)?.size ?? null;
    const count = bound === null ? 2 : (isConstant(bound) ?? 2);
    const reals = Array.from(randomTensor(i + 1, dims, 0.5).data, (x) => x + 0.5);
    const values = dtype === 'f32' ? reals : reals.map((x) => Math.floor(x * count));
    feeds[name] = tensor(dtype, dims, values);
  });
  return feeds;
}

interface Alike {
  /** Fails unless WGSL gives what the interpreter gives. The results are those of WGSL. */
  readonly run: (feeds: Tensors) => Promise<Tensors>;
  /** Fails unless WGSL gives these results again, byte by byte. */
  readonly repeat: (feeds: Tensors, results: Tensors) => Promise<void>;
  readonly dispose: () => Promise<void>;
}

export async function alike(device: GPUDevice, what: string, graph: Graph): Promise<Alike> {
  const program = await webgpuProgram(graph, device);
  return {
    async run(feeds) {
      const results = await program.run(feeds);
      const expected = interpret(graph, feeds, { precision: 'f64' });
      expect(Object.keys(results).sort()).toEqual(Object.keys(expected).sort());
      for (const [name, value] of Object.entries(expected)) {
        const chosen =
          value.dtype === 'f32'
            ? value
            : untied(value, results[name], interpret(graph, feeds)[name]);
        expectClose(results[name], chosen, tolerance, `${name} of ${what}`);
      }
      return results;
    },
    async repeat(feeds, results) {
      for (const [name, { data }] of Object.entries(await program.run(feeds)))
        expect(bytes(data).equals(bytes(results[name].data)), `${name} of ${what}, again`).toBe(
          true,
        );
    },
    dispose: () => program.dispose(),
  };
}

const bytes = ({ buffer, byteOffset, byteLength }: Tensor['data']): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

/** Integers that f32 and float64 choose differently in the interpreter, as the best of equal actions, may be either. */
function untied(expected: Tensor, actual: Tensor, single: Tensor): Tensor {
  const data = Array.from(expected.data, (x, i) => (single.data[i] === x ? x : actual.data[i]));
  return tensor(expected.dtype, expected.shape, data);
}

/** All of a program: first values, export fns with those, and of train blocks first values, two steps and an evaluation. */
export async function expectProgramAlike(
  device: GPUDevice,
  { init, functions, trains }: CompiledProgram,
): Promise<void> {
  const run = async (what: string, graph: Graph, feeds: Tensors, turns = 1): Promise<Tensors> => {
    const program = await alike(device, what, graph);
    let [given, results]: Tensors[] = [feeds, {}];
    for (let turn = 0; turn < turns; turn++) {
      const used = graph.inputs.map(({ name }) => [name, given[name]] as const);
      given = Object.fromEntries(used);
      results = await program.run(given);
      if (turn > 0) await program.repeat(given, results);
      const next = used.map(([name, old]) => [name, results[`${name}.next`] ?? old] as const);
      given = Object.fromEntries(next);
    }
    await program.dispose();
    return { ...results, ...given };
  };
  const first = await run('the first values', init, { seed });
  for (const { name, graph, data } of functions)
    await run(name, graph, { ...first, ...dataFor(graph, data) });
  for (const { name, init: begin, step, evaluate: judge, data } of trains) {
    const before = await run(`the first values of ${name}`, begin, { seed });
    const after = await run(`a step of ${name}`, step, { ...before, ...dataFor(step, data) }, 2);
    await run(`the evaluation of ${name}`, judge, { ...after, ...dataFor(judge, data) });
  }
}

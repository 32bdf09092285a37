// What the benchmarks race on: a program in DLG, data, and what every contender must find. A task is written as a folder that any
// language can read: tensors.json with offsets into tensors.bin, and the program as our own model.onnx.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { host, readSource } from '../cli/sources.ts';
import { isConstant } from '../compiler/dims/arithmetic.ts';
import { interpret } from '../compiler/ir/interpret.ts';
import { sizeOf, tensor, type Tensor } from '../compiler/ir/tensor.ts';
import { compile, exportOnnx } from '../compiler/pipeline.ts';
import type { CompiledProgram } from '../compiler/program.ts';
import { onnxProgram } from '../runtime/executors/onnx.ts';
import { draw } from './peers/draw.mjs';

export interface Task {
  /** Peers know what to compute by this. */
  readonly kind: string;
  readonly title: string;
  /** A file of models/, or the program itself. */
  readonly program: string | { readonly text: string };
  /** How often it is timed at most, in one round. */
  readonly runs: number;
  /** Training: the shape of the data x. Else the program's shapes say everything. */
  readonly x?: readonly number[];
  /** Floating-point operations of a run, where it is of interest what share of a card's peak is reached. */
  readonly flops?: number;
}

export function compiledTask({ kind, program: given }: Task): CompiledProgram {
  const source =
    typeof given === 'string'
      ? readSource(fileURLToPath(new URL(`models/${given}`, import.meta.url)))
      : { path: `${kind}.dlg`, text: given.text };
  if (!('text' in source)) throw new Error(`${String(given)} cannot be read`);
  const { program, diagnostics } = compile(source, host);
  if (program === null) throw new Error(JSON.stringify(diagnostics));
  return program;
}

export async function writeTask(task: Task, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const program = compiledTask(task);
  const [model] = [...exportOnnx(program)].filter(([name]) =>
    name.endsWith(task.x === undefined ? '.onnx' : '.train.onnx'),
  );
  writeFileSync(join(folder, 'model.onnx'), model[1]);
  const bytes = makeBytes();
  const contents =
    task.x === undefined
      ? await applied(program, model[1], bytes)
      : training(program, task.x, bytes);
  const { kind, runs, title, flops = null } = task;
  const description = { kind, title, runs, flops, train: task.x !== undefined, ...contents };
  writeFileSync(join(folder, 'tensors.json'), JSON.stringify(description));
  writeFileSync(join(folder, 'tensors.bin'), bytes.all());
}

type Shaped = Pick<Tensor, 'dtype' | 'shape'>;

interface Contents {
  /** What a step keeps besides the parameters: zeros at first. */
  readonly state: Readonly<Record<string, Shaped>>;
  /** In tensors.bin at an offset, or drawn by peers/draw.mjs. */
  readonly tensors: Readonly<
    Record<string, Shaped & ({ readonly offset: number } | { readonly seed: number; low: number })>
  >;
  /** Of the answer, every so many numbers, in tensors.bin. */
  readonly expected: null | {
    readonly shape: readonly number[];
    readonly every: number;
    readonly offset: number;
    readonly count: number;
  };
}

/** tensors.bin, as it grows. */
const makeBytes = () => {
  const parts: Uint8Array[] = [];
  let size = 0;
  return {
    /** Where `data` lies. */
    add({ buffer, byteOffset, byteLength }: Tensor['data']): number {
      parts.push(new Uint8Array(buffer, byteOffset, byteLength));
      size += byteLength;
      return size - byteLength;
    },
    all: (): Uint8Array => Buffer.concat(parts),
  };
};
type Bytes = ReturnType<typeof makeBytes>;

function training(program: CompiledProgram, x: readonly number[], bytes: Bytes): Contents {
  const [{ init, step, data }] = program.trains;
  const first = interpret(init, { seed: tensor('u32', [], [0]) }, { precision: 'f32' });
  const learnt = step.inputs.filter(({ role }) => role === 'parameter');
  const classes = data.find(({ name }) => name === 'y')?.base === 'fin';
  const labels = (): Tensor =>
    tensor(
      'i32',
      [x[0]],
      Int32Array.from(draw(2, x[0], 0), (v) => Math.floor(v * 10)),
    );
  const tensors = {
    ...Object.fromEntries(learnt.map(({ name }) => [name, first[name]])),
    x: tensor('f32', x, draw(1, sizeOf(x), 0)),
    y: classes ? labels() : tensor('f32', x, draw(3, sizeOf(x), 0)),
  };
  const shaped = ({ dtype, shape }: Tensor): Shaped => ({ dtype, shape });
  return {
    state: mapEntries(first, shaped),
    tensors: mapEntries(tensors, (t) => ({ ...shaped(t), offset: bytes.add(t.data) })),
    expected: null,
  };
}

/** Inputs around 0, and the answer of ONNX Runtime on the CPU. */
async function applied(
  program: CompiledProgram,
  model: Uint8Array,
  bytes: Bytes,
): Promise<Contents> {
  const [{ graph }] = program.functions;
  const tensors = Object.fromEntries(
    graph.inputs.map(({ name, value }, i) => {
      const shape = value.shape.map((size) => isConstant(size) ?? 1);
      return [name, { dtype: 'f32' as const, shape, seed: i + 1, low: -0.5 }];
    }),
  );
  const reference = await onnxProgram(model);
  const outputs = await reference.run(
    mapEntries(tensors, ({ shape, seed, low }) =>
      tensor('f32', shape, draw(seed, sizeOf(shape), low)),
    ),
  );
  await reference.dispose();
  const { shape, data } = outputs[graph.outputs[0].name];
  // An odd step, so that all columns have their turn.
  const every = 2 * Math.floor(data.length / 2 ** 17) + 1;
  const sample = Float32Array.from(
    { length: Math.floor((data.length - 1) / every) + 1 },
    (_, i) => data[i * every],
  );
  return {
    state: {},
    tensors,
    expected: { shape, every, offset: bytes.add(sample), count: sample.length },
  };
}

const mapEntries = <A, B>(
  record: Readonly<Record<string, A>>,
  change: (value: A) => B,
): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));

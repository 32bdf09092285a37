// An LSTM written as a `for` against ONNX's own LSTM operator, on ONNX Runtime with one thread: T = 64, 32 rows, 128 features.
// Times are of the CPU, which other work on the machine disturbs least; the runs take turns. Run with `npm run bench:loops`.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import onnxProto from 'onnx-proto';
import { InferenceSession, Tensor } from 'onnxruntime-node';

import { host } from '../../cli/sources.ts';
import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { interpret } from '../../compiler/ir/interpret.ts';
import type { Tensor as Values } from '../../compiler/ir/tensor.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { compile } from '../../compiler/pipeline.ts';

const { ModelProto } = onnxProto.onnx;
const [T, B, N, H] = [64, 32, 128, 128];
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 100);

type Feeds = Readonly<Record<string, Tensor>>;

interface Contender {
  readonly name: string;
  readonly session: InferenceSession;
  readonly feeds: Feeds;
  readonly times: number[];
}

const float = (name: string, dims: readonly number[]) => ({
  name,
  type: { tensorType: { elemType: 1, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
});

/** The operator between the transposes that rows first ask for; its gates are i, o, f, c. */
const native = ModelProto.encode({
  irVersion: 10,
  opsetImport: [{ domain: '', version: 21 }],
  graph: {
    name: 'native',
    input: [
      float('x', [B, T, N]),
      float('W', [1, 4 * H, N]),
      float('R', [1, 4 * H, H]),
      float('d', [1, 8 * H]),
    ],
    output: [float('y', [B, T, 1, H])],
    node: [
      {
        opType: 'Transpose',
        input: ['x'],
        output: ['rows'],
        attribute: [{ name: 'perm', type: 7, ints: [1, 0, 2] }],
      },
      {
        opType: 'LSTM',
        input: ['rows', 'W', 'R', 'd'],
        output: ['states'],
        attribute: [{ name: 'hidden_size', type: 2, i: H }],
      },
      {
        opType: 'Transpose',
        input: ['states'],
        output: ['y'],
        attribute: [{ name: 'perm', type: 7, ints: [2, 0, 1, 3] }],
      },
    ],
  },
}).finish();

const path = join(import.meta.dirname, 'lstm.dlg');
const { program } = compile({ path, text: readFileSync(path, 'utf8') }, host);
if (program === null) throw new Error('lstm.dlg does not compile');
const [{ graph: forward }] = program.functions;
const [{ step, init }] = program.trains;
/** Parameters, the optimiser's state and the counter. */
const state = interpret(init, { seed: tensor('u32', [], [1]) });
const weights = Object.fromEntries(
  forward.inputs.filter(({ role }) => role === 'parameter').map(({ name }) => [name, state[name]]),
);
const data = (shape: readonly number[], seed: number): Values => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    'f32',
    shape,
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * 0.7 + seed)),
  );
};
const ortTypes = { f32: 'float32', i32: 'int32', u32: 'uint32', bool: 'bool' } as const;
const toOrt = ({ dtype, shape, data: values }: Values): Tensor =>
  new Tensor(ortTypes[dtype], values as Float32Array, shape);

/** Our gates f, i, o, u in the operator's order i, o, f, c. */
function gates(name: string, width: number): Tensor {
  const { data: values } = weights[name];
  const block = (k: number): number[] =>
    Array.from(values.slice(k * H * width, (k + 1) * H * width));
  return new Tensor('float32', Float32Array.from([1, 2, 0, 3].flatMap(block)), [1, 4 * H, width]);
}

const x = data([B, T, N], 0);
const ours: Feeds = {
  x: toOrt(x),
  ...Object.fromEntries(Object.entries(state).map(([name, value]) => [name, toOrt(value)])),
};
const theirs: Feeds = {
  x: toOrt(x),
  W: gates('net.W', N),
  R: gates('net.U', H),
  d: new Tensor('float32', new Float32Array(8 * H), [1, 8 * H]),
};

async function contender(name: string, model: Uint8Array, feeds: Feeds): Promise<Contender> {
  const session = await InferenceSession.create(model, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const own = session.inputNames.map((input) => [input, feeds[input]] as const);
  return { name, session, feeds: Object.fromEntries(own), times: [] };
}

const baked = (graph: Graph): Uint8Array =>
  emitOnnx(graph, { initialisers: new Map(Object.entries(weights)) });

const contenders = [
  await contender('LSTM operator', native, theirs),
  await contender('for, weights as inputs', emitOnnx(forward), ours),
  await contender('for, weights inside', baked(forward), ours),
  await contender('a training step', emitOnnx(step), { ...ours, z: toOrt(data([B, T, H], 1)) }),
];

const answers = await Promise.all(contenders.map(({ session, feeds }) => session.run(feeds)));
const [expected, given] = answers.map(({ y }) => y?.data as Float32Array);
const farthest = given.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
console.log(`results differ by at most ${farthest.toExponential(1)}`);

for (let round = 0; round < rounds; round++)
  for (const { session, feeds, times } of contenders) {
    const start = process.cpuUsage();
    await session.run(feeds);
    const { user, system } = process.cpuUsage(start);
    times.push((user + system) / 1000);
  }
const medianOf = (times: readonly number[]): number =>
  times.toSorted((a, b) => a - b)[times.length >> 1];
const base = medianOf(contenders[0].times);
for (const { name, times } of contenders) {
  const median = medianOf(times);
  console.log(`${name.padEnd(24)} ${median.toFixed(2)} ms  (${(median / base).toFixed(2)}x)`);
}

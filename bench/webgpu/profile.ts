// What each kernel of a task takes on SwiftShader: `npm run bench:profile -- [matmul cnn ...]`, BENCH_STEPS=9.
//
// Runs the program as it will run, step after step with real data, but each kernel in a submission of its own, and takes the processor
// time of SwiftShader's threads, which other work on the machine moves less than the clock. Node's own thread is left out: it asks
// without a pause whether the device is done. Of each kernel the median of all steps. Linux only.

import { readdirSync, readFileSync } from 'node:fs';

import { emitWgsl, type ProgramKernel } from '../../compiler/emit/wgsl/emit.ts';
import { sizeOf } from '../../compiler/emit/wgsl/indices.ts';
import { createMeasure, workOf, type Measure } from '../../compiler/emit/wgsl/work.ts';
import { interpret } from '../../compiler/ir/interpret.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { isProblem } from '../../runtime/problem.ts';
import { openDevice } from '../../runtime/webgpu/device.ts';
import { useSwiftShader } from '../../tests/gpu/unpack.ts';
import { draw } from '../peers/draw.mjs';
import { copiesOf, dispatch, ready, type Ready } from '../peers/kernels.mjs';
import { median } from '../race.ts';
import { compiledTask, type Task } from '../tasks.ts';
import { tasks } from './tasks.ts';

const steps = Number(process.env['BENCH_STEPS'] ?? 9);
const wanted = process.argv.slice(2);
/** What may be done with a buffer: storage, and copies from and to it. */
const anyUse = 0x80 | 0x4 | 0x8;

await useSwiftShader();
const opened = await openDevice();
if (isProblem(opened)) throw new Error(opened.message);
const { device } = opened;
device.onuncapturederror = ({ error }) => {
  throw new Error(error.message);
};
async function profile(task: Task): Promise<void> {
  const compiled = compiledTask(task);
  const [train] = compiled.trains;
  const graph = task.x === undefined ? compiled.functions[0].graph : train.step;
  const start =
    task.x === undefined
      ? {}
      : interpret(train.init, { seed: tensor('u32', [], [0]) }, { precision: 'f32' });
  const program = emitWgsl(graph, { adapter: 'software' });
  // The only free size of these programs is that of the batch.
  const measure = createMeasure(() => task.x?.[0] ?? 1);
  const buffers = program.slots.map((slot) =>
    device.createBuffer({ size: 4 * Math.max(1, ...slot.sizes.map(measure)), usage: anyUse }),
  );
  const write = (slot: number, data: ArrayLike<number>, View: Numbers): void =>
    device.queue.writeBuffer(buffers[slot], 0, View.from(data));
  for (const { slot, value } of program.tables) write(slot, value.data, viewOf(value.dtype));
  program.inputs.forEach(({ slot, port: { name, value } }, i) => {
    const size = measure(sizeOf(value.shape));
    const labels = (): Float32Array => draw(i, size, 0).map((v) => Math.floor(v * 10));
    const values = start[name]?.data ?? (value.dtype === 'f32' ? draw(i, size, -0.5) : labels());
    write(slot, values, viewOf(value.dtype));
  });
  const sizes = device.createBuffer({ size: 16, usage: 0x48 });
  device.queue.writeBuffer(
    sizes,
    0,
    Uint32Array.from(program.sizes, () => task.x?.[0] ?? 1),
  );
  const kernels: Profiled[] = [];
  for (const kernel of program.kernels)
    kernels.push(await readied(kernel, buffers, sizes, measure));
  const [inputs, outputs] = [program.inputs, program.outputs].map((ports) =>
    ports.map(({ port: { name }, slot }) => ({ name, slot })),
  );
  const copies = copiesOf({ inputs, outputs }).map((slots) => slots.map((slot) => buffers[slot]));
  const whole: Cost[] = [];
  for (let i = 0; i < steps; i++) whole.push(await run(kernels, copies));
  for (let i = 0; i < steps; i++)
    for (const kernel of kernels) kernel.times.push((await run([kernel], [])).processor);
  print(task, kernels, whole, measure);
  for (const buffer of [...buffers, sizes]) buffer.destroy();
}

/** A kernel that may be run, the milliseconds its compilation took, and those of its runs. */
interface Profiled extends Ready {
  readonly kernel: ProgramKernel;
  readonly groups: number;
  readonly compiling: number;
  readonly times: number[];
}

async function readied(
  kernel: ProgramKernel,
  buffers: readonly GPUBuffer[],
  sizes: GPUBuffer,
  measure: Measure,
): Promise<Profiled> {
  const before = timeOfOthers();
  const own = await ready(device, kernel, buffers, sizes);
  const compiling = timeOfOthers() - before;
  return { ...own, kernel, groups: measure(kernel.groups), compiling, times: [] };
}

/** Milliseconds. */
interface Cost {
  readonly processor: number;
  readonly passed: number;
}

/** Runs kernels in one submission. */
async function run(
  kernels: readonly Profiled[],
  copies: readonly (readonly GPUBuffer[])[],
): Promise<Cost> {
  const [before, from] = [timeOfOthers(), performance.now()];
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (const kernel of kernels) dispatch(pass, kernel, kernel.groups);
  pass.end();
  for (const [source, target] of copies) encoder.copyBufferToBuffer(source, 0, target, 0);
  device.queue.submit([encoder.finish()]);
  await device.queue.onSubmittedWorkDone();
  return { processor: timeOfOthers() - before, passed: performance.now() - from };
}

/** Milliseconds of processor time that all threads but this one have taken. */
function timeOfOthers(): number {
  const threads = readdirSync('/proc/self/task').filter((id) => id !== String(process.pid));
  const times = threads.map((id) => readFileSync(`/proc/self/task/${id}/schedstat`, 'utf8'));
  return times.reduce((sum, text) => sum + Number(text.split(' ')[0]) / 1e6, 0);
}

function print(
  task: Task,
  kernels: readonly Profiled[],
  whole: readonly Cost[],
  measure: Measure,
): void {
  const sum = kernels.reduce((total, { times }) => total + median(times), 0);
  const [processor, passed] = (['processor', 'passed'] as const).map((key) =>
    median(whole.map((cost) => cost[key])).toFixed(1),
  );
  console.log(`\n${task.title}: ${kernels.length} kernels`);
  console.log(
    `processor time ${processor} ms in one submission, ${sum.toFixed(1)} ms one by one; ${passed} ms passed`,
  );
  console.log('      ms  share  GFLOP/s     GB/s  workgroups  compiled in ms');
  for (const { kernel, groups, compiling, times } of kernels) {
    const ms = median(times);
    const { operations, read, written } = workOf(kernel, measure);
    const cells = [
      ms.toFixed(2).padStart(8),
      `${((100 * ms) / sum).toFixed(0)} %`.padStart(6),
      (operations / ms / 1e6).toFixed(2).padStart(8),
      ((read + written) / ms / 1e6).toFixed(2).padStart(8),
      `${groups}`.padStart(11),
      compiling.toFixed(0).padStart(15),
    ];
    console.log(`${cells.join(' ')}  ${kernel.name}`);
  }
}

type Numbers = Float32ArrayConstructor | Int32ArrayConstructor | Uint32ArrayConstructor;

const viewOf = (dtype: string): Numbers =>
  dtype === 'f32' ? Float32Array : dtype === 'i32' ? Int32Array : Uint32Array;

for (const task of tasks(true))
  if (wanted.length === 0 || wanted.includes(task.kind)) await profile(task);
device.destroy();

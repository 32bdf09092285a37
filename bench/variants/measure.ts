// Measures every variant of a product on every shape of the table, and writes the table anew: for the adapter at hand, which is to be a GPU.
// Usage: measure.mjs FILE [--software] [--most OPERATIONS]. Shapes of more operations keep what stands in the table.

import { writeFileSync } from 'node:fs';

import type { VariantName } from '../../compiler/emit/wgsl/adapter.ts';
import { letters } from '../../compiler/emit/wgsl/product-table.ts';
import { gpuVariant } from '../../compiler/emit/wgsl/product-variants.ts';
import { isProblem } from '../../runtime/problem.ts';
import { openDevice } from '../../runtime/webgpu/device.ts';
import { planOf } from '../../runtime/webgpu/plan.ts';
import { dispatch, ready } from '../peers/kernels.mjs';
import { bytes, operations, programOf, tableShapes, type Shape } from './shapes.ts';
import { tableText } from './table.ts';

const [, , file, ...options] = process.argv;
const software = options.includes('--software');
const most = options.includes('--most') ? Number(options[options.indexOf('--most') + 1]) : 2 ** 36;
const mostBytes = 2 ** 28;

const opened = await openDevice({ limits: ['maxBufferSize', 'maxStorageBufferBindingSize'] });
if (isProblem(opened)) throw new Error(`${opened.message} (${opened.help})`);
const { device, adapter } = opened;
if (adapter.software && !software)
  throw new Error(`${adapter.description} is no GPU; --software measures it nevertheless`);
device.onuncapturederror = ({ error }) => {
  throw new Error(error.message);
};

/** Milliseconds of a run: the best of three rounds, each long enough for the clock. */
async function timeOf(shape: Shape, variant: VariantName): Promise<number> {
  const program = programOf(shape, variant);
  const plan = planOf(program);
  const buffers = plan
    .slots([])
    .map((n) => device.createBuffer({ size: 4 * n, usage: 0x80 | 0x8 }));
  // Not zeros: some processors multiply those faster, and denormal numbers slower.
  for (const buffer of buffers.slice(0, 2))
    device.queue.writeBuffer(
      buffer,
      0,
      Float32Array.from({ length: buffer.size / 4 }, (_, i) => (i % 251) / 251 - 0.5),
    );
  const kernel = await ready(device, program.kernels[0], buffers, null);
  const groups = plan.kernels[0].groups([]);
  const run = async (times: number): Promise<number> => {
    const from = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    dispatch(pass, kernel, groups, times);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - from;
  };
  await run(1);
  const times = Math.min(1000, Math.max(1, Math.ceil(10 / (await run(1)))));
  const rounds = [await run(times), await run(times), await run(times)];
  for (const buffer of buffers) buffer.destroy();
  return Math.min(...rounds) / times;
}

const best = new Map<string, VariantName>();
const shapes = tableShapes();
const able = shapes.filter((shape) => operations(shape) <= most && bytes(shape) <= mostBytes);
for (const shape of able) {
  const times: (readonly [VariantName, number])[] = [];
  for (const variant of Object.values(letters)) times.push([variant, await timeOf(shape, variant)]);
  const [[winner, time]] = times.toSorted(([, a], [, b]) => a - b);
  best.set(shape.join(), winner);
  const rate = (operations(shape) / time / 1e6).toPrecision(3);
  console.log(`${shape.join(' x ')}: ${winner}, ${time.toPrecision(3)} ms, ${rate} GFLOP/s`);
}
const text = tableText((shape) => best.get(shape.join()) ?? gpuVariant(shape), {
  adapter: [adapter.vendor, adapter.architecture, adapter.description].filter(Boolean).join(', '),
  date: new Date().toISOString().slice(0, 10),
  measured: able.length,
  all: shapes.length,
});
writeFileSync(file, text);
console.log(`${able.length} of ${shapes.length} shapes measured; the table is in ${file}`);
device.destroy();

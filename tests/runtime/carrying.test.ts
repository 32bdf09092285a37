// A step on the GPU keeps what it feeds back there: the same numbers as when it goes through the CPU each time, and it may begin
// anywhere.

import { expect, test } from 'vitest';

import { tensor } from '../../compiler/ir/tensor.ts';
import { interpreterProgram } from '../../runtime/executors/interpreter.ts';
import { webgpuProgram } from '../../runtime/executors/webgpu.ts';
import { carriedAs, runStep, type Program } from '../../runtime/program.ts';
import { artifacts, batchOf } from '../artifacts/programs.ts';
import { deviceForTests } from '../gpu/device.ts';
import { expectClose } from '../ir/expect-close.ts';
import { trainOf } from '../models/compile.ts';

const device = deviceForTests();
const [artifact] = artifacts;
const { init, step } = trainOf(artifact.program);

test('steps that carry on', async () => {
  const gpu = await webgpuProgram(step, device());
  const reference = interpreterProgram(step);
  expect(gpu.runCarrying).toBeDefined();
  const first = carriedAs(
    new Map(Object.entries(await interpreterProgram(init).run({ seed: tensor('u32', [], [3]) }))),
  );
  const losses = async (program: Program, from: typeof first) => {
    let carried = from;
    const found: number[] = [];
    for (const [i, rows] of [4, 7, 4].entries()) {
      const step = await runStep(program, { ...batchOf(artifact, rows, i) }, carried);
      ({ carried } = step);
      expect(Object.keys(step.outputs).sort()).toEqual(['accuracy', 'loss']);
      found.push(step.outputs.loss.data[0]);
    }
    return { found, last: await carried.read() };
  };
  const expected = await losses(reference, first);
  const actual = await losses(gpu, first);
  expect((await losses(gpu, first)).found, 'from the beginning again').toEqual(actual.found);
  actual.found.forEach((loss, i) => expect(loss).toBeCloseTo(expected.found[i], 5));
  expect([...actual.last.keys()].sort()).toEqual([...expected.last.keys()].sort());
  for (const [name, value] of expected.last) {
    const found = actual.last.get(name);
    if (found === undefined) return expect.fail(`no ${name}`);
    expectClose(found, value, 2e-5, name);
  }
  const feeds = { ...batchOf(artifact, 4, 0), ...Object.fromEntries(await first.read()) };
  const whole = await gpu.run(feeds);
  expect(whole.loss.data[0]).toBe(actual.found[0]);
  expect(Object.keys(whole).sort()).toEqual(step.outputs.map(({ name }) => name).sort());
  await gpu.dispose();
});

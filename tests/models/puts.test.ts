// Updates at places, `Q[s, a] <- e`, against the same loop in JavaScript, in the interpreter and in ONNX Runtime.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { Graph } from '../../compiler/ir/graph.ts';
import { sizeOf, tensor, type DType, type Tensor } from '../../compiler/ir/tensor.ts';
import { compiledWithLibrary, trainOf } from './compile.ts';
import { everywhere, onnxRuntime, type Executor } from './executors.ts';

type Tensors = Readonly<Record<string, Tensor>>;

/** The step of a block with one state `s`. */
const stepOf = (head: string, state: string, steps: string): Graph =>
  trainOf(compiledWithLibrary(`train t(${head}) { state s: ${state} = 0\n${steps} }`)).step;

const whole = (shape: readonly number[], values: readonly number[]): Tensor =>
  tensor('i32', shape, values);
const reals = (shape: readonly number[], values: readonly number[]): Tensor =>
  tensor('f32', shape, values, 'f64');

async function after(
  executor: Executor,
  step: Graph,
  s: Tensor,
  feeds: Tensors,
): Promise<number[]> {
  const given = { ...feeds, s, step: whole([], [0]) };
  return Array.from((await executor.run(step, given))['s.next'].data);
}

const counting = (shape: readonly number[], dtype: DType = 'f32'): Tensor =>
  tensor(
    dtype,
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => i / (dtype === 'f32' ? 4 : 1)),
    'f64',
  );

describe.each<Executor>(everywhere)('in $name', (executor) => {
  test('one element', async () => {
    const step = stepOf(
      'i: fin(3)[1], j: fin(4)[1]',
      '[3, 4]',
      'a = i[0] b = j[0] s[a, b] <- 2 * s[a, b] + 7',
    );
    const s = counting([3, 4]);
    const expected = Array.from(s.data);
    expected[6] = 2 * expected[6] + 7;
    expect(await after(executor, step, s, { i: whole([1], [1]), j: whole([1], [2]) })).toEqual(
      expected,
    );
  });

  test('a number in place of a name', async () => {
    const step = stepOf('x: [1]', '[3]', 's[1] <- x[0]');
    expect(await after(executor, step, counting([3]), { x: reals([1], [9]) })).toEqual([0, 9, 0.5]);
  });

  test('a row, a column, and all of it for an index', async () => {
    const feeds = { k: whole([1], [1]), x: reals([3], [10, 20, 30]) };
    const head = 'k: fin(3)[1], x: [3]';
    const s = counting([3, 3]);
    const run = (text: string): Promise<number[]> =>
      after(executor, stepOf(head, '[3, 3]', `p = k[0] ${text}`), s, feeds);
    const row = [0, 0.25, 0.5, 10, 20, 30, 1.5, 1.75, 2];
    expect(await run('s[p] <- x')).toEqual(row);
    expect(await run('s[p, :] <- x')).toEqual(row);
    expect(await run('s[p, j] <- x[j]')).toEqual(row);
    const column = [0, 10, 0.5, 0.75, 20, 1.25, 1.5, 30, 2];
    expect(await run('s[:, p] <- x')).toEqual(column);
    expect(await run('s[i, p] <- x[i]')).toEqual(column);
    expect(await run('s[i, (p + 2) % 3] <- x[i] + s[i, 2]')).toEqual([
      10.5, 0.25, 0.5, 21.25, 1, 1.25, 32, 1.75, 2,
    ]);
  });

  test('a place that depends on another index', async () => {
    const step = stepOf('j: fin(4)[3]', '[3, 4]', 's[i, j[i]] <- -s[i, j[i]] - 1');
    const s = counting([3, 4]);
    const expected = Array.from(s.data);
    [3, 0, 2].forEach((j, i) => (expected[4 * i + j] = -expected[4 * i + j] - 1));
    expect(await after(executor, step, s, { j: whole([3], [3, 0, 2]) })).toEqual(expected);
  });

  test('integers and truth values', async () => {
    const feeds = { k: whole([4], [2, 0, 2, 1]) };
    const ints = stepOf('k: fin(3)[B]', 'int[3]', 's[k[b]] <- b + 1');
    expect(await after(executor, ints, counting([3], 'i32'), feeds)).toEqual([2, 4, 3]);
    const seen = trainOf(
      compiledWithLibrary('train t(k: fin(3)[B]) { state s: bool[3] = false s[k[b]] <- b > 1 }'),
    ).step;
    const s = tensor('bool', [3], [1, 1, 1]);
    expect(await after(executor, seen, s, feeds)).toEqual([0, 1, 1]);
  });
});

test('many updates: of equal places the last counts', async () => {
  const step = stepOf(
    'i: fin(4)[B], j: fin(3)[B], x: [B, 2]',
    '[4, 2, 3]',
    's[i[b], c, j[b]] <- x[b, c] + s[i[b], c, j[b]]',
  );
  const rows = fc.array(
    fc.tuple(
      fc.nat(3),
      fc.nat(2),
      fc.integer({ min: -50, max: 50 }),
      fc.integer({ min: -50, max: 50 }),
    ),
    { minLength: 1, maxLength: 12 },
  );
  const s = counting([4, 2, 3]);
  await fc.assert(
    fc.asyncProperty(rows, async (updates) => {
      const B = updates.length;
      const feeds = {
        i: whole(
          [B],
          updates.map(([i]) => i),
        ),
        j: whole(
          [B],
          updates.map(([, j]) => j),
        ),
        x: reals(
          [B, 2],
          updates.flatMap(([, , x, y]) => [x, y]),
        ),
      };
      const expected = Array.from(s.data);
      for (const [i, j, ...x] of updates)
        x.forEach((v, c) => (expected[6 * i + 3 * c + j] = v + s.data[6 * i + 3 * c + j]));
      for (const executor of everywhere)
        expect(await after(executor, step, s, feeds)).toEqual(expected);
    }),
    { numRuns: 25 },
  );
}, 30_000);

test('a ring of the last rows: a replay buffer', async () => {
  const step = stepOf('x: [1, 2]', '[3, 2]', 's[(step - 1) % 3] <- x[0]');
  let s = reals([3, 2], Array(6).fill(0));
  for (let n = 0; n < 5; n++) {
    const feeds = { x: reals([1, 2], [n, -n]), s, step: whole([], [n]) };
    s = (await onnxRuntime.run(step, feeds))['s.next'];
  }
  expect(Array.from(s.data)).toEqual([3, -3, 4, -4, 2, -2]);
});

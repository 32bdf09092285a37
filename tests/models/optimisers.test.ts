// The optimisers of the standard library against their published formulas: five steps of least squares.

import { describe, test } from 'vitest';

import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { compiledWithLibrary, trainOf } from './compile.ts';
import { everywhere, type Executor } from './executors.ts';
import { expectStored, fixtures, restore } from './fixtures.ts';
import { descend } from './descend.ts';

const { x, t, first, runs } = fixtures.optimisers;

const start: Readonly<Record<string, Tensor>> = Object.fromEntries(
  Object.entries(first).map(([path, stored]) => [path, restore(stored)]),
);

describe.each<Executor>(everywhere)('in $name', (executor) => {
  test.each(Object.entries(runs))('%s', async (optimiser, { losses, weights }) => {
    const { step, init } = trainOf(
      compiledWithLibrary(`
        layer net = Dense(3, 2)
        train fit(x: [B, 3], t: [B, 2]) {
          minimize mse(net(x), t) over net using ${optimiser}
        }
      `),
    );
    const drawn = await executor.run(init, { seed: tensor('u32', [], [1]) });
    const data = { x: restore(x), t: restore(t) };
    const run = await descend(executor, step, { ...drawn, ...start }, data, 5);
    expectStored(tensor('f32', [5], run.losses, 'f64'), losses, executor.tolerance, 'losses');
    for (const [path, stored] of Object.entries(weights))
      expectStored(run.state[path], stored, executor.tolerance, path);
  });
});

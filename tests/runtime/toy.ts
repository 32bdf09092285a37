// A program made by hand for the tests of the training loop: least squares with momentum, y = w x + b, in plain JavaScript.

import type { Tensor } from '../../compiler/ir/tensor.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import type { PortInfo, Program } from '../../runtime/program.ts';
import type { TrainPrograms } from '../../runtime/train.ts';

const port = (name: string, role: PortInfo['role'], dims: PortInfo['dims'] = []): PortInfo => ({
  name,
  role,
  dtype: role === 'counter' ? 'i32' : 'f32',
  dims,
});

const data = [port('x', 'data', ['B']), port('y', 'data', ['B'])];
const parameters = [port('w', 'parameter'), port('b', 'parameter')];
const others = [
  port('w.momentum.m', 'optimizer'),
  port('b.momentum.m', 'optimizer'),
  port('step', 'counter'),
];
const scalar = (value: number): Tensor => tensor('f32', [], [value]);
const measures = [port('loss', 'loss'), port('error', 'report')];

const program = (
  inputs: readonly PortInfo[],
  outputs: readonly PortInfo[],
  compute: (feeds: Readonly<Record<string, Tensor>>) => Record<string, Tensor>,
): Program => ({ inputs, outputs, run: async (feeds) => compute(feeds), dispose: async () => {} });

/** The mean squared and absolute errors of a batch, and the gradient of the former. */
function errors(feeds: Readonly<Record<string, Tensor>>) {
  const { x, y, w, b } = feeds;
  let [loss, error, dw, db] = [0, 0, 0, 0];
  const rows = x.data.length;
  for (let i = 0; i < rows; i++) {
    const e = w.data[0] * x.data[i] + b.data[0] - y.data[i];
    loss += e ** 2 / rows;
    error += Math.abs(e) / rows;
    dw += (2 * e * x.data[i]) / rows;
    db += (2 * e) / rows;
  }
  return { loss, error, dw, db };
}

/** `rate` above about 2 diverges. */
export const toyPrograms = (rate = 0.1): TrainPrograms => ({
  init: program([port('seed', 'seed')], [...parameters, ...others], ({ seed }) => ({
    w: scalar((seed.data[0] % 7) - 3),
    b: scalar(0.5),
    'w.momentum.m': scalar(0),
    'b.momentum.m': scalar(0),
    step: tensor('i32', [], [0]),
  })),
  step: program(
    [...data, ...parameters, ...others],
    [...parameters, ...others]
      .map((p): PortInfo => ({ ...p, name: `${p.name}.next` }))
      .concat(measures),
    (feeds) => {
      const { loss, error, dw, db } = errors(feeds);
      const mw = scalar(0.9 * feeds['w.momentum.m'].data[0] + dw);
      const mb = scalar(0.9 * feeds['b.momentum.m'].data[0] + db);
      return {
        loss: scalar(loss),
        error: scalar(error),
        'w.next': scalar(feeds.w.data[0] - rate * mw.data[0]),
        'b.next': scalar(feeds.b.data[0] - rate * mb.data[0]),
        'w.momentum.m.next': mw,
        'b.momentum.m.next': mb,
        'step.next': tensor('i32', [], [feeds.step.data[0] + 1]),
      };
    },
  ),
  evaluate: program([...data, ...parameters], measures, (feeds) => {
    const { loss, error } = errors(feeds);
    return { loss: scalar(loss), error: scalar(error) };
  }),
});

// Derivatives through scans, first and second (see check-derivatives.ts).

import { describe, it } from 'vitest';

import { constant } from '../../compiler/dims/arithmetic.ts';
import type { Builder } from '../../compiler/ir/builder-types.ts';
import type { Value } from '../../compiler/ir/graph.ts';
import type { Loss } from './check-derivatives.ts';
import { check, sum } from './check-derivatives.ts';

const dot = (b: Builder, x: Value, w: Value): Value =>
  b.dotGeneral(x, w, {
    lhsBatch: [],
    rhsBatch: [],
    lhsContracting: [x.shape.length - 1],
    rhsContracting: [w.shape.length - 1],
  });

/** h <- tanh(W x_t + U h + d), of rows x [T, B, n]; the loss weighs every h and the last. */
const rnn =
  (options: { reverse?: boolean; recompute?: boolean }): Loss =>
  (b, [x, W, U, d, h0]) => {
    const { carries, ys } = b.scan(
      x.shape[0],
      [h0],
      [x],
      (c, _t, [h], [row]) => {
        const bias = c.broadcastInDim(d, h.shape, [1]);
        const next = c.unary('tanh', c.add(c.add(dot(c, row, W), dot(c, h, U)), bias));
        return { carries: [next], ys: [next] };
      },
      options,
    );
    return b.add(sum(b, b.multiply(ys[0], ys[0])), sum(b, carries[0]));
  };

describe('scan', () => {
  const T = constant(4);
  it('of a power', async () => {
    await check(
      [[], []],
      (b, [x, a]) =>
        b.scan(T, [x], [], (c, _t, [s]) => ({ carries: [c.multiply(c.multiply(s, s), a)], ys: [] }))
          .carries[0],
    );
  });

  for (const options of [{}, { reverse: true }, { recompute: true }])
    it(`of a recurrent network ${JSON.stringify(options)}`, async () => {
      await check([[3, 2, 2], [3, 2], [3, 3], [3], [2, 3]], rnn(options));
    });

  it('with a carry that is not differentiated, and one no result reads', async () => {
    await check([[], [4]], (b, [x, r]) => {
      const { carries } = b.scan(
        T,
        [b.scalar(1, 'i32'), x, x],
        [r],
        (c, t, [n, s, unused], [row]) => ({
          carries: [
            c.add(n, t),
            c.multiply(c.multiply(s, row), c.convert(n, 'f32')),
            c.add(unused, s),
          ],
          ys: [],
        }),
      );
      return b.multiply(carries[1], b.exp(carries[1]));
    });
  });

  it('nested', async () => {
    await check([[], [3]], (b, [a, x]) => {
      const { carries, ys } = b.scan(constant(2), [a], [], (c, _t, [s]) => {
        const inner = c.scan(constant(3), [s], [x], (d, _j, [r], [row]) => {
          const next = d.unary('sine', d.add(d.multiply(r, a), row));
          return { carries: [next], ys: [d.multiply(next, row)] };
        });
        return { carries: inner.carries, ys: inner.ys };
      });
      return b.add(carries[0], sum(b, b.multiply(ys[0], ys[0])));
    });
  });

  it('with a gradient inside: unrolled gradient descent', async () => {
    await check([[2], [2]], (b, [start, a]) => {
      const { carries } = b.scan(constant(3), [start], [], (c, _t, [w]) => {
        const v = c.variable(w);
        const loss = sum(c, c.multiply(c.exp(c.multiply(v, a)), v));
        const [g] = c.gradient(loss, [v]);
        return { carries: [c.subtract(w, c.multiply(c.full(0.1, w.shape), g))], ys: [] };
      });
      return sum(b, b.multiply(carries[0], carries[0]));
    });
  });

  it('reading a row by its index', async () => {
    await check([[5, 2]], (b, [x]) => {
      const { carries } = b.scan(constant(4), [b.full(1, [constant(2)])], [], (c, t, [s]) => ({
        carries: [c.multiply(c.add(s, c.take(x, t, 0)), s)],
        ys: [],
      }));
      return sum(b, carries[0]);
    });
  });
});

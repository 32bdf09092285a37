// Derivatives of what solves an equation, and stated ones, against closed forms and differences, first and second.

import { expect, it } from 'vitest';

import { constant } from '../../compiler/dims/arithmetic.ts';
import type { Builder } from '../../compiler/ir/builder-types.ts';
import type { Value } from '../../compiler/ir/graph.ts';
import { range } from '../../compiler/ir/shape-arithmetic.ts';
import { createBuilder } from '../../compiler/ir/builder.ts';
import { optimise } from '../../compiler/transform/passes.ts';
import { runInterpreter } from '../ir/run-graph.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { check, sum } from './check-derivatives.ts';

const tolerance = 1e-11;
const limit = 400;

/** Repeats f until it moves nothing, and states that this is its fixed point. */
function fixedPoint(b: Builder, start: Value, f: (b: Builder, z: Value) => Value): Value {
  const { carries } = b.whileLoop(constant(limit), [start], (c, _t, [z]) => {
    const next = f(c, z);
    const moved = c.unary('abs', c.subtract(next, z));
    const farthest = c.reduce('max', moved, range(z.shape.length));
    return { carries: [next], done: c.compare('le', farthest, c.scalar(tolerance)) };
  });
  return b.implicit('fixed_point', carries, (c, [z]) => [f(c, z)], { tolerance, limit })[0];
}

it('the fixed point of cos(a z)', async () => {
  const a = 0.9;
  const { results } = await check(
    [[]],
    (b, [x]) => fixedPoint(b, b.scalar(0.5), (c, z) => c.unary('cosine', c.multiply(x, z))),
    { xs: [tensor('f32', [], [a], 'f64')] },
  );
  const z = results['y'].data[0];
  expect(Math.cos(a * z)).toBeCloseTo(z, 9);
  // z' = -sin(a z) (z + a z')
  const s = Math.sin(a * z);
  expect(results['g0'].data[0]).toBeCloseTo((-s * z) / (1 + a * s), 9);
});

it("Bellman's V of a fixed policy: dV/dR = (1 - gamma P)^-1", async () => {
  const { results } = await check([[3], [3, 3]], (b, [R, logits]) => {
    const P = b.softmax(logits, 1);
    const V = fixedPoint(b, b.full(0, R.shape), (c, v) => {
      const next = c.dotGeneral(P, v, {
        lhsBatch: [],
        rhsBatch: [],
        lhsContracting: [1],
        rhsContracting: [0],
      });
      return c.add(R, c.multiply(c.full(0.8, R.shape), next));
    });
    return sum(b, V);
  });
  // Rows of P sum to 1, so that the entries of dV/dR sum to 3 / (1 - gamma).
  const total = Array.from(results['g0'].data).reduce((p, q) => p + q, 0);
  expect(total).toBeCloseTo(3 / (1 - 0.8), 8);
});

it('two unknowns that depend on each other', async () => {
  await check([[], []], (b, [x, a]) => {
    const f = (c: Builder, [u, v]: readonly Value[]): Value[] => [
      c.multiply(c.scalar(0.4), c.unary('sine', c.add(v, x))),
      c.multiply(c.scalar(0.3), c.exp(c.multiply(u, a))),
    ];
    const { carries } = b.whileLoop(constant(limit), [b.scalar(0), b.scalar(0)], (c, _t, z) => {
      const next = f(c, z);
      const moved = c.add(
        c.unary('abs', c.subtract(next[0], z[0])),
        c.unary('abs', c.subtract(next[1], z[1])),
      );
      return { carries: next, done: c.compare('le', moved, c.scalar(tolerance)) };
    });
    const [u, v] = b.implicit('fixed_point', carries, f, { tolerance, limit });
    return b.multiply(u, b.exp(v));
  });
});

it('the real root of z^3 + p z + q, for many p and q at once', async () => {
  const xs = [tensor('f32', [3], [1, 2, 0.5], 'f64'), tensor('f32', [3], [-1, 0.3, -2], 'f64')];
  const { results } = await check(
    [[3], [3]],
    (b, [p, q]) => {
      const f = (c: Builder, z: Value): Value =>
        c.add(c.add(c.multiply(c.multiply(z, z), z), c.multiply(p, z)), q);
      // By halves between -3 and 3.
      const { carries } = b.whileLoop(
        constant(60),
        [b.full(-3, p.shape), b.full(3, p.shape)],
        (c, _t, [low, high]) => {
          const middle = c.multiply(c.full(0.5, p.shape), c.add(low, high));
          const above = c.compare('gt', f(c, middle), c.full(0, p.shape));
          return {
            carries: [c.select(above, low, middle), c.select(above, middle, high)],
            done: c.compare('lt', c.scalar(1), c.scalar(0)),
          };
        },
      );
      const z = b.implicit('root', [carries[0]], (c, [v]) => [f(c, v)], { tolerance, limit })[0];
      return sum(b, b.multiply(z, z));
    },
    { xs },
  );
  // dz/dq = -1 / (3 z^2 + p): with the loss, dy/dq = -2 z / (3 z^2 + p).
  const [p, q] = xs.map(({ data }) => data);
  for (const i of [0, 1, 2]) {
    const root = newton(p[i], q[i]);
    expect(results['g1'].data[i]).toBeCloseTo((-2 * root) / (3 * root * root + p[i]), 8);
  }
});

function newton(p: number, q: number): number {
  let z = 0;
  for (let i = 0; i < 60; i++) z -= (z ** 3 + p * z + q) / (3 * z * z + p);
  return z;
}

it('a fixed point inside a loop', async () => {
  await check([[], []], (b, [x, a]) => {
    const { carries } = b.scan(constant(3), [x], [], (c, _t, [s]) => ({
      carries: [
        fixedPoint(c, c.scalar(0), (d, z) => d.unary('cosine', d.multiply(d.multiply(a, z), s))),
      ],
      ys: [],
    }));
    return carries[0];
  });
});

it('a stated derivative is the derivative, and has derivatives', async () => {
  // log(1 + exp x), whose derivative exp(x) / (1 + exp x) would overflow as written.
  const { results } = await check([[3], [3]], (b, [x, w]) => {
    const y = b.unary('log1p', b.exp(x));
    const z = b.customJvp(y, [x], (c, [at], [dx]) => c.multiply(c.unary('logistic', at), dx));
    return sum(b, b.multiply(z, w));
  });
  expect(results['g0'].data.every(Number.isFinite)).toBe(true);
});

it('a stated derivative may differ from that of the value: straight through a rounding', () => {
  const b = createBuilder();
  const x = b.variable(b.input('x0', 'data', { dtype: 'f32', shape: [] }));
  const y = b.customJvp(b.unary('round_even', x), [x], (_c, _at, [dx]) => dx);
  b.output('y', 'result', y);
  b.output('g', 'result', b.gradient(b.multiply(y, y), [x])[0]);
  const results = runInterpreter(optimise(b.graph('f')), [tensor('f32', [], [2.7])], 'f64');
  expect([results['y'].data[0], results['g'].data[0]]).toEqual([3, 6]);
});

// `sort` and `argsort`: against JavaScript's stable sort, their gradients, and the form in which a GPU sorts.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { constant } from '../../compiler/dims/arithmetic.ts';
import { createBuilder } from '../../compiler/ir/builder.ts';
import { interpret } from '../../compiler/ir/interpret.ts';
import { opNamed } from '../../compiler/ir/registry.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { program, run } from './compile-text.ts';

const { functions } = program(`
  export fn sorted(x: [B, n]) -> (y: [B, n], order: fin(n)[B, n]) {
    y = sort(x)
    order = argsort(x)
  }
  ## d sum_i i * sort(x)_i: each element gets the place it went to.
  export fn places(x: [n]) -> g: [n] {
    y = sort(x)
    g = grad(sum[i] i * y[i], x)
  }
  ## The median of each column, by the index of a notation.
  export fn medians(x: [5, B]) -> m: [B] {
    m[b] = sort(x[:, b])[2]
  }
`);
const graphOf = (name: string) => {
  const found = functions.find((f) => f.name === name);
  if (found === undefined) throw new Error(name);
  return found.graph;
};

const reals = (shape: readonly number[], values: readonly number[]) =>
  tensor('f32', shape, values, 'f64');

const stableOrder = (x: readonly number[]): number[] =>
  x.map((_, i) => i).toSorted((a, b) => x[a] - x[b] || a - b);

/** Few different numbers, so that ties are common. */
const row = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 6, maxLength: 6 });

describe('sort and argsort', () => {
  test('rows are sorted by themselves, equal elements in their order', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 4 }), (rows) => {
        const x = reals([rows.length, 6], rows.flat());
        const { y, order } = run(graphOf('sorted'), { x });
        expect([...order.data]).toEqual(rows.flatMap(stableOrder));
        expect([...y.data]).toEqual(rows.flatMap((r) => r.toSorted((a, b) => a - b)));
      }),
    );
  });

  test('the gradient follows each element', () => {
    const x = [0.3, -1, 2, 0.7, -4];
    const { g } = run(graphOf('places'), { x: reals([5], x) });
    expect([...g.data]).toEqual(x.map((_, i) => stableOrder(x).indexOf(i)));
  });

  test('inside index notation', () => {
    const { m } = run(graphOf('medians'), { x: reals([5, 2], [5, 0, 1, 9, 4, 8, 2, 7, 3, 1]) });
    expect([...m.data]).toEqual([3, 7]);
  });

  test('by counting, as on a GPU', () => {
    const { wgsl } = opNamed('argsort');
    if (wgsl.kind !== 'composite') throw new Error('argsort has a kernel of its own');
    const builder = createBuilder();
    const x = builder.input('x', 'data', { dtype: 'f32', shape: [constant(2), constant(6)] });
    builder.output('order', 'result', wgsl.expand(builder, [x], {})[0]);
    const graph = builder.graph('counting');
    fc.assert(
      fc.property(row, row, (a, b) => {
        const { order } = interpret(graph, { x: reals([2, 6], [...a, ...b]) });
        expect([...order.data]).toEqual([stableOrder(a), stableOrder(b)].flat());
      }),
    );
  });
});

// Loops against JAX: values, gradients and Hessian-vector products of tests/fixtures/make-loops.py.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { constant } from '../../compiler/dims/arithmetic.ts';
import type { Builder } from '../../compiler/ir/builder-types.ts';
import type { Value } from '../../compiler/ir/graph.ts';
import { range } from '../../compiler/ir/shape-arithmetic.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { optimise } from '../../compiler/transform/passes.ts';
import { expectClose } from '../ir/expect-close.ts';
import { runInterpreter } from '../ir/run-graph.ts';
import { runOnnx } from '../ir/run-onnx.ts';
import type { Loss } from './check-derivatives.ts';
import { derivativesOf, sum } from './check-derivatives.ts';

interface Numbers {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

interface Fixture {
  readonly inputs: readonly Numbers[];
  readonly value: number;
  readonly gradients: readonly Numbers[];
  readonly products: readonly Numbers[];
}

const path = join(import.meta.dirname, '../fixtures/loops.json');
const fixtures = JSON.parse(readFileSync(path, 'utf8')) as Readonly<Record<string, Fixture>>;
const read = ({ shape, data }: Numbers) => tensor('f32', shape, data, 'f64');

const contract = (b: Builder, x: Value, y: Value, axis: number, other: number): Value =>
  b.dotGeneral(x, y, {
    lhsBatch: [],
    rhsBatch: [],
    lhsContracting: [axis],
    rhsContracting: [other],
  });

const lstm: Loss = (b, [x, W, U, d]) => {
  const [count, batch] = x.shape;
  const hidden = W.shape[1];
  const zero = b.full(0, [batch, hidden]);
  const { carries, ys } = b.scan(count, [zero, zero], [x], (c, _t, [s, cell], [row]) => {
    // [4, H, B] to [4, B, H]
    const part = (w: Value, v: Value): Value => c.transpose(contract(c, w, v, 2, 1), [0, 2, 1]);
    const products = c.add(part(W, row), part(U, s));
    const g = c.add(products, c.broadcastInDim(d, products.shape, [0, 2]));
    const [f, i, o, u] = range(4).map((k) => c.take(g, c.scalar(k, 'i32'), 0));
    const logistic = (v: Value): Value => c.unary('logistic', v);
    const next = c.add(c.multiply(logistic(f), cell), c.multiply(logistic(i), c.unary('tanh', u)));
    const state = c.multiply(logistic(o), c.unary('tanh', next));
    return { carries: [state, next], ys: [state] };
  });
  return b.add(sum(b, b.multiply(ys[0], ys[0])), sum(b, carries[1]));
};

const backwards: Loss = (b, [x, a]) => {
  const { carries, ys } = b.scan(
    x.shape[0],
    [b.full(1, a.shape)],
    [x],
    (c, t, [s], [row]) => {
      const scale = c.multiply(c.scalar(0.1), c.convert(t, 'f32'));
      const next = c.add(
        c.unary('sine', c.add(c.multiply(a, s), row)),
        c.multiply(c.fill(scale, s.shape), s),
      );
      return { carries: [next], ys: [c.multiply(next, row)] };
    },
    { reverse: true },
  );
  return b.add(sum(b, carries[0]), sum(b, b.multiply(ys[0], ys[0])));
};

const fixedPoint: Loss = (b, [x, W]) => {
  const f = (c: Builder, z: Value): Value => c.unary('tanh', c.add(contract(c, W, z, 1, 0), x));
  const options = { tolerance: 1e-13, limit: 500 };
  const { carries } = b.whileLoop(constant(500), [b.full(0, x.shape)], (c, _t, [z]) => {
    const next = f(c, z);
    const moved = c.reduce('max', c.unary('abs', c.subtract(next, z)), [0]);
    return { carries: [next], done: c.compare('le', moved, c.scalar(options.tolerance)) };
  });
  const [z] = b.implicit('fixed_point', carries, (c, [v]) => [f(c, v)], options);
  return sum(b, b.multiply(z, z));
};

const programs: Readonly<Record<string, Loss>> = { lstm, backwards, fixed_point: fixedPoint };

it.each(Object.keys(fixtures))('%s', async (name) => {
  const { inputs, value, gradients, products } = fixtures[name];
  const types = inputs.map(({ shape }) => ({
    dtype: 'f32' as const,
    shape: shape.map((size) => constant(size)),
  }));
  const graph = optimise(derivativesOf(types, programs[name]));
  const feeds = inputs.map(read);
  const exact = runInterpreter(graph, feeds, 'f64');
  const onnx = await runOnnx(graph, feeds);
  expect(exact['y'].data[0]).toBeCloseTo(value, 10);
  gradients.forEach((g, i) => {
    expectClose(exact[`g${i}`], read(g), 1e-10, `gradient ${i}`);
    expectClose(onnx[`g${i}`], read(g), 2e-5, `gradient ${i} in ONNX`);
  });
  products.forEach((h, i) => {
    expectClose(exact[`h${i}`], read(h), 1e-9, `product ${i}`);
    expectClose(onnx[`h${i}`], read(h), 1e-4, `product ${i} in ONNX`);
  });
});

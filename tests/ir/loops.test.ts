// Loops: what they compute, against closed forms and plain JavaScript, on the interpreter, ONNX Runtime and in WGSL; what their bodies capture.

import { expect, it } from 'vitest';

import { constant, dimOf, variable } from '../../compiler/dims/arithmetic.ts';
import type { Builder } from '../../compiler/ir/builder-types.ts';
import type { GraphBuilder } from '../../compiler/ir/builder.ts';
import { createBuilder } from '../../compiler/ir/builder.ts';
import type { Graph, TensorType, Value } from '../../compiler/ir/graph.ts';
import { printGraph } from '../../compiler/ir/print.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { verify } from '../../compiler/ir/verify.ts';
import { optimise } from '../../compiler/transform/passes.ts';
import { webgpu } from '../models/executors.ts';
import { expectClose } from './expect-close.ts';
import { feedsOf, runInterpreter } from './run-graph.ts';
import { runOnnx } from './run-onnx.ts';

const real = (...shape: number[]): TensorType => ({
  dtype: 'f32',
  shape: shape.map((size) => constant(size)),
});

const reals = (...values: number[]): Tensor => tensor('f32', [values.length], values);
const number = (value: number): Tensor => tensor('f32', [], [value]);

/** A graph with inputs x0, x1, ... and outputs y0, y1, ... */
function graphOf(
  types: readonly TensorType[],
  write: (b: GraphBuilder, xs: readonly Value[]) => readonly Value[],
): Graph {
  const b = createBuilder();
  const xs = types.map((type, i) => b.input(`x${i}`, 'data', type));
  write(b, xs).forEach((y, i) => b.output(`y${i}`, 'result', y));
  return b.graph('loops');
}

/** Checks the graph, before and after the passes, on the interpreter and on ONNX Runtime. */
async function expectResults(
  graph: Graph,
  inputs: readonly Tensor[],
  expected: readonly Tensor[],
): Promise<void> {
  expect(verify(graph)).toEqual([]);
  const optimised = optimise(graph, (pass, after) => expect(verify(after), pass).toEqual([]));
  const runs: readonly (readonly [string, Readonly<Record<string, Tensor>>])[] = [
    ['interpreter', runInterpreter(graph, inputs, 'f64')],
    ['interpreter, optimised', runInterpreter(optimised, inputs, 'f64')],
    ['ONNX', await runOnnx(graph, inputs)],
    ['ONNX, optimised', await runOnnx(optimised, inputs)],
    ['WGSL', await webgpu.run(optimised, feedsOf(inputs))],
  ];
  for (const [name, results] of runs)
    expected.forEach((y, i) => expectClose(results[`y${i}`], y, 1e-5, `${name}: y${i}`));
}

const count = (n: number) => constant(n);

it('sums a geometric series, and keeps every partial sum', async () => {
  const graph = graphOf([real()], (b, [a]) => {
    const { carries, ys } = b.scan(count(6), [b.scalar(0), b.scalar(1)], [], (c, _t, [s, p]) => {
      const sum = c.add(s, p);
      return { carries: [sum, c.multiply(p, a)], ys: [sum] };
    });
    return [carries[0], ys[0]];
  });
  const partial = [0, 1, 2, 3, 4, 5].map((n) => (1 - 0.5 ** (n + 1)) / (1 - 0.5));
  await expectResults(graph, [number(0.5)], [number(partial[5]), reals(...partial)]);
});

it('sees the index and the rows, forwards and backwards', async () => {
  for (const reverse of [false, true]) {
    const graph = graphOf([real(4, 2)], (b, [x]) => {
      const body = (
        c: Builder,
        t: Value,
        [s]: readonly Value[],
        [row]: readonly Value[],
      ): { carries: Value[]; ys: Value[] } => {
        const scaled = c.multiply(row, c.fill(c.convert(t, 'f32'), row.shape));
        const next = c.add(c.multiply(s, c.full(10, s.shape)), scaled);
        return { carries: [next], ys: [next, t] };
      };
      const init = b.full(0, x.shape.slice(1));
      const { carries, ys } = b.scan(count(4), [init], [x], body, { reverse });
      return [...carries, ...ys];
    });
    const x = [1, 2, 3, 4, 5, 6, 7, 8];
    let s = [0, 0];
    const rows: number[][] = [];
    for (const t of reverse ? [3, 2, 1, 0] : [0, 1, 2, 3])
      rows[t] = s = s.map((value, i) => value * 10 + t * x[2 * t + i]);
    await expectResults(
      graph,
      [tensor('f32', [4, 2], x)],
      [reals(...s), tensor('f32', [4, 2], rows.flat()), tensor('i32', [4], [0, 1, 2, 3])],
    );
  }
});

it('runs once', async () => {
  const graph = graphOf([real(1, 3)], (b, [x]) => {
    const { carries, ys } = b.scan(
      count(1),
      [b.full(1, x.shape.slice(1))],
      [x],
      (c, _t, [s], [r]) => ({
        carries: [c.add(s, r)],
        ys: [s],
      }),
    );
    return [...carries, ...ys];
  });
  await expectResults(
    graph,
    [tensor('f32', [1, 3], [1, 2, 3])],
    [reals(2, 3, 4), tensor('f32', [1, 3], [1, 1, 1])],
  );
});

it('runs over a free size, with rows and without', async () => {
  const T = dimOf(variable('T'));
  const graph = graphOf([{ dtype: 'f32', shape: [T] }], (b, [x]) => {
    const sum = b.scan(T, [b.scalar(0)], [x], (c, _t, [s], [r]) => ({
      carries: [c.add(s, r)],
      ys: [c.add(s, r)],
    }));
    // sum of t over t < T, and a tensor of the free size carried along
    const triangle = b.scan(T, [b.scalar(0, 'i32'), b.full(1, [T])], [], (c, t, [s, v]) => ({
      carries: [c.add(s, t), c.add(v, c.full(1, [T]))],
      ys: [],
    }));
    return [sum.carries[0], sum.ys[0], ...triangle.carries];
  });
  for (const n of [1, 2, 7]) {
    const x = Array.from({ length: n }, (_, i) => i + 0.5);
    let total = 0;
    const sums = x.map((value) => (total += value));
    await expectResults(
      graph,
      [reals(...x)],
      [
        number(total),
        reals(...sums),
        tensor('i32', [], [(n * (n - 1)) / 2]),
        reals(...x.map(() => n + 1)),
      ],
    );
  }
});

it('nests, and captures through two levels', async () => {
  // y[i, j] = a * (i + 1) * x[j], summed as it goes
  const graph = graphOf([real(), real(3)], (b, [a, x]) => {
    const shared = b.exp(a);
    const outer = b.scan(count(2), [b.scalar(0)], [], (c, i, [s]) => {
      const scale = c.convert(c.add(i, c.scalar(1, 'i32')), 'f32');
      const inner = c.scan(count(3), [s], [x], (d, _j, [r], [row]) => {
        const term = d.multiply(d.multiply(shared, scale), row);
        return { carries: [d.add(r, term)], ys: [term] };
      });
      return { carries: [inner.carries[0]], ys: [inner.ys[0]] };
    });
    return [outer.carries[0], outer.ys[0]];
  });
  const a = Math.exp(0.3);
  const terms = [1, 2].flatMap((i) => [1, -2, 4].map((x) => a * i * x));
  await expectResults(
    graph,
    [number(0.3), reals(1, -2, 4)],
    [number(terms.reduce((p, q) => p + q)), tensor('f32', [2, 3], terms)],
  );
  const [, scan] = graph.nodes.filter(({ op }) => op === 'exponential' || op === 'scan');
  // s, then exp(a) and x: each captured once, though the inner body reads exp(a).
  expect(scan.inputs).toHaveLength(3);
});

it('a value read twice is captured once, and a literal is made again', () => {
  const graph = graphOf([real(2)], (b, [x]) => {
    const two = b.full(2, x.shape);
    return b.scan(count(3), [x], [], (c, _t, [s]) => ({
      carries: [c.multiply(c.add(s, x), c.add(x, two))],
      ys: [],
    })).carries;
  });
  expect(graph.nodes.at(-1)?.inputs).toHaveLength(2);
  expect(printGraph(graph)).toMatchInlineSnapshot(`
    "graph loops {
      input x0: f32[2]                                                       # data
      %0: f32[2] = broadcast_in_dim(2)
      %1: f32[2] = scan(x0, x0) 3 times {
        (t: i32[], carry0: f32[2])
        %2: f32[2] = add(carry0, x0)
        %3: f32[2] = broadcast_in_dim(2)
        %4: f32[2] = add(x0, %3)
        %5: f32[2] = multiply(%2, %4)
        -> carry0 = %5
      }
      output y0 = %1                                                         # result
    }
    "
  `);
});

it('a value of no graph around is refused', () => {
  const [stranger] = graphOf([real()], (_b, xs) => xs).inputs;
  expect(() => createBuilder().negate(stranger.value)).toThrow('another graph');
});

const newton = (b: Builder, a: Value, limit: number) =>
  b.whileLoop(count(limit), [b.scalar(1)], (c, _t, [x]) => {
    const next = c.multiply(c.scalar(0.5), c.add(x, c.divide(a, x)));
    const moved = c.unary('abs', c.subtract(next, x));
    return { carries: [next], done: c.compare('lt', moved, c.scalar(1e-6)) };
  });

it('a while loop ends by its test or by its limit', async () => {
  const graph = graphOf([real()], (b, [a]) => {
    const [found, cut] = [newton(b, a, 50), newton(b, a, 2)];
    return [found.carries[0], found.done, cut.carries[0], cut.steps, cut.done];
  });
  const after = [1, 0].reduce((x) => (x + 2 / x) / 2, 1);
  await expectResults(
    graph,
    [number(2)],
    [
      number(Math.SQRT2),
      tensor('bool', [], [1]),
      number(after),
      tensor('i32', [], [2]),
      tensor('bool', [], [0]),
    ],
  );
});

it('counts the steps of a while loop', async () => {
  const graph = graphOf([real()], (b, [x]) => {
    const { carries, steps, done } = b.whileLoop(count(100), [x], (c, t, [s]) => ({
      carries: [c.multiply(s, c.scalar(2))],
      done: c.compare('eq', t, c.scalar(4, 'i32')),
    }));
    return [...carries, steps, done];
  });
  await expectResults(
    graph,
    [number(1)],
    [number(32), tensor('i32', [], [5]), tensor('bool', [], [1])],
  );
});

it('power iteration finds the largest eigenvalue: a scan inside a while', async () => {
  const graph = graphOf([real(2, 2)], (b, [A]) => {
    const start = b.full(1, [constant(2)]);
    const { carries } = b.whileLoop(count(60), [start, b.scalar(0)], (c, _t, [v, before]) => {
      // A v, row by row
      const { ys } = c.scan(count(2), [], [A], (d, _i, _none, [row]) => ({
        carries: [],
        ys: [d.reduce('add', d.multiply(row, v), [0])],
      }));
      const norm = c.sqrt(c.reduce('add', c.multiply(ys[0], ys[0]), [0]));
      const done = c.compare('lt', c.unary('abs', c.subtract(norm, before)), c.scalar(1e-6));
      return { carries: [c.divide(ys[0], c.fill(norm, ys[0].shape)), norm], done };
    });
    return [carries[1]];
  });
  await expectResults(
    graph,
    [tensor('f32', [2, 2], [2, 1, 1, 3])],
    [number((5 + Math.sqrt(5)) / 2)],
  );
});

it('the graph does not grow with the number of steps', () => {
  const sizeOf = (n: number): number =>
    graphOf(
      [real()],
      (b, [x]) =>
        b.scan(count(n), [x], [], (c, _t, [s]) => ({ carries: [c.multiply(s, s)], ys: [] }))
          .carries,
    ).nodes.length;
  expect(sizeOf(1000)).toBe(sizeOf(2));
});

// What the passes do to loops, and that it changes no result: every pass on random loops, nested ones too, with their gradients.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { constant, dimOf, variable } from '../../compiler/dims/arithmetic.ts';
import type { Builder } from '../../compiler/ir/builder-types.ts';
import { createBuilder } from '../../compiler/ir/builder.ts';
import type { Graph, Node, TensorType, Value } from '../../compiler/ir/graph.ts';
import type { ScanAttributes } from '../../compiler/ir/loop-attributes.ts';
import { printGraph } from '../../compiler/ir/print.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { verify } from '../../compiler/ir/verify.ts';
import { differentiate } from '../../compiler/transform/differentiate.ts';
import { optimise, passes } from '../../compiler/transform/passes.ts';
import { runInterpreter } from '../ir/run-graph.ts';
import { sum } from './check-derivatives.ts';
import { farthest } from './compare.ts';

const size = constant;
const real = (...shape: number[]): TensorType => ({ dtype: 'f32', shape: shape.map(size) });

function optimised(
  types: readonly TensorType[],
  write: (b: Builder, xs: readonly Value[]) => readonly Value[],
): Graph {
  const b = createBuilder();
  const xs = types.map((type, i) => b.input(`x${i}`, 'data', type));
  write(b, xs).forEach((y, i) => b.output(`y${i}`, 'result', y));
  return optimise(b.graph('loops'), (pass, graph) => expect(verify(graph), pass).toEqual([]));
}

const scansOf = (graph: Graph): readonly Node[] => graph.nodes.filter(({ op }) => op === 'scan');
const attributesOf = (node: Node): ScanAttributes => node.attributes as ScanAttributes;
/** The product of two matrices, or of a stack of rows and a matrix. */
const dot = (b: Builder, x: Value, y: Value): Value =>
  b.dotGeneral(x, y, { lhsBatch: [], rhsBatch: [], lhsContracting: [1], rhsContracting: [0] });
const opsIn = (graph: Graph): readonly string[] => graph.nodes.map(({ op }) => op);

describe('a loop', () => {
  it('does not repeat what is the same in every step', () => {
    const graph = optimised(
      [real(3)],
      (b, [x]) =>
        b.scan(size(4), [x], [], (c, _t, [s]) => {
          const scaled = c.multiply(c.exp(x), c.full(2, x.shape));
          return { carries: [c.add(s, c.unary('tanh', scaled))], ys: [] };
        }).carries,
    );
    const [loop] = scansOf(graph);
    expect(opsIn(attributesOf(loop).body)).toEqual(['add']);
    expect(opsIn(graph)).toContain('tanh');
  });

  it('runs with what it reads by its index', () => {
    const read = (at: (b: Builder, t: Value) => Value) =>
      optimised(
        [real(2, 6)],
        (b, [x]) =>
          b.scan(size(4), [b.full(0, [size(2)])], [], (c, t, [s]) => ({
            carries: [c.add(s, c.multiply(c.take(x, at(c, t), 1), s))],
            ys: [],
          })).carries,
      );
    const int = (b: Builder, value: number): Value => b.scalar(value, 'i32');
    for (const at of [
      (_b: Builder, t: Value) => t,
      (b: Builder, t: Value) => b.add(t, int(b, 2)),
      (b: Builder, t: Value) => b.subtract(int(b, 5), t),
    ]) {
      const [loop] = scansOf(read(at));
      expect(attributesOf(loop).xs).toBe(1);
      expect(opsIn(attributesOf(loop).body)).not.toContain('take');
    }
    const [loop] = scansOf(read((b, t) => b.binary('remainder', t, int(b, 3))));
    expect(attributesOf(loop).xs).toBe(0);
  });

  it('loses carries, ys, rows and captured values that nothing needs', () => {
    const graph = optimised([real(3), real(4), real()], (b, [x, r, a]) => {
      const { carries, ys } = b.scan(
        size(4),
        [x, x, b.exp(x)],
        [r],
        (c, _t, [s, unread, same], [row]) => ({
          carries: [c.multiply(s, same), c.add(unread, c.fill(c.multiply(row, a), x.shape)), same],
          ys: [c.exp(unread), s],
        }),
      );
      return [carries[0], ys[1]];
    });
    const [loop] = scansOf(graph);
    const { carries, xs, body } = attributesOf(loop);
    expect([carries, xs, body.outputs.length, loop.inputs.length]).toEqual([1, 0, 2, 2]);
    expect(loop.outputs).toHaveLength(2);
  });

  it('is shared with one that does the same', () => {
    const graph = optimised([real(3)], (b, [x]) => {
      const run = (): Value =>
        b.scan(size(4), [x], [], (c, _t, [s]) => ({ carries: [c.multiply(s, x)], ys: [] }))
          .carries[0];
      return [b.add(run(), run())];
    });
    expect(scansOf(graph)).toHaveLength(1);
  });

  it('multiplies all rows at once, and adds what is the same in every step before it', () => {
    const graph = optimised([real(4, 2, 3), real(3, 5), real(5, 5), real(5)], (b, [x, W, U, d]) => {
      return b.scan(size(4), [b.full(1, [size(2), size(5)])], [x], (c, _t, [h], [row]) => {
        const sums = c.add(dot(c, row, W), dot(c, h, U));
        const biased = c.add(sums, c.broadcastInDim(d, sums.shape, [1]));
        return { carries: [c.unary('tanh', biased)], ys: [] };
      }).carries;
    });
    const [loop] = scansOf(graph);
    expect(opsIn(attributesOf(loop).body).toSorted()).toEqual(['add', 'dot_general', 'tanh']);
    const [before] = graph.nodes.filter(({ op }) => op === 'dot_general');
    expect(before.outputs[0].shape).toEqual([4, 2, 5].map((n) => size(n)));
  });

  it('has the sums of its derivative as products outside', () => {
    const B = dimOf(variable('B'));
    const b = createBuilder();
    const x = b.input('x', 'data', { dtype: 'f32', shape: [size(5), B, size(2)] });
    const W = b.variable(b.input('W', 'parameter', real(2, 3)));
    const U = b.variable(b.input('U', 'parameter', real(3, 3)));
    const { ys } = b.scan(size(5), [b.full(0, [B, size(3)])], [x], (c, _t, [h], [row]) => {
      const next = c.unary('tanh', c.add(dot(c, row, W), dot(c, h, U)));
      return { carries: [next], ys: [next] };
    });
    const loss = sum(b, b.multiply(ys[0], ys[0]));
    b.gradient(loss, [W, U]).forEach((g, i) => b.output(`g${i}`, 'result', g));
    const graph = optimise(b.graph('rnn'));
    const [, back] = scansOf(graph);
    // h's cotangent is all that runs backwards; one product outside for each of W and U.
    expect(attributesOf(back).carries).toBe(1);
    expect(opsIn(attributesOf(back).body).filter((op) => op === 'dot_general')).toHaveLength(1);
    const products = graph.nodes.filter(
      ({ op, outputs }) => op === 'dot_general' && outputs[0].shape.length === 2,
    );
    expect(products).toHaveLength(2);
  });
});

type Choice = readonly [op: number, a: number, b: number];

/** A loop over a body of the chosen operations, on values [3]; `depth` says whether it may hold another. */
function randomLoop(
  b: Builder,
  choices: readonly Choice[],
  x: Value,
  w: Value,
  depth: number,
): Value {
  const reverse = choices.length % 2 === 1;
  const { carries, ys } = b.scan(
    size(3),
    [x, b.unary('sine', x)],
    [w],
    (c, t, current, slices) => {
      const shape = x.shape;
      const scale = c.fill(c.convert(t, 'f32'), shape);
      const pool: Value[] = [...current, ...slices, x, scale, c.take(w, t, 0), c.full(0.5, shape)];
      const at = (i: number): Value => pool[i % pool.length];
      for (const [op, i, j] of choices)
        pool.push(operation(c, op, at(i), at(j), w, depth, choices));
      const next = c.unary('tanh', pool[pool.length - 1]);
      return { carries: [next, c.unary('tanh', at(choices[0][1] + 7))], ys: [at(choices[0][2])] };
    },
    { reverse, recompute: choices.length % 3 === 0 },
  );
  return b.add(carries[0], b.reduce('add', ys[0], [0]));
}

function operation(
  b: Builder,
  op: number,
  x: Value,
  y: Value,
  w: Value,
  depth: number,
  choices: readonly Choice[],
): Value {
  const matrix = { lhsBatch: [], rhsBatch: [], lhsContracting: [0], rhsContracting: [0] };
  const rules: readonly (() => Value)[] = [
    () => b.add(x, y),
    () => b.multiply(x, y),
    () => b.subtract(x, b.unary('tanh', y)),
    () => b.unary('sine', x),
    () => b.dotGeneral(x, w, matrix),
    () => b.select(b.compare('gt', x, y), b.subtract(x, y), b.full(0, x.shape)),
    () => b.fill(b.reduce('add', b.multiply(x, y), [0]), x.shape),
    () => (depth > 0 ? randomLoop(b, choices.slice(0, 2), b.unary('tanh', x), w, 0) : b.negate(x)),
  ];
  return rules[op % rules.length]();
}

it('every pass keeps what loops and their gradients compute', { timeout: 60_000 }, () => {
  const choice = fc.tuple(fc.nat(7), fc.nat(20), fc.nat(20));
  const runs = fc.property(fc.array(choice, { minLength: 1, maxLength: 6 }), (choices) => {
    const b = createBuilder();
    const x = b.variable(b.input('x0', 'data', real(3)));
    const w = b.variable(b.input('x1', 'data', real(3, 3)));
    const loss = sum(b, randomLoop(b, choices, x, w, 1));
    b.output('loss', 'loss', loss);
    b.gradient(loss, [x, w]).forEach((g, i) => b.output(`g${i}`, 'result', g));
    const marked = b.graph('random');
    const inputs = [
      tensor('f32', [3], [0.31, -0.83, 0.53]),
      tensor('f32', [3, 3], [0.2, 0.7, -0.4, 0.9, -0.1, 0.35, -0.6, 0.15, 0.55]),
    ];
    const plain = differentiate(marked);
    expect(verify(plain)).toEqual([]);
    const run = (graph: Graph): Readonly<Record<string, Tensor>> =>
      runInterpreter(graph, inputs, 'f64');
    const reference = run(plain);
    const check = (name: string, graph: Graph): void => {
      expect(verify(graph), name).toEqual([]);
      const { distance, where } = farthest(reference, run(differentiate(graph)));
      if (!(distance < 1e-8))
        expect.fail(`${name} moved ${where} by ${distance}:\n${printGraph(graph)}`);
    };
    optimise(marked, check);
    for (const pass of passes) check(`${pass.name} alone`, pass.run(plain));
    checkSlope(plain, inputs, reference);
  });
  fc.assert(runs, { numRuns: Number(process.env['DLG_RUNS'] ?? 25), seed: 7 });
});

/** The gradient along a fixed direction, against a difference. */
function checkSlope(
  graph: Graph,
  inputs: readonly Tensor[],
  results: Readonly<Record<string, Tensor>>,
): void {
  const step = 1e-6;
  const lossAt = (by: number): number => {
    const moved = inputs.map((x) => ({
      ...x,
      data: Float64Array.from(x.data, (value, i) => value + by * Math.cos(i)),
    }));
    return runInterpreter(graph, moved, 'f64')['loss'].data[0];
  };
  const slope = (lossAt(step) - lossAt(-step)) / (2 * step);
  const along = inputs
    .flatMap((_, k) => Array.from(results[`g${k}`].data, (g, i) => g * Math.cos(i)))
    .reduce((p, q) => p + q, 0);
  // A kink may lie between the two points; none does for this seed.
  expect(Math.abs(along - slope)).toBeLessThan(1e-5 * Math.max(1, Math.abs(slope)));
}

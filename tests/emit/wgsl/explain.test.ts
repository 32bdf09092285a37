// What programs are said to cost, against closed forms, and that no program is said to move less than the least.

import { describe, expect, it } from 'vitest';

import { emitWgsl } from '../../../compiler/emit/wgsl/emit.ts';
import { explain, type Explanation } from '../../../compiler/emit/wgsl/explain.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import { conformanceCases } from '../../ir/conformance-cases.ts';
import { knownProgram } from '../../ir/conformance-programs.ts';
import { compiled, compiledWithLibrary, functionOf, trainOf } from '../../models/compile.ts';

const explained = (graph: Graph, sizes: Readonly<Record<string, number>> = {}): Explanation =>
  explain(emitWgsl(graph), new Map(Object.entries(sizes)));

const functionExplained = (text: string, sizes: Readonly<Record<string, number>> = {}) =>
  explained(functionOf(compiled(text), 'f').graph, sizes);

const moved = ({ total }: Explanation): number => total.read + total.written;

describe('closed forms', () => {
  it('a dense layer', () => {
    const dense = functionExplained(
      `export fn f(x: [B, 784], W: [10, 784], b: [10]) -> y: [B, 10] {
  y[n, o] = sum[i] W[o, i] * x[n, i] + b[o]
}`,
      { B: 32 },
    );
    expect(dense.kernels).toMatchObject([
      {
        kind: 'product',
        operations: 2 * 32 * 784 * 10 + 32 * 10,
        read: 4 * (32 * 784 + 784 * 10 + 10),
        written: 4 * 32 * 10,
        title: { ops: ['dot_general', 'add'], line: { place: 'test.dlg:2' } },
      },
    ]);
    expect(dense.least).toBe(moved(dense));
    expect(dense.sizes).toEqual({ B: 32 });
  });

  it('a free size is 64 where nothing is said', () => {
    const square = functionExplained(`export fn f(x: [B]) -> y: [B] { y[i] = x[i] * x[i] }`);
    expect(square.total).toEqual({ runs: 1, operations: 64, read: 256, written: 256 });
  });

  it('of a table, the rows that are looked up', () => {
    const lookUp = functionExplained(
      `export fn f(table: [1000, 8], i: fin(1000)[20]) -> y: [20, 8] { y[n, c] = table[i[n], c] }`,
    );
    expect(lookUp.total).toMatchObject({ operations: 0, read: 4 * (20 * 8 + 20), written: 640 });
    expect(lookUp.ratio).toBe(1);
  });

  it('a loop, as often as it runs, and a row of what it runs along', () => {
    const loop = functionExplained(
      `export fn f(x: [7, 8, 100], W: [100, 100]) -> y: [8, 100] {
  for t < 7 with s = zeros(8, 100) {
    a[n, i] = sum[j] W[i, j] * s[n, j] + x[t, n, i]
    s <- tanh(a)
  }
  y = s
}`,
    );
    const [product, map] = loop.kernels.filter(
      ({ runs, domain }) => runs === 7 && domain.length === 2,
    );
    expect(product).toMatchObject({ kind: 'product', operations: 2 * 8 * 100 * 100 });
    expect(product.read).toBe(4 * (100 * 100 + 800));
    // The product, a row, and the counter that says which.
    expect(map.read).toBe(4 * (800 + 800 + 1));
    // Every step contracts the weights with the state; its result is on the way to the next state.
    const steps = 7 * (100 * 100 + 800);
    const [others, y] = [7 * 800, 800];
    expect(loop.least).toBe(4 * (steps + others + y));
  });

  it('of a training step with Adam: parameters and moments in place', () => {
    const { step } = trainOf(
      compiledWithLibrary(`layer net = Dense(30, 20)
train step(x: [B, 30], y: [B, 20]) { minimize mse(net(x), y) over net using Adam(1e-3) }`),
    );
    const [B, W, b] = [16, 20 * 30, 20];
    const result = B * 20;
    // Forward W, x, W x; backward x, the error g and what is W's next value; every other input and output once.
    const forward = W + B * 30 + result;
    const backward = B * 30 + result;
    const inPlace = W + 2 * (W + W) + 2 * (b + b + b);
    const scalars = 1 + 1 + 1;
    expect(explained(step, { B }).least).toBe(
      4 * (forward + backward + inPlace + result + scalars),
    );
  });
});

describe('nothing moves less than the least', () => {
  it.each(conformanceCases)('$name', (of) => {
    expect(explained(knownProgram(of).graph).ratio).toBeGreaterThanOrEqual(1);
  });
});

// Draws of builtins/random.ts: their moments, their accuracy against the exact functions, and that they depend on the seed
// and the name alone.

import { describe, expect, it } from 'vitest';
import { distributionFor } from '../../compiler/builtins/distributions.ts';
import { hashOfName } from '../../compiler/builtins/random.ts';
import { numberOf } from '../../compiler/builtins/labelled.ts';
import { constant } from '../../compiler/dims/arithmetic.ts';
import { createBuilder } from '../../compiler/ir/builder.ts';
import { interpret } from '../../compiler/ir/interpret.ts';
import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { optimise } from '../../compiler/transform/passes.ts';
import { onnxProgram } from '../../runtime/executors/onnx.ts';

function graphOf(
  distribution: string,
  parameters: readonly number[],
  name: string,
  size: number,
): Graph {
  const builder = createBuilder();
  const key = builder.input('seed', 'seed', { dtype: 'u32', shape: [] });
  const site = { builder, seed: key, name, stream: null, shape: [constant(size)] };
  const values = parameters.map((value) => numberOf(value));
  const value = distributionFor(distribution, 'real')?.draw(site, values, null);
  if (value === undefined) throw new Error(`no distribution ${distribution}`);
  builder.output('draws', 'result', value);
  return builder.graph('draw');
}

function draw(
  distribution: string,
  parameters: readonly number[],
  { seed = 1, name = 'net.W', size = 40000 } = {},
): ArrayLike<number> {
  const feeds = { seed: tensor('u32', [], [seed]) };
  return interpret(graphOf(distribution, parameters, name, size), feeds).draws.data;
}

const moment = (x: ArrayLike<number>, n: number): number =>
  Array.from(x).reduce((sum, v) => sum + v ** n, 0) / x.length;

describe('draws', () => {
  it('normal draws have the moments of a normal distribution', () => {
    const x = draw('normal', [0, 1]);
    // Four standard errors of each estimate.
    const tolerance = (variance: number): number => 4 * Math.sqrt(variance / x.length);
    expect(Math.abs(moment(x, 1))).toBeLessThan(tolerance(1));
    expect(Math.abs(moment(x, 2) - 1)).toBeLessThan(tolerance(2));
    expect(Math.abs(moment(x, 3))).toBeLessThan(tolerance(15));
    expect(Math.abs(moment(x, 4) - 3)).toBeLessThan(tolerance(96));
  });

  it('uniform draws fill the interval', () => {
    const x = draw('uniform', [-2, 4]);
    expect(Math.min(...Array.from(x).slice(0, 10000))).toBeGreaterThanOrEqual(-2);
    expect(Math.max(...Array.from(x).slice(0, 10000))).toBeLessThan(4);
    expect(Math.abs(moment(x, 1) - 1)).toBeLessThan(4 * Math.sqrt(3 / x.length));
    expect(Math.abs(moment(x, 2) - 4)).toBeLessThan(4 * Math.sqrt(19.2 / x.length));
  });

  it('follows Box and Muller to float32 accuracy', () => {
    // The words of the blocks, then the formula by Math.log and Math.cos in float64.
    const builder = createBuilder();
    const shape = [constant(2000)];
    const words = builder.emit('threefry2x32', [
      builder.full(1, shape, 'u32'),
      builder.full(hashOfName('net.W'), shape, 'u32'),
      builder.iota(shape, 0, 'u32'),
      builder.full(0, shape, 'u32'),
    ]);
    words.forEach((value, i) => builder.output(`word${i}`, 'result', value));
    const { word0, word1 } = interpret(builder.graph('words'), {});
    const z = draw('normal', [0, 1], { size: 2000 });
    for (let i = 0; i < 2000; i++) {
      const [u, w] = [word0, word1].map(({ data }) => (data[i] >>> 9) / 2 ** 23);
      const exact = Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * w);
      expect(Math.abs(z[i] - exact)).toBeLessThan(2e-6);
    }
  });

  it('ONNX Runtime draws the same bits', async () => {
    const graph = graphOf('normal', [0.5, 2], 'net.W', 3001);
    const feeds = { seed: tensor('u32', [], [4000000001]) };
    const onnx = await onnxProgram(emitOnnx(optimise(graph)), { threads: 1 });
    const [theirs, ours] = [(await onnx.run(feeds)).draws, interpret(graph, feeds).draws];
    await onnx.dispose();
    expect(Array.from(theirs.data)).toEqual(Array.from(ours.data));
  });

  it('takes mean and standard deviation', () => {
    const [z, x] = [draw('normal', [0, 1], { size: 50 }), draw('normal', [3, 0.5], { size: 50 })];
    for (let i = 0; i < 50; i++) expect(x[i]).toBeCloseTo(3 + 0.5 * z[i], 5);
  });

  it('depends on seed and name, and element i on nothing else', () => {
    const base = Array.from(draw('normal', [0, 1], { size: 20 }));
    expect(Array.from(draw('normal', [0, 1], { size: 40 })).slice(0, 20)).toEqual(base);
    expect(Array.from(draw('normal', [0, 1], { size: 20, seed: 2 }))).not.toEqual(base);
    expect(Array.from(draw('normal', [0, 1], { size: 20, name: 'net.b' }))).not.toEqual(base);
  });

  it('hashes names as FNV-1a does', () => {
    // Published vectors of the 32-bit FNV-1a hash.
    expect(hashOfName('')).toBe(0x811c9dc5);
    expect(hashOfName('a')).toBe(0xe40c292c);
    expect(hashOfName('foobar')).toBe(0xbf9cf968);
  });
});

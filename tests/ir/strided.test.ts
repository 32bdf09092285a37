// The loops of the reference evaluation against their definitions, element by element.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { addProduct, matrix } from '../../compiler/ir/matmul.ts';
import { copyStrided, stridesOf } from '../../compiler/ir/strided.ts';
import { allocate } from '../../compiler/ir/tensor.ts';

/** All index tuples of a shape, row-major. */
const indices = (shape: readonly number[]): number[][] =>
  shape.reduce<number[][]>(
    (tuples, size) =>
      tuples.flatMap((tuple) => Array.from({ length: size }, (_, i) => [...tuple, i])),
    [[]],
  );

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * b[i], 0);

describe('copyStrided', () => {
  const axis = fc.record({
    size: fc.integer({ min: 1, max: 4 }),
    from: fc.integer({ min: -5, max: 9 }),
    to: fc.integer({ min: -5, max: 9 }),
  });

  it('adds every element at its place', () => {
    fc.assert(
      fc.property(fc.array(axis, { maxLength: 4 }), (axes) => {
        const shape = axes.map(({ size }) => size);
        const [from, to] = [axes.map((a) => a.from), axes.map((a) => a.to)];
        const offset = 150;
        const source = Float64Array.from({ length: 300 }, (_, i) => i * i);
        const expected = new Float64Array(300);
        for (const index of indices(shape))
          expected[offset + dot(index, to)] += source[offset + dot(index, from)];
        const target = new Float64Array(300);
        copyStrided(
          shape,
          { data: source, offset, strides: from },
          { data: target, offset, strides: to },
          'add',
        );
        expect([...target]).toEqual([...expected]);
      }),
    );
  });

  it('transposes', () => {
    const source = Float32Array.from({ length: 24 }, (_, i) => i);
    const target = new Float32Array(24);
    const [from, shape] = [stridesOf([2, 3, 4]), [4, 2, 3]];
    copyStrided(
      shape,
      { data: source, offset: 0, strides: [from[2], from[0], from[1]] },
      { data: target, offset: 0, strides: stridesOf(shape) },
    );
    const expected = indices(shape).map(([k, i, j]) => i * 12 + j * 4 + k);
    expect([...target]).toEqual(expected);
  });

  it('copies nothing where an axis is empty', () => {
    const target = new Float32Array(1);
    const source = { data: Float32Array.of(7), offset: 0, strides: [1] };
    copyStrided([0], source, { data: target, offset: 0, strides: [1] });
    expect(target[0]).toBe(0);
  });
});

describe('addProduct', () => {
  const size = fc.integer({ min: 1, max: 9 });

  it.each(['f32', 'i32', 'u32'] as const)('%s: exact on small integers', (dtype) => {
    fc.assert(
      fc.property(size, size, size, fc.boolean(), (m, k, n, transposed) => {
        const a = allocate(dtype, m * k).map((_, i) => (i * 7) % 5);
        const b = allocate(dtype, k * n).map((_, i) => (i * 11) % 7);
        const c = allocate(dtype, m * n).map((_, i) => i);
        const lhs = transposed ? { data: a, offset: 0, row: 1, column: m } : matrix(a, 0, k);
        const expected = indices([m, n]).map(([i, j]) => {
          const terms = Array.from(
            { length: k },
            (_, p) => a[i * lhs.row + p * lhs.column] * b[p * n + j],
          );
          return i * n + j + terms.reduce((x, y) => x + y, 0);
        });
        addProduct(lhs, matrix(b, 0, n), matrix(c, 0, n), m, k, n);
        expect([...c]).toEqual(expected);
      }),
    );
  });

  it('wraps 32-bit integers', () => {
    const c = new Int32Array(1);
    addProduct(
      matrix(Int32Array.of(65537), 0, 1),
      matrix(Int32Array.of(65537), 0, 1),
      matrix(c, 0, 1),
      1,
      1,
      1,
    );
    expect(c[0]).toBe(131073);
  });

  it('rounds a sum of reals once', () => {
    const k = 1000;
    const ones = new Float32Array(k).fill(1);
    const tenths = new Float32Array(k).fill(0.1);
    const c = new Float32Array(1);
    addProduct(matrix(ones, 0, k), matrix(tenths, 0, 1), matrix(c, 0, 1), 1, k, 1);
    expect(c[0]).toBe(Math.fround(k * Math.fround(0.1)));
  });
});

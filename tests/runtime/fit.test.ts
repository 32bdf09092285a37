// Data against declarations: what fits, what is converted, what is refused and in which words.

import { describe, expect, test } from 'vitest';

import type { ArrayFile } from '../../runtime/data/array.ts';
import { datasetOf, loadDataset, takeBatch } from '../../runtime/data/dataset.ts';
import { fitAll, toTensor, type Loaded } from '../../runtime/data/fit.ts';
import { inOrder, shuffled } from '../../runtime/data/order.ts';
import { bad, declare, good, temporaryFile } from './support.ts';

const counting = (shape: readonly number[]): ArrayFile => {
  const data = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i);
  return { kind: 'array', type: 'number', shape, data };
};
const numbers = (...values: readonly number[]): ArrayFile => ({
  kind: 'array',
  type: 'number',
  shape: [values.length],
  data: Float64Array.from(values),
});
const item = (port: Loaded['port'], array: ArrayFile): Loaded => ({ port, file: 'file', array });

describe('shapes', () => {
  const fit = (shape: readonly (number | string)[], found: readonly number[]) =>
    fitAll([item(declare()('x', shape), counting(found))]);
  const shapeOf = (shape: readonly (number | string)[], found: readonly number[]) =>
    good(fit(shape, found)).columns[0].shape;

  test.each([
    [
      ['B', 784],
      [3, 28, 28],
      [3, 784],
    ],
    [
      ['B', 1, 28, 28],
      [3, 28, 28],
      [3, 1, 28, 28],
    ],
    [
      ['B', 1, 28, 28],
      [3, 784],
      [3, 1, 28, 28],
    ],
    [
      ['B', 4, 6],
      [3, 2, 2, 6],
      [3, 4, 6],
    ],
    [['B'], [5, 1], [5]],
    [['B', 1], [5], [5, 1]],
    [
      ['B', 'n'],
      [5, 7],
      [5, 7],
    ],
    [
      ['B', 'n', 'n'],
      [5, 7, 7],
      [5, 7, 7],
    ],
    [[], [], []],
  ])('%j takes %j', (declared, found, expected) => {
    expect(shapeOf(declared, found)).toEqual(expected);
  });

  test('axes are never reordered', () => {
    expect(bad(fit(['B', 3, 4], [2, 4, 3]))).toMatchInlineSnapshot(`
      "E0503 file holds [2, 4, 3], but x is declared [B, 3, 4]
      the axes stand in another order: transpose the file"
    `);
    expect(bad(fit(['B', 3, 8, 8], [2, 8, 8, 3]))).toMatchInlineSnapshot(`
      "E0503 file holds [2, 8, 8, 3], but x is declared [B, 3, 8, 8]
      the file has its channels last; transpose it: in NumPy, array.transpose(0, 3, 1, 2)"
    `);
  });
  test('another number of elements', () => {
    expect(bad(fit(['B', 784], [10, 27, 28]))).toMatchInlineSnapshot(`
      "E0503 file holds [10, 27, 28], but x is declared [B, 784]
      a row has 756 elements and 784 are declared"
    `);
  });
  test('one row alone', () => {
    expect(bad(fit(['B', 28, 28], [28, 28]))).toMatch(/add an axis of size 1 in front$/);
  });
  test('no elements', () => {
    expect(bad(fit(['B', 2], [0, 2]))).toBe('E0503 file holds no elements: [0, 2]');
  });
  test('sizes that inputs share are one', () => {
    const port = declare();
    const both = fitAll([
      item(port('x', ['B', 'n']), counting([2, 3])),
      item(port('w', ['n']), counting([4])),
    ]);
    expect(bad(both)).toMatchInlineSnapshot(`
      "E0503 the data do not fit together: input w: axis 0 has size 4, but n is 3 by input x
      file holds [2, 3] for x: [B, n]; file holds [4] for w: [n]"
    `);
  });
});

describe('values', () => {
  const fit = (base: Loaded['port']['base'], array: ArrayFile, size?: number) =>
    fitAll([item(declare()('y', ['B'], base, size), array)]);

  test('bytes for reals are scaled to 0..1, other numbers are not', () => {
    const bytes: ArrayFile = {
      kind: 'array',
      type: 'uint8',
      shape: [3],
      data: Uint8Array.of(0, 51, 255),
    };
    const scaled = toTensor(good(fit('real', bytes)).columns[0]);
    expect(scaled).toEqual({ dtype: 'f32', shape: [3], data: Float32Array.of(0, 51 / 255, 1) });
    expect(toTensor(good(fit('int', bytes)).columns[0]).data).toEqual(Int32Array.of(0, 51, 255));
    expect(toTensor(good(fit('real', numbers(0, 51))).columns[0]).data[1]).toBe(51);
  });

  test.each([
    ['fin', numbers(0, 9, 10, 11), 10],
    ['fin', numbers(1, 2, 3), 3],
    ['fin', numbers(0, -1), 10],
    ['fin', numbers(0, 1.5), 10],
    ['int', numbers(0, 2 ** 31), undefined],
    ['bool', numbers(0, 1, 2), undefined],
    ['real', numbers(0, Number.NaN), undefined],
    ['real', numbers(1e39), undefined],
  ] as const)('%s refuses %o', (base, array, size) => {
    expect(bad(fit(base, array, size))).toMatchSnapshot();
  });

  test('the place inside a row', () => {
    const array = {
      ...counting([2, 2, 3]),
      data: Float64Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]),
    };
    const port = declare()('y', ['B', 2, 3], 'fin', 5);
    expect(bad(fitAll([item(port, array)]))).toMatch(/^E0504 file row 1, place \[1, 2\] holds 7,/);
  });
});

describe('datasets', () => {
  test('rows must be equally many', () => {
    const port = declare();
    const uneven = datasetOf([
      item(port('x', ['B', 2]), counting([4, 2])),
      item(port('y', ['B']), counting([3])),
    ]);
    expect(bad(uneven)).toMatchInlineSnapshot(`
      "E0507 the data differ in length: file has 4 rows for x, but file has 3 rows for y
      each row of one belongs to the same row of the other"
    `);
  });

  test('names must be those of the program', () => {
    const port = declare();
    const ports = [port('x', ['B', 2]), port('y', ['B'], 'fin', 3)];
    expect(bad(loadDataset(ports, new Map([['x', 'a']])))).toBe(
      'E0505 no data given for y\nit takes x: [B, 2], y: fin(3)[B]',
    );
    expect(bad(loadDataset(ports, new Map([['z', 'a']])))).toBe(
      'E0506 there is no data input called z\nit takes x: [B, 2], y: fin(3)[B]',
    );
  });

  test('a batch holds the rows asked for, in their order', () => {
    const path = temporaryFile('x.csv', '0,1\n2,3\n4,5\n6,7\n');
    const dataset = good(loadDataset([declare()('x', ['B', 2])], new Map([['x', path]])));
    const batch = takeBatch(dataset, Uint32Array.of(3, 0, 2, 1), 1, 3);
    expect(batch.x).toEqual({ dtype: 'f32', shape: [2, 2], data: Float32Array.of(0, 1, 4, 5) });
  });

  test('a fixed batch needs as many rows', () => {
    const fixed = datasetOf([item(declare()('x', [8, 2]), counting([9, 2]))]);
    expect(good(fixed)).toMatchObject({ rows: 9, fixedBatch: 8 });
    const few = datasetOf([item(declare()('x', [8, 2]), counting([7, 2]))]);
    expect(bad(few)).toBe('E0512 file has 7 rows, but the program takes 8 at a time');
  });

  test('a scalar has no rows', () => {
    expect(bad(datasetOf([item(declare()('rate', []), counting([]))]))).toMatch(
      /^E0503 rate is a single number/,
    );
  });
});

describe('order', () => {
  test('a permutation that depends on seed and epoch alone', () => {
    const order = shuffled(1000, 7, 3);
    expect([...order].toSorted((a, b) => a - b)).toEqual([...inOrder(1000)]);
    expect(shuffled(1000, 7, 3)).toEqual(order);
    expect(shuffled(1000, 7, 4)).not.toEqual(order);
    expect(shuffled(1000, 8, 3)).not.toEqual(order);
  });

  test('every order of four rows is equally likely: chi-squared, 24 cells', () => {
    const seen = new Map<string, number>();
    const trials = 24_000;
    for (let epoch = 0; epoch < trials; epoch++) {
      const key = shuffled(4, 1, epoch).join();
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    const expected = trials / 24;
    const chi = [...seen.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    expect(seen.size).toBe(24);
    // 49.7 is exceeded once in a thousand with 23 degrees of freedom.
    expect(chi).toBeLessThan(49.7);
  });
});

// Half precision: every half is read and written as itself, and every number as the half nearest to it.

import { expect, test } from 'vitest';

import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { half, halfBits } from '../../runtime/data/array.ts';
import { readSafetensors, writeSafetensors } from '../../runtime/data/safetensors.ts';
import { isProblem } from '../../runtime/problem.ts';

/** Those of a sign, least first: zero and all finite halves. */
const finite = Array.from({ length: 0x7c00 }, (_, bits) => bits);

test('halves are what IEEE 754 says', () => {
  const known = [
    [0x0000, 0],
    [0x8000, -0],
    [0x0001, 2 ** -24],
    [0x03ff, 2 ** -14 - 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3555, 0.333251953125],
    [0x3c00, 1],
    [0x3c01, 1 + 2 ** -10],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x7c00, Infinity],
    [0xfc00, -Infinity],
    [0x7e00, NaN],
  ] as const;
  for (const [bits, value] of known) {
    expect(half(bits)).toBe(value);
    expect(halfBits(value)).toBe(bits);
  }
  for (const bits of finite.slice(1)) expect(half(bits)).toBeGreaterThan(half(bits - 1));
});

test('each of the 65536 is written as itself; NaN as NaN', () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = half(bits);
    const written = halfBits(value);
    if (Number.isNaN(value)) expect(half(written)).toBeNaN();
    else if (written !== bits) expect.fail(`${bits} is written as ${written}`);
  }
});

test('a number between two is written as the nearer, one in the middle as the even', () => {
  for (const bits of finite) {
    const [low, high] = [half(bits), bits + 1 < 0x7c00 ? half(bits + 1) : 65536];
    const middle = (low + high) / 2;
    const even = bits % 2 === 0 ? bits : bits + 1;
    const found = [
      ...[middle * (1 - 2 ** -50), middle, middle * (1 + 2 ** -50)].map(halfBits),
      halfBits(-middle),
    ];
    if (found.join() !== [bits, even, bits + 1, even + 0x8000].join())
      expect.fail(`around ${middle}: ${found.join()}`);
  }
});

test('what is beyond the largest becomes infinite', () => {
  for (const x of [65520, 65536, 1e6, Number.MAX_VALUE]) {
    expect(halfBits(x)).toBe(0x7c00);
    expect(halfBits(-x)).toBe(0xfc00);
  }
  expect(halfBits(65519.99)).toBe(0x7bff);
  expect(halfBits(Number.MIN_VALUE)).toBe(0);
});

test('tensors of a file of weights are rounded to halves where that is said, the others stay', () => {
  const values = [0.1, -3, 1e5, 2049, 2 ** -24, 0];
  const tensors = new Map<string, Tensor>([
    ['a', tensor('bool', [3], [1, 0, 1])],
    ['b', tensor('f32', [2, 3], values)],
    ['c', tensor('f32', [6], values)],
    ['d', tensor('i32', [1], [7])],
  ]);
  const bytes = writeSafetensors(tensors, { format: 'weights' }, new Set(['b']));
  const file = readSafetensors('file', bytes);
  if (isProblem(file)) throw new Error(file.message);
  // Widest elements first, as the format's own library has them.
  expect([...file.tensors].map(([name, { type }]) => [name, type])).toEqual([
    ['c', 'float32'],
    ['d', 'int32'],
    ['b', 'float16'],
    ['a', 'bool'],
  ]);
  expect(file.tensors.get('b')?.shape).toEqual([2, 3]);
  const halves = [0.0999755859375, -3, Infinity, 2048, 2 ** -24, 0];
  expect([...(file.tensors.get('b')?.data ?? [])]).toEqual(halves);
  expect([...(file.tensors.get('c')?.data ?? [])]).toEqual(values.map(Math.fround));
});

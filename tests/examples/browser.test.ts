// The parts of the page in examples/browser/ that need no page.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { logTicks, movingMean, ranges, stepTicks } from '../../examples/browser/curve.js';
import { readIdx, takeBatch } from '../../examples/browser/data.js';
import { side, toDigit } from '../../examples/browser/digit.js';
import { shuffled as shuffledByPage } from '../../examples/browser/order.js';
import { readSettings } from '../../examples/browser/settings.js';
import { shuffled } from '../../runtime/data/order.ts';

describe('from a drawing to a digit', () => {
  /** A drawing with ink in one rectangle. */
  const rectangle = (size: number, left: number, top: number, width: number, height: number) => {
    const ink = new Uint8Array(size * size);
    for (let y = top; y < top + height; y++)
      ink.fill(255, y * size + left, y * size + left + width);
    return ink;
  };
  const massOf = (digit: Float32Array) => {
    const total = digit.reduce((a, b) => a + b, 0);
    const x = digit.reduce((sum, v, i) => sum + v * ((i % side) + 0.5), 0) / total;
    const y = digit.reduce((sum, v, i) => sum + v * (Math.floor(i / side) + 0.5), 0) / total;
    return { total, x, y };
  };
  /** How long the ink is along an axis, and how far its centre of mass is from the middle of that. */
  const along = (ink: Uint8Array, place: (i: number) => number) => {
    const places = [...ink.keys()].filter((i) => ink[i] > 0).map(place);
    const [start, end] = [Math.min(...places), Math.max(...places) + 1];
    const centre = places.reduce((a, b) => a + b + 0.5, 0) / places.length;
    return { length: end - start, lean: Math.abs(centre - (start + end) / 2) };
  };
  const drawn = (ink: Uint8Array, size: number): Float32Array => {
    const digit = toDigit(ink, size, size);
    if (digit === null) throw new Error('nothing is drawn');
    return digit;
  };

  test('nothing drawn is no digit', () => {
    expect(toDigit(new Uint8Array(100), 10, 10)).toBeNull();
  });

  test('a square of any size and place becomes 20 x 20 in the middle', () => {
    const square = rectangle(280, 11, 63, 140, 140);
    const expected = rectangle(side, 4, 4, 20, 20);
    drawn(square, 280).forEach((value, i) => expect(value).toBeCloseTo(expected[i] / 255, 5));
  });

  test('proportions are kept, and half covered pixels are half dark', () => {
    // 200 high, so scaled by 1/10: 3 wide, which is 12.5 to 15.5.
    const bar = drawn(rectangle(280, 100, 40, 30, 200), 280);
    const row = [...bar.subarray(10 * side, 11 * side)];
    expect(row.slice(11, 17)).toEqual([0, 0.5, 1, 1, 0.5, 0]);
    expect([3, 4, 23, 24].map((y) => bar[y * side + 14])).toEqual([0, 1, 1, 0]);
  });

  test('what is far from the centre of mass stays inside', () => {
    // A heavy foot with a long thin line upwards: centred, it would reach 16 above the middle.
    const ink = rectangle(280, 60, 180, 60, 60);
    for (let y = 40; y < 180; y++) ink[y * 280 + 90] = 255;
    const digit = drawn(ink, 280);
    expect(digit.subarray(0, side).reduce((a, b) => a + b, 0)).toBeGreaterThan(0);
    expect(massOf(digit).y).toBeGreaterThan(14);
    expect(massOf(digit).total).toBeCloseTo(36 + 1.4, 1);
  });

  test('no ink is lost, and the centre of mass is in the middle if the ink has room there', () => {
    const place = fc.integer({ min: 0, max: 120 });
    const length = fc.integer({ min: 10, max: 60 });
    const blots = fc.array(fc.tuple(place, place, length, length), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(blots, (parts) => {
        const ink = new Uint8Array(200 * 200);
        for (const part of parts)
          rectangle(200, ...part).forEach((value, i) => (ink[i] = Math.max(ink[i], value)));
        const { total, x, y } = massOf(drawn(ink, 200));
        const axes = [
          { at: x, ...along(ink, (i) => i % 200) },
          { at: y, ...along(ink, (i) => Math.floor(i / 200)) },
        ];
        const scale = 20 / Math.max(...axes.map(({ length }) => length));
        expect(total).toBeCloseTo((ink.reduce((a, b) => a + b, 0) / 255) * scale ** 2, 2);
        for (const { at, length, lean } of axes) {
          const room = (side - length * scale) / 2;
          expect(Math.abs(at - 14)).toBeLessThan(0.51 + Math.max(0, lean * scale - room));
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('reading the digits', () => {
  /** Three images of 2 x 2. */
  const file = Uint8Array.from([
    ...[0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2],
    ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  ]);
  async function* inChunks(bytes: Uint8Array, length: number, seen: { chunks: number }) {
    for (let at = 0; at < bytes.length; at += length) {
      seen.chunks++;
      yield bytes.subarray(at, at + length);
    }
  }

  test.each([1, 3, 16, 17, 100])('in chunks of %i bytes', async (length) => {
    const parts: number[] = [];
    const idx = await readIdx('f', inChunks(file, length, { chunks: 0 }), Infinity, (part) =>
      parts.push(part),
    );
    expect(idx).toEqual({ rows: 3, shape: [3, 2, 2], data: file.subarray(16) });
    expect(parts.at(-1)).toBe(1);
  });

  test('only as far as is wanted', async () => {
    const seen = { chunks: 0 };
    const idx = await readIdx('f', inChunks(file, 4, seen), 1);
    expect(idx).toEqual({ rows: 1, shape: [1, 2, 2], data: Uint8Array.of(1, 2, 3, 4) });
    expect(seen.chunks).toBe(5);
  });

  test('says what is wrong with a file', async () => {
    const seen = { chunks: 0 };
    await expect(readIdx('f', inChunks(file.subarray(0, 20), 7, seen))).rejects.toThrow(
      'f is cut short: fetch it again',
    );
    const page = new TextEncoder().encode('<!doctype html>');
    await expect(readIdx('f', inChunks(page, 100, seen))).rejects.toThrow(
      'f is not an IDX file of bytes: its first four bytes differ',
    );
  });

  test('puts batches together in the order given', () => {
    const digits = {
      rows: 3,
      images: Uint8Array.of(0, 51, 102, 153, 204, 255),
      labels: Uint8Array.of(7, 8, 9),
      pixels: 2,
    };
    expect(takeBatch(digits, Uint32Array.of(2, 0, 1), 1, 3)).toEqual({
      x: Float32Array.of(0, 51 / 255, 102 / 255, 153 / 255),
      y: Int32Array.of(7, 8),
    });
  });

  test('orders rows as `dlg train` does', () => {
    for (const [rows, seed, epoch] of [
      [1, 0, 0],
      [1000, 0, 0],
      [257, 4_294_967_295, 3],
      [512, 12, 1],
    ])
      expect(shuffledByPage(rows, seed, epoch)).toEqual(shuffled(rows, seed, epoch));
  });
});

describe('the curve', () => {
  test('marks span the values on the ladder 1, 2, 3, 5', () => {
    expect(logTicks(0.6, 2.3)).toEqual([0.5, 1, 2, 3]);
    expect(logTicks(0.07, 2.4)).toEqual([0.05, 0.1, 0.2, 0.5, 1, 2, 3]);
    const positive = fc.double({ min: 1e-5, max: 1e5, noNaN: true });
    fc.assert(
      fc.property(positive, positive, (a, b) => {
        const ticks = logTicks(Math.min(a, b), Math.max(a, b));
        expect(ticks[0]).toBeLessThanOrEqual(Math.min(a, b));
        expect(ticks.at(-1)).toBeGreaterThanOrEqual(Math.max(a, b));
      }),
    );
  });

  test('steps are marked with round numbers', () => {
    expect(stepTicks(10, 5)).toEqual([0, 2, 4, 6, 8, 10]);
    expect(stepTicks(938, 6)).toEqual([0, 200, 400, 600, 800]);
  });

  test('the moving mean of a constant is that constant, and halves in `half` steps', () => {
    movingMean([3, 3, 3], 12).forEach((mean) => expect(mean).toBeCloseTo(3, 12));
    const long = [...Array<number>(500).fill(0), ...Array<number>(12).fill(1)];
    expect(movingMean(long, 12).at(-1)).toBeCloseTo(0.5, 6);
  });

  test('a long run is drawn by spans', () => {
    const steps = [1, 2, 3, 4, 5];
    const values = [5, 1, 4, 2, 3];
    expect(ranges({ steps, values }, 5).map(({ low, high }) => [low, high])).toEqual(
      values.map((value) => [value, value]),
    );
    expect(ranges({ steps, values }, 2)).toEqual([
      { step: 1, low: 1, high: 5 },
      { step: 4, low: 2, high: 3 },
    ]);
    expect(ranges({ steps: [], values: [] }, 2)).toEqual([]);
  });
});

test('the address chooses the settings, and what makes no sense is left out', () => {
  const settings = (query: string) => readSettings(new URLSearchParams(query));
  expect(settings('')).toEqual({
    program: 'cnn',
    rows: 60_000,
    batch: 64,
    test: 10_000,
    seed: 0,
    steps: 9380,
  });
  expect(settings('program=mlp&rows=512&batch=16&steps=30&seed=7&test=100')).toEqual({
    program: 'mlp',
    rows: 512,
    batch: 16,
    test: 100,
    seed: 7,
    steps: 30,
  });
  expect(settings('program=toString&rows=0&batch=-1&seed=1.5&test=x')).toEqual(settings(''));
});

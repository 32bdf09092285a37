// Pictures of results: the pixels that a decoder reads, whatever the order of the axes, and the grid of many.

import { decode } from 'fast-png';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { picturesIn, pngOf } from '../../cli/pictures.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { loadArray, parseLocation } from '../../runtime/data/load.ts';
import { bundled, dlg, workspace } from './support.ts';

const drawn = (
  shape: readonly number[],
  values: readonly number[],
  columns: number | null = null,
) => {
  const value = tensor('f32', shape, values);
  const pictures = picturesIn(value.shape);
  if (pictures === null) throw new Error('no pictures');
  const { width, height, channels, data } = decode(pngOf(value, pictures, columns));
  return { width, height, channels, data: Array.from(data) };
};

describe('a picture', () => {
  it('is cut to 0 and 1, and rounded', () => {
    expect(drawn([2, 3], [0, 1, 0.5, -7, 9, 0.2])).toEqual({
      width: 3,
      height: 2,
      channels: 1,
      data: [0, 255, 128, 0, 255, 51],
    });
  });

  it('has its channels first or last', () => {
    const last = drawn([1, 1, 2, 3], [1, 0, 0, 0, 1, 0.2]);
    expect(last).toEqual({ width: 2, height: 1, channels: 3, data: [255, 0, 0, 0, 255, 51] });
    expect(drawn([1, 3, 1, 2], [1, 0, 0, 1, 0, 0.2])).toEqual(last);
    expect(drawn([1, 2, 3], [1, 0, 0, 0, 1, 0.2])).toEqual(last);
  });

  it('is one of a grid, with gaps, the last row filled up', () => {
    const { width, height, data } = drawn([3, 1, 2], [0, 0.2, 0.4, 0.6, 0.8, 1], 2);
    expect([width, height]).toEqual([6, 4]);
    const grey = 128;
    expect(data).toEqual([
      ...[0, 51, grey, grey, 102, 153],
      ...Array.from({ length: 12 }, () => grey),
      ...[204, 255, grey, grey, grey, grey],
    ]);
  });

  it('needs axes for it', () => {
    expect([[4], [1, 2, 2, 2], [1, 1, 1, 1, 1], []].map(picturesIn)).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });
});

describe('dlg run --png', () => {
  bundled();
  const program = `export fn square(s: real) -> (p: [4, 4], q: [4], r: [1, 2, 2, 2]) {
  p[i < 4, j < 4] = s * ind(i == j)
  q[i < 4] = s
  r[a < 1, b < 2, c < 2, d < 2] = s
}`;

  it('writes the picture and prints its name', () => {
    const cwd = workspace({ 'a.dlg': program });
    const { code, out } = dlg(cwd, 'run', 'a.dlg', 'square', '--input', 's=1', '--png', 'p=p.png');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ p: 'p.png', q: [1, 1, 1, 1] });
    expect(decode(readFileSync(join(cwd, 'p.png'))).data[5]).toBe(255);
  });

  it('writes numbers for NumPy, beside the picture or alone', () => {
    const cwd = workspace({ 'a.dlg': program });
    const files = ['--npy', 'q=q.npy', '--npy', 'p=p.npy', '--png', 'p=p.png'];
    const { code, out } = dlg(cwd, 'run', 'a.dlg', 'square', '--input', 's=0.5', ...files);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ p: ['p.png', 'p.npy'], q: 'q.npy' });
    const array = loadArray(parseLocation(join(cwd, 'q.npy')), 'q');
    expect(array).toMatchObject({ shape: [4], data: Float32Array.of(0.5, 0.5, 0.5, 0.5) });
  });

  it('refuses to write what is no result', () => {
    const cwd = workspace({ 'a.dlg': program });
    const { code, err } = dlg(cwd, 'run', 'a.dlg', 'square', '--input', 's=1', '--npy', 'x=x.npy');
    expect(code).toBe(1);
    expect(err).toContain('there is no result x');
  });

  it.each([
    ['nothing', 'there is no result nothing'],
    ['q', 'the result q holds no pictures'],
    ['r', 'the result r holds no pictures'],
  ])('refuses %s', (name, message) => {
    const cwd = workspace({ 'a.dlg': program });
    const { code, err } = dlg(
      cwd,
      'run',
      'a.dlg',
      'square',
      '--input',
      's=1',
      '--png',
      `${name}=x.png`,
    );
    expect(code).toBe(1);
    expect(err).toContain(message);
  });
});

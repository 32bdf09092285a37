// Loaders against files that NumPy and the reference safetensors library wrote (data/make.py), and against damaged ones.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { describe, expect, test } from 'vitest';

import { tensor } from '../../compiler/ir/tensor.ts';
import { npyOf } from '../../runtime/data/npy.ts';
import { loadArray, parseLocation } from '../../runtime/data/load.ts';
import { isProblem } from '../../runtime/problem.ts';
import { bad, good, temporaryFile } from './support.ts';

const fixture = (name: string): string => join(import.meta.dirname, 'data', name);
const load = (location: string, wanted = 'x') => loadArray(parseLocation(location), wanted);
const values = (location: string, wanted = 'x') => {
  const { type, shape, data } = good(load(location, wanted));
  return { type, shape, data: [...data] };
};
const counting = Array.from({ length: 24 }, (_, i) => i);

describe('npy', () => {
  test.each([
    ['f32.npy', 'float32', [2, 3, 4], counting.map((i) => i / 8)],
    ['f64-big-endian.npy', 'float64', [2, 3, 4], counting.map((i) => i - 7.5)],
    ['i64.npy', 'int64', [2, 3, 4], counting.map((i) => i - 12)],
    ['fortran.npy', 'int16', [2, 3, 4], counting],
    ['bool.npy', 'bool', [2, 3, 4], counting.map((i) => Number(i % 3 === 0))],
    ['f16.npy', 'float16', [6], [0, 1.5, -2, 65504, 2 ** -24, Infinity]],
    ['scalar.npy', 'float32', [], [3.25]],
  ])('%s', (name, type, shape, data) => {
    expect(values(fixture(name))).toEqual({ type, shape, data });
  });

  test.each([
    ['f32.npy', 'f32'],
    ['bool.npy', 'bool'],
    ['scalar.npy', 'f32'],
  ] as const)('%s is what is written, byte by byte', (name, dtype) => {
    const { shape, data } = good(load(fixture(name)));
    expect(Buffer.from(npyOf(tensor(dtype, shape, data)))).toEqual(readFileSync(fixture(name)));
  });

  test.each([
    [tensor('i32', [3], [1, -2, 3]), 'int32'],
    [tensor('u32', [1, 2], [7, 2 ** 32 - 1]), 'uint32'],
    [tensor('f32', [2], [0.1, -1e300], 'f64'), 'float64'],
  ] as const)('%o is read as it was written', (value, type) => {
    const path = temporaryFile('written.npy', npyOf(value));
    expect(values(path)).toEqual({ type, shape: value.shape, data: [...value.data] });
  });

  test('records are refused', () => {
    expect(bad(load(fixture('records.npy')))).toMatchInlineSnapshot(`
      "E0502 records.npy holds records or a header that is not understood
      save one plain array: numpy.save(file, array)"
    `);
  });

  test('a file cut short is refused', () => {
    const path = temporaryFile('short.npy', readFileSync(fixture('f32.npy')).subarray(0, 200));
    expect(bad(load(path))).toMatchInlineSnapshot(`
      "E0502 short.npy holds 72 bytes of elements, but its header says [2, 3, 4] of float32, which are 96 bytes
      the file is cut short or damaged; make it again"
    `);
  });
});

describe('npz', () => {
  test('the array called like the input', () => {
    expect(values(fixture('two.npz'), 'y')).toEqual({ type: 'uint8', shape: [2], data: [1, 0] });
  });
  test('the selected array', () => {
    expect(values(`${fixture('two.npz')}:y`, 'x').shape).toEqual([2]);
  });
  test('the only array, compressed', () => {
    expect(values(fixture('one.npz'))).toEqual({
      type: 'uint16',
      shape: [2, 3, 4],
      data: counting,
    });
  });
  test('none of that name', () => {
    expect(bad(load(`${fixture('two.npz')}:z`))).toMatch(
      /two\.npz holds no array called z; it holds x, y\nselect one: .*two\.npz:x$/,
    );
  });
  test('a zip cut short is refused', () => {
    const path = temporaryFile('short.npz', readFileSync(fixture('two.npz')).subarray(0, 300));
    expect(bad(load(path))).toMatch(/^E0502 short\.npz is not a whole zip file/);
  });
});

describe('IDX', () => {
  const pixels = Array.from({ length: 60 }, (_, i) => i * 4);
  test.each(['images-idx3-ubyte', 'images-idx3-ubyte.gz'])('%s', (name) => {
    expect(values(fixture(name))).toEqual({ type: 'uint8', shape: [3, 4, 5], data: pixels });
  });
  test('big-endian reals', () => {
    const expected = { type: 'float32', shape: [2, 3], data: [0, 1, 2, 3, 4, 5] };
    expect(values(fixture('f32.idx'))).toEqual(expected);
  });
  test('a file cut short is refused', () => {
    const whole = readFileSync(fixture('images-idx3-ubyte'));
    const path = temporaryFile('short-ubyte', whole.subarray(0, 50));
    expect(bad(load(path))).toMatchInlineSnapshot(`
      "E0502 short-ubyte holds 34 bytes of elements, but its header says [3, 4, 5] of uint8, which are 60 bytes
      the file is cut short or damaged; fetch it again"
    `);
  });
  test('a gzip file cut short is refused', () => {
    const whole = gzipSync(readFileSync(fixture('images-idx3-ubyte')));
    const path = temporaryFile('short.gz', whole.subarray(0, whole.length - 12));
    expect(bad(load(path))).toMatch(/^E0502 short\.gz is not a whole gzip file/);
  });
  test('a damaged gzip file is refused', () => {
    const whole = gzipSync(readFileSync(fixture('images-idx3-ubyte')));
    whole[whole.length - 6] ^= 1;
    expect(bad(load(temporaryFile('broken.gz', whole)))).toMatch(/^E0502 broken\.gz/);
  });
});

describe('CSV', () => {
  const csv = (text: string, selector = '') =>
    values(`${temporaryFile('table.csv', text)}${selector}`);
  test('numbers alone', () => {
    expect(csv('1,2\n3,-4e2\n')).toEqual({ type: 'number', shape: [2, 2], data: [1, 2, 3, -400] });
  });
  test('names, quotes, CRLF, a byte order mark, blank lines', () => {
    expect(csv('\uFEFF"a";"b"\r\n"1";2\r\n\r\n3;4').data).toEqual([1, 2, 3, 4]);
  });
  test('columns by name, number and range', () => {
    const text = 'a,b,c\n1,2,3\n4,5,6\n';
    expect(csv(text, ':c,1')).toEqual({ type: 'number', shape: [2, 2], data: [3, 1, 6, 4] });
    expect(csv(text, ':b-c').data).toEqual([2, 3, 5, 6]);
    expect(csv(text, ':b')).toEqual({ type: 'number', shape: [2], data: [2, 5] });
  });
  test('what is wrong has its line and column', () => {
    const problemOf = (text: string, selector = '') =>
      bad(load(`${temporaryFile('t.csv', text)}${selector}`)).split('\n')[0];
    expect(problemOf('a,b\n1,2\n3,red\n')).toBe(
      'E0502 t.csv line 3, column b: "red" is not a number',
    );
    expect(problemOf('1,2\n3,\n')).toBe('E0502 t.csv line 2, column 2: the field is empty');
    expect(problemOf('1,2\n3\n')).toBe('E0502 t.csv line 2 has 1 field, but line 1 has 2');
    expect(problemOf('a,b\n')).toBe('E0502 t.csv has column names but no rows');
    expect(problemOf('a,b\n1,2\n', ':d')).toBe('E0502 t.csv has no column d');
  });
});

describe('JSON', () => {
  test('nested lists', () => {
    expect(values(temporaryFile('x.json', '[[1, 2.5], [true, -3]]'))).toEqual({
      type: 'number',
      shape: [2, 2],
      data: [1, 2.5, 1, -3],
    });
  });
  test.each(['[[1], [2, 3]]', '[1, "a"]', '[1', '[[1], 2]', '[]', '{"a": 1}'])('%s', (text) => {
    expect(bad(load(temporaryFile('x.json', text)))).toMatch(/^E0502 x\.json/);
  });
});

describe('files', () => {
  test('missing, a folder, empty, unknown', () => {
    expect(bad(load('nowhere.npy'))).toBe(
      'E0501 nowhere.npy cannot be read: there is no such file',
    );
    expect(bad(load(import.meta.dirname))).toMatch(/^E0501 runtime cannot be read: it is a folder/);
    expect(bad(load(temporaryFile('empty.csv', '')))).toBe('E0502 empty.csv is empty');
    expect(bad(load(temporaryFile('thing.bin', Uint8Array.of(7, 0, 1, 2))))).toMatch(
      /^E0502 thing\.bin has a format that is not known/,
    );
  });

  test('no prefix of any file is taken for a whole one, and none crashes', () => {
    const names = ['f32.npy', 'two.npz', 'images-idx3-ubyte', 'reference.safetensors'];
    for (const name of names) {
      const whole = readFileSync(fixture(name));
      for (let length = 0; length < whole.length; length += 7) {
        const cut = load(temporaryFile(name, whole.subarray(0, length)), 'x');
        expect(isProblem(cut), `${name} cut to ${length} bytes`).toBe(true);
      }
    }
  });
});

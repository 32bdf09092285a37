// NumPy's files: one array (.npy, https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html) or a zip of them (.npz).

import { unzipSync } from 'fflate';

import type { Tensor } from '../../compiler/ir/tensor.ts';
import { isProblem, problem, type Problem } from '../problem.ts';
import {
  elementsOf,
  readElements,
  viewOf,
  type ArrayData,
  type ArrayFile,
  type StoredType,
} from './array.ts';

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

export const looksLikeNpy = (bytes: Uint8Array): boolean => magic.every((b, i) => bytes[i] === b);

export const looksLikeZip = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);

const types: Readonly<Record<string, StoredType>> = {
  b1: 'bool',
  u1: 'uint8',
  i1: 'int8',
  u2: 'uint16',
  i2: 'int16',
  u4: 'uint32',
  i4: 'int32',
  u8: 'uint64',
  i8: 'int64',
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
};

interface Header {
  readonly descr: string;
  readonly fortran: boolean;
  readonly shape: readonly number[];
}

/** The header is a Python dictionary with three known keys. */
function parseHeader(text: string): Header | null {
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  const fortran = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
  const shape = /'shape':\s*\(([\d\s,L]*)\)/.exec(text)?.[1];
  if (descr === undefined || fortran === undefined || shape === undefined) return null;
  const sizes = shape.match(/\d+/g) ?? [];
  return { descr, fortran: fortran === 'True', shape: sizes.map(Number) };
}

export function readNpy(path: string, bytes: Uint8Array): ArrayFile | Problem {
  const view = viewOf(bytes);
  const wide = bytes[6] >= 2;
  const start = wide ? 12 : 10;
  if (!looksLikeNpy(bytes))
    return problem('E0502', path, 'is not a .npy file: its first bytes differ');
  if (bytes.length < start) return problem('E0502', path, 'ends inside its header');
  const body = start + (wide ? view.getUint32(8, true) : view.getUint16(8, true));
  if (bytes.length < body) return problem('E0502', path, 'ends inside its header');
  const header = parseHeader(new TextDecoder('latin1').decode(bytes.subarray(start, body)));
  if (header === null)
    return problem(
      'E0502',
      path,
      'holds records or a header that is not understood',
      'save one plain array: numpy.save(file, array)',
    );
  const { descr, fortran, shape } = header;
  const type = types[descr.slice(1)];
  if (type === undefined || !'<>|='.includes(descr[0]))
    return problem(
      'E0502',
      path,
      `holds elements of type '${descr}', which is not a number type that can be read`,
      `convert it first, as in array.astype('float32')`,
    );
  const stated = { type, shape, little: descr[0] !== '>' };
  const stored = readElements(path, bytes.subarray(body), stated, 'make it again');
  if (isProblem(stored)) return stored;
  return {
    kind: 'array',
    type,
    shape,
    data: fortran && shape.length > 1 ? toRowMajor(stored, shape) : stored,
  };
}

/** Column-major (first axis fastest) to row-major. */
function toRowMajor(data: ArrayData, shape: readonly number[]): ArrayData {
  const out = data.slice();
  const index = shape.map(() => 0);
  const strides = shape.map((_, axis) => elementsOf(shape.slice(0, axis)));
  for (let i = 0; i < out.length; i++) {
    let from = 0;
    for (let axis = 0; axis < shape.length; axis++) from += index[axis] * strides[axis];
    out[i] = data[from];
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--)
      index[axis] = 0;
  }
  return out;
}

/** Every array of a .npz, by name. */
export function readNpz(path: string, bytes: Uint8Array): ReadonlyMap<string, ArrayFile> | Problem {
  let entries: Readonly<Record<string, Uint8Array>>;
  try {
    entries = unzipSync(bytes);
  } catch (error) {
    return problem(
      'E0502',
      path,
      `is not a whole zip file: ${error instanceof Error ? error.message : String(error)}`,
      'the file is cut short or damaged; make it again',
    );
  }
  const arrays = new Map<string, ArrayFile>();
  for (const [name, content] of Object.entries(entries)) {
    if (!name.endsWith('.npy')) continue;
    const array = readNpy(`${path}:${name.slice(0, -4)}`, content);
    if (array.kind === 'problem') return array;
    arrays.set(name.slice(0, -4), array);
  }
  return arrays;
}

/** NumPy's name of the type of the elements, in this machine's byte order. */
function descrOf({ dtype, data }: Tensor): string {
  const order = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? '<' : '>';
  if (dtype === 'bool') return '|b1';
  if (dtype === 'f32') return `${order}f${data.BYTES_PER_ELEMENT}`;
  return `${order}${dtype === 'i32' ? 'i' : 'u'}4`;
}

/** The tensor as a .npy file, version 1.0: the header is filled up so that the elements begin at a multiple of 64. */
export function npyOf(value: Tensor): Uint8Array {
  const { shape, data } = value;
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descrOf(value)}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const start = Math.ceil((10 + text.length + 1) / 64) * 64;
  const header = `${text.padEnd(start - 11)}\n`;
  const bytes = new Uint8Array(start + data.byteLength);
  bytes.set([...magic, 1, 0]);
  viewOf(bytes).setUint16(8, header.length, true);
  bytes.set(new TextEncoder().encode(header), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  return bytes;
}

// IDX, the format of the MNIST files: two zero bytes, a type, the number of axes, the sizes as big-endian u32, the elements.

import { isProblem, problem, type Problem } from '../problem.ts';
import { readElements, viewOf, type ArrayFile, type StoredType } from './array.ts';

const types: Readonly<Record<number, StoredType>> = {
  0x08: 'uint8',
  0x09: 'int8',
  0x0b: 'int16',
  0x0c: 'int32',
  0x0d: 'float32',
  0x0e: 'float64',
};

export const looksLikeIdx = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && bytes[0] === 0 && bytes[1] === 0 && bytes[2] in types && bytes[3] > 0;

export function readIdx(path: string, bytes: Uint8Array): ArrayFile | Problem {
  if (!looksLikeIdx(bytes))
    return problem('E0502', path, 'is not an IDX file: its first four bytes differ');
  const view = viewOf(bytes);
  const rank = bytes[3];
  const start = 4 + 4 * rank;
  if (bytes.length < start)
    return problem('E0502', path, `ends inside its header: an IDX file is cut short`);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const type = types[bytes[2]];
  const body = bytes.subarray(start);
  const data = readElements(path, body, { type, shape, little: false }, 'fetch it again');
  return isProblem(data) ? data : { kind: 'array', type, shape, data };
}

// Arrays as files hold them: what every loader returns, before it is checked against a declaration.

import { plural, problem, showSizes, type Problem } from '../problem.ts';

/** Integers of 64 bits come as the nearest float64, reals of 16 bits as float32. */
export type ArrayData =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** The element types that the loaders know; `number` is text without a type (CSV, JSON). */
export type ElementType =
  | 'bool'
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'uint32'
  | 'int32'
  | 'int64'
  | 'uint64'
  | 'float16'
  | 'bfloat16'
  | 'float32'
  | 'float64'
  | 'number';

/** Those that files of bytes have. */
export type StoredType = Exclude<ElementType, 'number'>;

/** Row-major elements. */
export interface ArrayFile {
  readonly kind: 'array';
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data: ArrayData;
}

/** What one kind of element takes in a file, and how its bytes become numbers. */
interface Codec {
  readonly bytes: number;
  readonly read: (view: DataView, length: number, little: boolean) => ArrayData;
}

/** One of JavaScript's typed arrays. */
interface Numbers {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): ArrayData;
  new (buffer: ArrayBuffer): ArrayData;
}

type Get = (view: DataView, at: number, little: boolean) => number;

/** Elements of so many bytes, one by one into another array. */
const converted = (bytes: number, Into: Numbers, get: Get): Codec => ({
  bytes,
  read(view, length, little) {
    const out = new Into(length);
    for (let i = 0; i < length; i++) out[i] = get(view, i * bytes, little);
    return out;
  },
});

/** A file in this machine's byte order is copied whole: 47 MB of pixels or weights should not go one by one. */
function codec(Into: Numbers, get: Get): Codec {
  const bytes = Into.BYTES_PER_ELEMENT;
  const slow = converted(bytes, Into, get);
  return {
    bytes,
    read: (view, length, little) =>
      little === hostIsLittle || bytes === 1
        ? new Into(
            new Uint8Array(view.buffer, view.byteOffset, length * bytes).slice()
              .buffer as ArrayBuffer,
          )
        : slow.read(view, length, little),
  };
}

const hostIsLittle = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

const bytesOf = codec(Uint8Array, (v, at) => v.getUint8(at));

/** The number that the bits are in IEEE 754 half precision. */
export function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The bits of the nearest half, of two as near the even one. */
export function halfBits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  // Halfway between the largest half and the power of two that would follow.
  if (size >= 65520) return sign | 0x7c00;
  // Below 2^-14 halves lie as far apart as above it. Where the logarithm is rounded to the next whole number, so is the fraction.
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const exact = size * 2 ** (10 - exponent);
  const below = Math.floor(exact);
  const rest = exact - below;
  const fraction = rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
  // A fraction of 2048 is 1024 of the next exponent.
  return sign | ((exponent + 14) * 1024 + fraction);
}

const word = new DataView(new ArrayBuffer(4));

/** The float32 whose upper half the bits are. */
function upperHalf(bits: number): number {
  word.setUint16(0, bits);
  return word.getFloat32(0);
}

export const codecs: Readonly<Record<StoredType, Codec>> = {
  bool: bytesOf,
  uint8: bytesOf,
  int8: codec(Int8Array, (v, at) => v.getInt8(at)),
  uint16: codec(Uint16Array, (v, at, little) => v.getUint16(at, little)),
  int16: codec(Int16Array, (v, at, little) => v.getInt16(at, little)),
  uint32: codec(Uint32Array, (v, at, little) => v.getUint32(at, little)),
  int32: codec(Int32Array, (v, at, little) => v.getInt32(at, little)),
  int64: converted(8, Float64Array, (v, at, little) => Number(v.getBigInt64(at, little))),
  uint64: converted(8, Float64Array, (v, at, little) => Number(v.getBigUint64(at, little))),
  float16: converted(2, Float32Array, (v, at, little) => half(v.getUint16(at, little))),
  bfloat16: converted(2, Float32Array, (v, at, little) => upperHalf(v.getUint16(at, little))),
  float32: codec(Float32Array, (v, at, little) => v.getFloat32(at, little)),
  float64: codec(Float64Array, (v, at, little) => v.getFloat64(at, little)),
};

/** The product of a shape that a file states; Infinity where it is beyond all memory, so that no file can ask for it. */
export function elementsOf(shape: readonly number[]): number {
  const product = shape.reduce((a, b) => a * b, 1);
  return Number.isSafeInteger(product) ? product : Infinity;
}

/** A view of bytes at any offset. */
export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** All bytes behind a header as the elements that it states; `remedy` is what to do about a file that has more or fewer. */
export function readElements(
  path: string,
  bytes: Uint8Array,
  { type, shape, little }: { type: StoredType; shape: readonly number[]; little: boolean },
  remedy: string,
): ArrayData | Problem {
  const length = elementsOf(shape);
  const expected = length * codecs[type].bytes;
  if (bytes.length === expected) return codecs[type].read(viewOf(bytes), length, little);
  return problem(
    'E0502',
    path,
    `holds ${plural(bytes.length, 'byte')} of elements, but its header says ${showSizes(shape)} of ${type}, ` +
      `which are ${plural(expected, 'byte')}`,
    `the file is cut short or damaged; ${remedy}`,
  );
}

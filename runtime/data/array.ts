// Arrays as files hold them: what every loader returns, before it is checked against a declaration.

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

const reader =
  (
    bytes: number,
    make: (length: number) => ArrayData,
    get: (view: DataView, at: number, little: boolean) => number,
  ): Codec['read'] =>
  (view, length, little) => {
    const out = make(length);
    for (let i = 0; i < length; i++) out[i] = get(view, i * bytes, little);
    return out;
  };

/** A file in this machine's byte order is copied whole: 47 MB of pixels or weights should not go one by one. */
const direct =
  (bytes: number, whole: (buffer: ArrayBuffer) => ArrayData, slow: Codec['read']): Codec['read'] =>
  (view, length, little) =>
    little === hostIsLittle || bytes === 1
      ? whole(
          new Uint8Array(view.buffer, view.byteOffset, length * bytes).slice()
            .buffer as ArrayBuffer,
        )
      : slow(view, length, little);

const hostIsLittle = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

const codec = (
  bytes: number,
  whole: (buffer: ArrayBuffer) => ArrayData,
  make: (length: number) => ArrayData,
  get: (view: DataView, at: number, little: boolean) => number,
): Codec => ({ bytes, read: direct(bytes, whole, reader(bytes, make, get)) });

const converted = (
  bytes: number,
  make: (length: number) => ArrayData,
  get: (view: DataView, at: number, little: boolean) => number,
): Codec => ({ bytes, read: reader(bytes, make, get) });

const bytesOf = codec(
  1,
  (b) => new Uint8Array(b),
  (n) => new Uint8Array(n),
  (v, at) => v.getUint8(at),
);
const doubles = (n: number): Float64Array => new Float64Array(n);

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

export const codecs: Readonly<Record<Exclude<ElementType, 'number'>, Codec>> = {
  bool: bytesOf,
  uint8: bytesOf,
  int8: codec(
    1,
    (b) => new Int8Array(b),
    (n) => new Int8Array(n),
    (v, at) => v.getInt8(at),
  ),
  uint16: codec(
    2,
    (b) => new Uint16Array(b),
    (n) => new Uint16Array(n),
    (v, at, little) => v.getUint16(at, little),
  ),
  int16: codec(
    2,
    (b) => new Int16Array(b),
    (n) => new Int16Array(n),
    (v, at, little) => v.getInt16(at, little),
  ),
  uint32: codec(
    4,
    (b) => new Uint32Array(b),
    (n) => new Uint32Array(n),
    (v, at, little) => v.getUint32(at, little),
  ),
  int32: codec(
    4,
    (b) => new Int32Array(b),
    (n) => new Int32Array(n),
    (v, at, little) => v.getInt32(at, little),
  ),
  int64: converted(8, doubles, (v, at, little) => Number(v.getBigInt64(at, little))),
  uint64: converted(8, doubles, (v, at, little) => Number(v.getBigUint64(at, little))),
  float16: converted(
    2,
    (n) => new Float32Array(n),
    (v, at, little) => half(v.getUint16(at, little)),
  ),
  bfloat16: converted(
    2,
    (n) => new Float32Array(n),
    (v, at, little) => upperHalf(v.getUint16(at, little)),
  ),
  float32: codec(
    4,
    (b) => new Float32Array(b),
    (n) => new Float32Array(n),
    (v, at, little) => v.getFloat32(at, little),
  ),
  float64: codec(
    8,
    (b) => new Float64Array(b),
    (n) => new Float64Array(n),
    (v, at, little) => v.getFloat64(at, little),
  ),
};

/** The product of a shape that a file states; Infinity where it is beyond all memory, so that no file can ask for it. */
export function elementsOf(shape: readonly number[]): number {
  const product = shape.reduce((a, b) => a * b, 1);
  return Number.isSafeInteger(product) ? product : Infinity;
}

/** A view of bytes at any offset. */
export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

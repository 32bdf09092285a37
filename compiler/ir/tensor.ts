// Concrete tensors: what the interpreter computes with, constants hold, and executors take and give.

/** Element types. Reals are f32 on every target; the interpreter may hold them in float64 as a reference. */
export type DType = 'f32' | 'i32' | 'u32' | 'bool';

/** The least and the greatest value there is. */
export const least: Readonly<Record<DType, number>> = {
  f32: -Infinity,
  i32: -(2 ** 31),
  u32: 0,
  bool: 0,
};
export const greatest: Readonly<Record<DType, number>> = {
  f32: Infinity,
  i32: 2 ** 31 - 1,
  u32: 2 ** 32 - 1,
  bool: 1,
};

export type TensorData = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array;

/** Row-major elements; `data.length` is the product of `shape`. Booleans are 0 and 1 in a Uint8Array. */
export interface Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** How the interpreter holds `f32`: rounded after every operation as the targets do, or in float64. */
export type Precision = 'f32' | 'f64';

/** A zeroed array for `size` elements of `dtype`. */
export function allocate(dtype: DType, size: number, precision: Precision = 'f32'): TensorData {
  return constructors[dtype](size, precision);
}

const constructors: Readonly<Record<DType, (size: number, precision: Precision) => TensorData>> = {
  f32: (size, precision) => (precision === 'f64' ? new Float64Array(size) : new Float32Array(size)),
  i32: (size) => new Int32Array(size),
  u32: (size) => new Uint32Array(size),
  bool: (size) => new Uint8Array(size),
};

/** The number of elements of a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** A tensor from plain numbers (booleans as 0 and 1); the length must fit the shape. */
export function tensor(
  dtype: DType,
  shape: readonly number[],
  values: ArrayLike<number>,
  precision: Precision = 'f32',
): Tensor {
  if (values.length !== sizeOf(shape))
    throw new RangeError(`${values.length} values do not fill [${shape.join(', ')}]`);
  const data = allocate(dtype, values.length, precision);
  data.set(values);
  return { dtype, shape, data };
}

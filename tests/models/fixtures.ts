// The reference values of the standard library, which tests/fixtures/make-models.py writes from JAX and NumPy.

import { readFileSync } from 'node:fs';

import { expect } from 'vitest';

import type { DType, Tensor } from '../../compiler/ir/tensor.ts';
import { sizeOf, tensor } from '../../compiler/ir/tensor.ts';
import { expectClose } from '../ir/expect-close.ts';

/** See make-models.py: whole, drawn from a hash, or a sample with the norm. */
export type Stored = { readonly shape: readonly number[] } & (
  | { readonly data: readonly number[] }
  | { readonly seed: number; readonly scale: number }
  | { readonly every: number; readonly data: readonly number[]; readonly norm: number }
);

type StoredByName = Readonly<Record<string, Stored>>;

export interface ModelFixture {
  /** Data by name; parameters by path, which has a dot. */
  readonly reals: StoredByName;
  readonly integers: StoredByName;
  readonly y: Stored;
  /** The cotangent, and the gradient of sum(u * y) with respect to each of `reals`; none for metrics. */
  readonly u?: Stored;
  readonly gradients?: StoredByName;
  /** States before and, in training, after. */
  readonly states?: StoredByName;
  readonly next?: StoredByName;
}

interface Fixtures {
  readonly cases: Readonly<Record<string, ModelFixture>>;
  readonly optimisers: {
    readonly x: Stored;
    readonly t: Stored;
    readonly first: StoredByName;
    readonly runs: Readonly<Record<string, { losses: Stored; weights: StoredByName }>>;
  };
}

const file = new URL('../fixtures/models.json', import.meta.url);

export const fixtures = JSON.parse(readFileSync(file, 'utf8')) as Fixtures;

/** The tensor, reals in float64. A sample cannot be restored. */
export function restore(stored: Stored, dtype: DType = 'f32'): Tensor {
  if ('seed' in stored) return drawn(stored);
  if ('every' in stored) throw new Error('only a sample of the tensor is stored');
  return tensor(dtype, stored.shape, stored.data, 'f64');
}

/** The hash of make-models.py. */
function drawn({ shape, seed, scale }: Extract<Stored, { seed: number }>): Tensor {
  const values = Array.from({ length: sizeOf(shape) }, (_, k) => {
    let h = Math.imul(k + seed * 1000003 + 1, 2654435761) >>> 0;
    h = Math.imul(h ^ (h >>> 16), 2246822507) >>> 0;
    h = Math.imul(h ^ (h >>> 13), 3266489909) >>> 0;
    return (((h ^ (h >>> 16)) >>> 0) / 2 ** 32) * 2 * scale - scale;
  });
  return tensor('f32', shape, values, 'f64');
}

/** Fails unless the tensor is the stored one, within `tolerance` of its scale. */
export function expectStored(
  actual: Tensor | undefined,
  stored: Stored,
  tolerance: number,
  what: string,
): void {
  if (!('every' in stored)) return expectClose(actual, restore(stored), tolerance, what);
  expect(actual?.shape, `shape of ${what}`).toEqual(stored.shape);
  const data = Array.from(actual?.data ?? []);
  const sample = data.filter((_, k) => k % stored.every === 0);
  const of = (values: readonly number[]): Tensor => tensor('f32', [values.length], values, 'f64');
  expectClose(of(sample), of(stored.data), tolerance, `sample of ${what}`);
  expectClose(of([Math.hypot(...data)]), of([stored.norm]), tolerance, `norm of ${what}`);
}

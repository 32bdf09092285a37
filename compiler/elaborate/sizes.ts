// Sizes and types of the typed program as they are in one use: variables and packs replaced by what the environment has.

import type { Environment } from '../builtins/elaboration.ts';
import type { Base, TensorType, Type } from '../check/types.ts';
import { multiply, one, substitute } from '../dims/arithmetic.ts';
import type { Dim, PackVar } from '../dims/dim.ts';
import type { Shape } from '../dims/shape.ts';
import type { DType } from '../ir/tensor.ts';

const numels = new WeakMap<Environment['packs'], ReadonlyMap<PackVar, Dim>>();

/** The products of the packs, once an environment. */
function numelsOf(packs: Environment['packs']): ReadonlyMap<PackVar, Dim> {
  let products = numels.get(packs);
  if (products === undefined) {
    products = new Map([...packs].map(([pack, sizes]) => [pack, sizes.reduce(multiply, one)]));
    numels.set(packs, products);
  }
  return products;
}

export const resolveDim = (dim: Dim, environment: Environment): Dim =>
  substitute(dim, environment.dims, numelsOf(environment.packs));

/** The sizes of a shape, packs spelt out. */
export const resolveShape = (shape: Shape, environment: Environment): Dim[] =>
  shape.flatMap((axis) => {
    if (axis.kind === 'size') return [resolveDim(axis.size, environment)];
    const sizes = environment.packs.get(axis.pack);
    if (sizes === undefined) throw new Error(`the pack ..${axis.pack.name} is not bound`);
    return [...sizes];
  });

const dtypes: Readonly<Record<Base['kind'], DType>> = {
  real: 'f32',
  int: 'i32',
  fin: 'i32',
  bool: 'bool',
};

export const dtypeOfBase = (base: Base): DType => dtypes[base.kind];

/** The element type of an expression that is a tensor by the checker. */
export function dtypeOfType(type: Type): DType {
  return dtypeOfBase(tensorTypeOf(type).base);
}

export function tensorTypeOf(type: Type): TensorType {
  if (type.kind !== 'tensor') throw new Error(`a ${type.kind} type where a tensor is expected`);
  return type;
}

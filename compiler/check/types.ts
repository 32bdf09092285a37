// The types of the language, with symbolic sizes.

import type { Dim, DimVar, PackVar } from '../dims/dim.ts';
import type { Shape } from '../dims/shape.ts';
import type { Local, TypedModel } from './typed.ts';

export type Base =
  | { readonly kind: 'real' }
  | { readonly kind: 'int' }
  | { readonly kind: 'bool' }
  /** An integer in 0..size-1. */
  | { readonly kind: 'fin'; readonly size: Dim };

export type Type =
  | TensorType
  | TupleType
  | FunctionType
  | InstanceType
  | ParamsType
  /** What a broken expression has: it fits everything, so that one cause is reported once. */
  | { readonly kind: 'unknown' };

/** A tensor; a scalar has the empty shape. */
export interface TensorType {
  readonly kind: 'tensor';
  readonly base: Base;
  readonly shape: Shape;
}

/** Tuples and records; a record's fields are named. */
export interface TupleType {
  readonly kind: 'tuple';
  readonly fields: readonly { readonly name: string | null; readonly type: Type }[];
  /** Of the type `mdp`: how many states and actions there are, its members `S` and `A`. */
  readonly spaces?: ReadonlyMap<string, Dim>;
}

/** `([..S, n]) -> [..S, m]`: sizes first named in it are bound by it, so it is instantiated at every call. */
export interface FunctionType {
  readonly kind: 'function';
  readonly quantified: readonly (DimVar | PackVar)[];
  readonly parameters: readonly { readonly name: string | null; readonly type: Type }[];
  readonly result: Type;
}

/** A layer, a schedule, a decision process: a model with its sizes chosen. */
export interface InstanceType {
  readonly kind: 'instance';
  readonly model: TypedModel;
  readonly bindings: Bindings;
}

/**
 * All parameters of a layer as one value: `params(net)`. Of a function that is a parameter (`f` in `params(f)`) the structure is
 * known at each call only.
 */
export interface ParamsType {
  readonly kind: 'params';
  readonly of: InstanceType | { readonly kind: 'function-parameter'; readonly local: Local };
}

/** What each size variable and pack of a definition stands for at a use. */
export interface Bindings {
  readonly dims: ReadonlyMap<DimVar, Dim>;
  readonly packs: ReadonlyMap<PackVar, Shape>;
}

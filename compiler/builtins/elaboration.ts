// What a builtin's elaboration works on: values of the language at elaboration time. Tensors carry the index variables
// they vary along as labelled leading axes, so that one definition serves whole tensors and index notation alike.

import type { Index, Local, TypedExpression, TypedFunction, TypedModel } from '../check/typed.ts';
import type { Type } from '../check/types.ts';
import type { Dim, DimVar, PackVar } from '../dims/dim.ts';
import type { Builder } from '../ir/builder-types.ts';
import type { Value } from '../ir/graph.ts';

export type Elaborated =
  | TensorValue
  /** A scalar known now; becomes a constant where a tensor is needed. Booleans are static too: `training`. */
  | { readonly kind: 'number'; readonly value: number; readonly integer: boolean }
  | { readonly kind: 'boolean'; readonly value: boolean }
  /** A size that depends on a free dimension. */
  | { readonly kind: 'dim'; readonly dim: Dim }
  | { readonly kind: 'tuple'; readonly items: readonly Elaborated[] }
  | { readonly kind: 'closure'; readonly function: TypedFunction; readonly environment: Environment }
  | { readonly kind: 'builtin'; readonly builtin: { readonly name: string } }
  | InstanceValue
  | { readonly kind: 'layers'; readonly items: readonly InstanceValue[] };

/** The first `labels.length` axes of `value` are indices of enclosing index notation; the rest are the tensor's own. */
export interface TensorValue {
  readonly kind: 'tensor';
  readonly value: Value;
  readonly labels: readonly Label[];
}

/** An index variable as a labelled axis; a pack index is one label an axis of the pack. */
export interface Label {
  readonly index: Index;
  /** Which axis of the pack; 0 for a plain index. */
  readonly position: number;
  readonly size: Dim;
}

/** A model with concrete sizes and hyper-parameters, at one path. */
export interface InstanceValue {
  readonly kind: 'instance';
  readonly model: TypedModel;
  /** `net.enc.l1`: the prefix of its parameters' names. */
  readonly path: string;
  readonly environment: Environment;
}

/** What names mean while a body runs. */
export interface Environment {
  readonly dims: ReadonlyMap<DimVar, Dim>;
  readonly packs: ReadonlyMap<PackVar, readonly Dim[]>;
  readonly locals: ReadonlyMap<Local, Elaborated>;
  readonly self: InstanceValue | null;
}

export interface BuiltinElaboration {
  readonly builder: Builder;
  readonly arguments: readonly Elaborated[];
  readonly expressions: readonly TypedExpression[];
  /** The result's type, sizes still those of the definition; `dims` and `shape` resolve them. */
  readonly type: Type;
  readonly data: unknown;
  readonly environment: Environment;
}

// What a builtin's elaboration works on: values of the language at elaboration time. Tensors carry the index variables
// they vary along as labelled leading axes, so that one definition serves whole tensors and index notation alike.

import type { Span } from '../../grammar/source.ts';
import type {
  Index,
  Local,
  TypedExpression,
  TypedFunction,
  TypedModel,
  TypedStatement,
} from '../check/typed.ts';
import type { Type } from '../check/types.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { Dim, DimVar, PackVar } from '../dims/dim.ts';
import type { Builder } from '../ir/builder-types.ts';
import type { Value } from '../ir/graph.ts';

export type Elaborated =
  | TensorValue
  | NumberValue
  | BooleanValue
  | DimValue
  | TupleValue
  /** `owner` is the instance whose parameters it sees; null at top level. */
  | {
      readonly kind: 'closure';
      readonly function: TypedFunction;
      readonly owner: InstanceValue | null;
    }
  | { readonly kind: 'builtin'; readonly builtin: Callable }
  | InstanceValue
  | { readonly kind: 'layers'; readonly items: readonly InstanceValue[] };

/** A scalar known now; becomes a constant where a tensor is needed. */
export interface NumberValue {
  readonly kind: 'number';
  readonly value: number;
  readonly integer: boolean;
}

/** Booleans are static too: `training`. */
export interface BooleanValue {
  readonly kind: 'boolean';
  readonly value: boolean;
}

/** An integer that depends on a free size. */
export interface DimValue {
  readonly kind: 'dim';
  readonly dim: Dim;
}

export interface TupleValue {
  readonly kind: 'tuple';
  readonly items: readonly Elaborated[];
}

/** The part of a `Builtin` that elaboration needs. */
export interface Callable {
  readonly name: string;
  readonly elaborate: (call: BuiltinElaboration) => Elaborated;
}

/** The first `labels.length` axes of `value` are indices of enclosing index notation; the rest are the tensor's own. */
export interface TensorValue {
  readonly kind: 'tensor';
  readonly value: Value;
  readonly labels: readonly Label[];
}

/**
 * One axis of an index variable in one evaluation of the index notation that binds it (a pack's index has one label an axis).
 * Identity is `id`; ids grow, so sorting by them gives outer before inner and the order of the left side's axes.
 */
export interface Label {
  readonly id: number;
  readonly name: string;
  readonly size: Dim;
}

/** A model with concrete sizes and hyper-parameters, at one path. */
export interface InstanceValue {
  readonly kind: 'instance';
  readonly model: TypedModel;
  /** `net.enc.l1`: the prefix of its parameters' names. */
  readonly path: string;
  readonly environment: Environment;
  /** The path whose first values its own are: that of what a moving average follows, else `path`. */
  readonly firstAt: string;
  /** What its parameters are instead of those at its path: in `net(x with w)`. */
  readonly other: OtherParameters | null;
}

/** Parameters by path that stand in for a layer's own while a call runs. */
export interface OtherParameters {
  /** Tells it from others, for what the call does with states: it leaves the layer's own alone. */
  readonly id: number;
  readonly values: ReadonlyMap<string, TensorValue>;
  readonly instances: Map<string, InstanceValue>;
  /** Those of the layer around, where a layer inside gets others again. */
  readonly around: OtherParameters | null;
}

/** What names mean while a body runs. */
export interface Environment {
  readonly dims: ReadonlyMap<DimVar, Dim>;
  readonly packs: ReadonlyMap<PackVar, readonly Dim[]>;
  readonly locals: ReadonlyMap<Local, Elaborated>;
  readonly indices: ReadonlyMap<Index, readonly Label[]>;
  readonly self: InstanceValue | null;
  /** The body that runs, for Jacobians, which run it again; empty outside of functions. */
  readonly statements: readonly TypedStatement[];
  /** Whose work this is, for the origins of nodes: the innermost instance around it. */
  readonly path: string;
}

export interface BuiltinElaboration {
  readonly builder: Builder;
  readonly arguments: readonly Elaborated[];
  /** The result's type, sizes still those of the definition; `size` resolves them. */
  readonly type: Type;
  /** What the type rule worked out. */
  readonly data: unknown;
  readonly expressions: readonly TypedExpression[];
  /** A size of the definition as it is in this use. */
  readonly size: (dim: Dim) => Dim;
  /** Remembers that `value` is `source` with zeros around and between its elements; convolutions take them in. */
  readonly padded: (value: Value, padding: ZeroPadding) => void;
  /** Gives up the graph, with a diagnostic at the call. */
  readonly refuse: (at: (span: Span) => Diagnostic) => never;
}

/** `value` = pad(source, 0, low, high, interior), one entry an axis of `source`. */
export interface ZeroPadding {
  readonly source: Value;
  readonly low: readonly Dim[];
  readonly high: readonly Dim[];
  readonly interior: readonly Dim[];
}

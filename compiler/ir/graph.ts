// The intermediate representation: typed, pure, in static single assignment. A graph is a list of nodes in
// topological order; a value is made once, by an input port or a node. Shapes are dimension expressions, so a free batch size
// stays symbolic through differentiation down to both targets. See docs/ir.md.

import type { Span } from '../../grammar/source.ts';
import type { Dim } from '../dims/dim.ts';
import type { DType, Tensor } from './tensor.ts';

export interface TensorType {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
}

/** One tensor. Identity is the object; `id` is unique within a builder's graph, for printing. */
export interface Value extends TensorType {
  readonly id: number;
}

/** Where a node comes from: the module path (`net.enc.l1`) and the source text. */
export interface Origin {
  readonly path: string;
  readonly span: Span | null;
}

export type Attribute =
  | number
  | string
  | boolean
  | Dim
  | Tensor
  | Graph
  | readonly Attribute[]
  | { readonly [key: string]: Attribute };

export type Attributes = Readonly<Record<string, Attribute>>;

export interface Node {
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
  readonly origin: Origin;
}

/**
 * What an input or output is for:
 * - `data`: the caller's tensors; `parameter`, `optimizer`, `state`, `counter`: fed back from output to input every step;
 * - `seed`: a u32 scalar; `size`: an i32 scalar, the value of a free size that no shape shows;
 * - `loss`, `report`: scalars to show; `solved`: a bool scalar, whether an equation was solved; `result`: what an export fn returns.
 */
export type Role =
  | 'data'
  | 'parameter'
  | 'optimizer'
  | 'state'
  | 'counter'
  | 'seed'
  | 'size'
  | 'loss'
  | 'report'
  | 'solved'
  | 'result';

/** A named end of the graph. Names are source paths: `net.l1.W`; its value after the step is `net.l1.W.next`. */
export interface Port {
  readonly name: string;
  readonly role: Role;
  readonly value: Value;
  /** Of an input of role `size`: what its value is. */
  readonly size?: Dim;
}

export interface Graph {
  readonly name: string;
  readonly inputs: readonly Port[];
  readonly nodes: readonly Node[];
  readonly outputs: readonly Port[];
}

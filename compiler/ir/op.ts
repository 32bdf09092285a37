// What an operation is: one record that holds its type rule, gradient, reference evaluation, ONNX and WGSL
// lowerings, documentation and test cases. Families of records stand in ir/ops/; ir/registry.ts collects them. A record never imports
// another: gradients are written against the `Builder` of builder-types.ts, lowerings against the `OnnxBuilder`.

import type { Dim } from '../dims/dim.ts';
import type { OnnxAttribute, OnnxBuilder } from '../emit/onnx/builder-types.ts';
import type { WgslLowering } from '../emit/wgsl/lowering.ts';
import type { Builder } from './builder-types.ts';
import type { Attributes, Graph, TensorType, Value } from './graph.ts';
import type { DType, Precision, Tensor, TensorData } from './tensor.ts';

export interface Op<A extends Attributes = Attributes> {
  /** StableHLO's name where it has the operation. */
  readonly name: string;
  /** What it computes, with the formula; the generated reference prints it. Cite the source of the semantics. */
  readonly doc: string;
  readonly operands: readonly string[];
  /**
   * Present where element i of the output depends on element i of each operand alone: such an operation may move before a
   * broadcast. `stretching`: its ONNX operators stretch operands themselves, so that a broadcast need not be carried out.
   */
  readonly elementwise?: 'aligned' | 'stretching';
  /** Output types, or a sentence that says what is wrong (an internal error by then: the checker has proved shapes). */
  readonly type: (inputs: readonly TensorType[], attributes: A) => readonly TensorType[] | string;
  readonly gradient: Gradient<A>;
  /** Reference semantics; reals are float64 or float32 as `precision` says. */
  readonly evaluate: (context: Evaluation<A>) => readonly Tensor[];
  /** Emits nodes that compute the outputs; returns their names, one an output. */
  readonly onnx: (context: OnnxLowering<A>) => readonly string[];
  /** How an element of the outputs comes from elements of the operands; emit/wgsl/lowering.ts explains the kinds. */
  readonly wgsl: WgslLowering<A>;
  /** Conformance cases: every operand shape, odd sizes and size 1 included. */
  readonly cases: readonly Case<A>[];
}

export type Gradient<A extends Attributes> =
  | {
      readonly kind: 'rule';
      readonly rule: (context: Differentiation<A>) => readonly (Value | null)[];
    }
  /** No derivative exists or it is zero everywhere: cotangents stop here. `why` is shown to users. */
  | { readonly kind: 'none'; readonly why: string };

export interface Differentiation<A extends Attributes> {
  readonly builder: Builder;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: A;
  /** One an output; null where nothing depends on it. At least one is not null. */
  readonly cotangents: readonly (Value | null)[];
  /** Which inputs' cotangents are wanted; others may be returned as null to save work. */
  readonly wanted: readonly boolean[];
  /** The pullback of a body, from cotangents of the outputs `given` marks to those of the inputs `wanted` marks. */
  readonly pullBack: (
    body: Graph,
    given: readonly boolean[],
    wanted: readonly boolean[],
  ) => Pullback;
  /** Gives the node other attributes, with which it has further outputs after those it has; these are the result. */
  readonly extend: (attributes: Attributes) => readonly Value[];
}

export interface Pullback {
  /** Inputs: the body's, then the cotangents of the outputs given. Outputs: the body's, then cotangents of inputs. */
  readonly graph: Graph;
  /** Which output of the graph is the cotangent of an input of the body; null where nothing depends on it, or it is not wanted. */
  readonly cotangents: readonly (number | null)[];
}

export interface Evaluation<A extends Attributes> {
  readonly inputs: readonly Tensor[];
  readonly attributes: A;
  /** The output types with their dimensions evaluated. */
  readonly outputs: readonly { readonly dtype: DType; readonly shape: readonly number[] }[];
  readonly precision: Precision;
  readonly allocate: (dtype: DType, size: number) => TensorData;
  readonly dim: (dim: Dim) => number;
  /** The results of a body. */
  readonly run: (body: Graph, inputs: readonly Tensor[]) => readonly Tensor[];
}

export interface OnnxLowering<A extends Attributes> {
  readonly onnx: OnnxBuilder;
  /** Names of the operand tensors. */
  readonly names: readonly string[];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: A;
  /** A subgraph, as the attribute that holds it: `write` appends what it computes and returns its results. */
  readonly subgraph: (write: (inner: OnnxSubgraph) => readonly OnnxResult[]) => OnnxAttribute;
}

/** A result of a subgraph. ONNX Runtime wants its shape where a subgraph stands in another (2026, 1.30). */
export type OnnxResult = readonly [name: string, type: TensorType];

/** Writes a subgraph. It reads names of the graphs around as they are. */
export interface OnnxSubgraph extends OnnxBuilder {
  /** A new input of the subgraph, named after `base`. */
  input(
    base: string,
    type: { readonly dtype: DType | 'i64'; readonly shape: readonly Dim[] },
  ): string;
  /** Appends the nodes of `body`, whose inputs have these names; its results. */
  body(body: Graph, names: readonly string[]): readonly OnnxResult[];
}

export interface Case<A extends Attributes> {
  readonly name: string;
  readonly attributes: A;
  /** Operand types with concrete sizes. */
  readonly inputs: readonly { readonly dtype: DType; readonly shape: readonly number[] }[];
  /** Where to draw real operands from, to stay off kinks and poles; one range for all. Default [-2, 2]. */
  readonly range?: readonly [number, number];
  /** Integer operands are drawn from 0..bound-1. Default 3. */
  readonly bound?: number;
  /** Its entry in tests/fixtures/*ops.json; default `<operation>/<case name>`. */
  readonly fixture?: string;
}

/** An operation that no gradient passes, with the reason a person reads. */
export const notDifferentiable = (
  why: string,
): { readonly kind: 'none'; readonly why: string } => ({
  kind: 'none',
  why,
});

/**
 * Declares a record, checked against its own attribute type `A`, and forgets `A`: the registry holds records of all
 * attribute types side by side. A node's attributes are made by the typed builder, so they are what its record expects.
 */
export const defineOp = <A extends Attributes>(op: Op<A>): Op => op as unknown as Op;

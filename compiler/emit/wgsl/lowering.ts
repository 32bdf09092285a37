// How an operation computes in WGSL: the field `wgsl` of every op record (compiler/ir/op.ts). A lowering never writes a kernel. It
// says how ONE element of the result comes from elements of the operands, by `read`; the scheduler decides which values get a buffer,
// and everything between them is fused by calling lowerings inside one another. Six kinds:
//
// - `map`: an element of each output from a few elements of the operands. Elementwise operations give an expression
//   (`elementwise`); views give nothing but the index to read at (`view`); anything else writes statements with `code`.
// - `reduce`: axes folded into accumulators. Reductions over the same rows, and what lies between them, share one kernel.
// - `contract`: a sum of products over (batch, row, column, sum) indices: matrix products and convolutions. Tiled kernels call the
//   two loaders, so a transpose or a window in front costs nothing, and write through `output`.
// - `composite`: written in other operations, with the builder; expanded before anything is scheduled. The way for an operation
//   that needs no kernel of its own.
// - `literal`: a tensor known when the program is built.
// - `loop`: a body that runs again and again on the GPU, its carries in buffers.
//
// An operation whose element needs a loop over a whole operand (scatter, cumulative sum, sort) is a `map` with cost `whole`: correct
// as it stands, one thread an element, its operands in buffers.

import type { Dim } from '../../dims/dim.ts';
import type { Builder } from '../../ir/builder-types.ts';
import type { Attributes, Graph, TensorType, Value } from '../../ir/graph.ts';
import type { DType, Tensor } from '../../ir/tensor.ts';
import type { Index } from './indices.ts';

export type WgslLowering<A extends Attributes = Attributes> =
  Mapping<A> | Reduction<A> | Contraction<A> | Composite<A> | Literal<A> | Loop<A>;

/**
 * What an element costs, which decides whether it may be computed again for a second consumer:
 * - `free`: a view; - `cheap`: a few arithmetic instructions; - `dear`: a transcendental function: again where that spares a way through
 *   memory; - `long`: a cipher, a window: once only;
 * - `whole`: a loop over an operand: a kernel that is fused with nothing before it.
 */
export type Cost = 'free' | 'cheap' | 'dear' | 'long' | 'whole';

export interface Mapping<A extends Attributes> {
  readonly kind: 'map';
  /** Of a sum of windows: by how they lie. */
  readonly cost: Cost | ((attributes: A) => 'cheap' | 'long');
  /** An expression for the element of each output; all outputs have one shape. */
  readonly element: (context: Element<A>) => readonly string[];
}

export interface Element<A extends Attributes> {
  readonly inputs: readonly TensorType[];
  readonly outputs: readonly TensorType[];
  readonly attributes: A;
  /** Which element is wanted, one index an axis of the outputs. */
  readonly index: readonly Index[];
  /** The element of an operand there: an expression of the operand's type. Inside a guard, only read where the guard holds. */
  readonly read: (operand: number, index: readonly Index[]) => string;
  readonly code: Code;
}

export interface Reduction<A extends Attributes> {
  readonly kind: 'reduce';
  readonly axes: (attributes: A) => readonly number[];
  readonly fold: (x: TensorType, attributes: A) => Fold;
}

/** Accumulators, side by side: an arg_max keeps a value and its position. `combine` is associative and commutative. */
export interface Fold {
  readonly accumulators: readonly { readonly dtype: DType; readonly initial: number }[];
  /** What the element `x` adds, one expression an accumulator; `position` counts along the reduced axes, row-major. */
  readonly element: (x: string, position: string) => readonly string[];
  readonly combine: (a: readonly string[], b: readonly string[], code: Code) => readonly string[];
  /** Which accumulator is the result. */
  readonly result: number;
}

export interface Contraction<A extends Attributes> {
  readonly kind: 'contract';
  readonly product: (context: {
    readonly inputs: readonly TensorType[];
    readonly outputs: readonly TensorType[];
    readonly attributes: A;
  }) => Product;
}

/**
 * `output[batch, row, column] = sum over k of lhs(batch, row, k) * rhs(batch, k, column)`. Each space is a list of axes, so that a
 * window stays [channel, tap, tap]; a kernel numbers them row-major. lhs and rhs are the loaders of the two factors, each of one
 * operand; 0 where a window lies outside.
 */
export interface Product {
  readonly batch: readonly Dim[];
  readonly rows: readonly Dim[];
  readonly columns: readonly Dim[];
  readonly sum: readonly Dim[];
  readonly lhs: (at: ProductIndex<'rows'>, source: Source) => string;
  readonly rhs: (at: ProductIndex<'columns'>, source: Source) => string;
  /** Where in the output the element belongs. */
  readonly output: (
    batch: readonly Index[],
    row: readonly Index[],
    column: readonly Index[],
  ) => readonly Index[];
}

export type ProductIndex<Space extends 'rows' | 'columns'> = Readonly<
  Record<'batch' | 'sum' | Space, readonly Index[]>
>;

/** What the loaders of a contraction read from: the operands, and the code around the read. */
export type Source = Pick<Element<Attributes>, 'read' | 'code'>;

export interface Composite<A extends Attributes> {
  readonly kind: 'composite';
  readonly expand: (builder: Builder, inputs: readonly Value[], attributes: A) => readonly Value[];
}

export interface Literal<A extends Attributes> {
  readonly kind: 'literal';
  readonly value: (attributes: A) => Tensor;
}

export interface Loop<A extends Attributes> {
  readonly kind: 'loop';
  readonly steps: (attributes: A) => Steps;
}

/**
 * The body's inputs: t, the carries, one row of each x, then what it reads whole. Its outputs: the next carries, then a row of each y or,
 * where a test ends the loop, whether it is done; then the results also count the steps.
 */
export interface Steps {
  readonly body: Graph;
  readonly carries: number;
  readonly xs: number;
  /** How many steps, or at most how many. */
  readonly count: Dim;
  readonly reverse: boolean;
  readonly endedByTest: boolean;
}

/** Writes the statements of a kernel where the element is computed. Names are made unique. */
export interface Code {
  /** `let name = expression`, and the name. */
  readonly bind: (hint: string, expression: string) => string;
  /** `var name: type = initial`, and the name. */
  readonly variable: (hint: string, dtype: DType, initial: string) => string;
  readonly assign: (variable: string, expression: string) => void;
  /** `for (var t = 0u; t < count; t++) { body }`. */
  readonly loop: (hint: string, count: Dim, body: (t: Index) => void) => void;
  /** `if (condition) { body }`. A condition of null always holds. */
  readonly when: (condition: string | null, body: () => void) => void;
  /** Whichever of two expressions; each may be computed where it is not wanted. */
  readonly choose: (
    dtype: DType,
    condition: string | null,
    then: () => string,
    otherwise: () => string,
  ) => string;
  /** `i < bound` for an index that may have wrapped below 0; null where it surely holds, `false` where it surely does not. */
  readonly below: (i: Index, bound: Dim) => string | null;
  /** A u32 expression, known to be below `bound`, as an index. */
  readonly index: (hint: string, expression: string, bound: Dim) => Index;
  /** An index or a size as a u32 expression. */
  readonly text: (i: Index) => string;
  /** A call of a helper of helpers.ts, which is then part of the kernel. */
  readonly call: (helper: string, ...operands: readonly string[]) => string;
}

/** The condition that never holds. */
export const never = 'false';

/** All of several conditions; null where all surely hold. */
export function all(conditions: readonly (string | null)[]): string | null {
  const open = conditions.filter((c) => c !== null);
  if (open.length === 0) return null;
  if (open.includes(never)) return never;
  return open.length === 1 ? open[0] : open.map((c) => `(${c})`).join(' & ');
}

/** An elementwise operation: the expression of an element from those of the operands. */
export const elementwise = <A extends Attributes>(
  cost: 'cheap' | 'dear',
  expression: (
    operands: readonly string[],
    context: Pick<Element<A>, 'inputs' | 'outputs' | 'attributes' | 'code'>,
  ) => string,
): Mapping<A> => ({
  kind: 'map',
  cost,
  element: (context) => [
    expression(
      context.inputs.map((_, operand) => context.read(operand, context.index)),
      context,
    ),
  ],
});

/** A view of the first operand: where element `index` of the result lies in it. */
export const view = <A extends Attributes>(
  source: (
    index: readonly Index[],
    context: Pick<Element<A>, 'inputs' | 'outputs' | 'attributes' | 'code'>,
  ) => readonly Index[],
): Mapping<A> => ({
  kind: 'map',
  cost: 'free',
  element: (context) => [context.read(0, source(context.index, context))],
});

// The builder's interface: appends typed nodes to a graph under construction. Gradient rules, composites, the
// elaborator and the passes all write through it. An interface of its own, so that op records can name it without importing the registry.

import type { Dim } from '../dims/dim.ts';
import type { Attributes, Node, Origin, Port, Role, TensorType, Value } from './graph.ts';
import type { DType, Tensor } from './tensor.ts';

export type Comparison = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge';
export type Reduction = 'add' | 'multiply' | 'max' | 'min' | 'and' | 'or';

export interface DotDimensions {
  readonly lhsBatch: readonly number[];
  readonly rhsBatch: readonly number[];
  readonly lhsContracting: readonly number[];
  readonly rhsContracting: readonly number[];
}

/** One entry a spatial axis. Sizes in elements; `padding` may be negative (it crops). */
export interface ConvolutionWindow {
  readonly strides: readonly Dim[];
  readonly padding: readonly { readonly low: Dim; readonly high: Dim }[];
  readonly lhsDilation: readonly Dim[];
  readonly rhsDilation: readonly Dim[];
}

/** A window over the named axes: `size`, `stride` and `dilation` one an axis; no padding (pad first). */
export interface Window {
  readonly axes: readonly number[];
  readonly sizes: readonly Dim[];
  readonly strides: readonly Dim[];
  readonly dilations: readonly Dim[];
}

/** One step of a `scan`, at index `t`: the next carries, and this step's row of each of the ys. */
export type LoopBody = (
  b: Builder,
  t: Value,
  carries: readonly Value[],
  slices: readonly Value[],
) => { readonly carries: readonly Value[]; readonly ys: readonly Value[] };

/**
 * Bodies (of `scan`, `whileLoop`, `implicit`, `customJvp`) are graphs of their own, written through the builder they are given.
 * They may read any value of the graphs around them: what they read becomes an operand by itself.
 */
export interface Builder {
  /** Appends `op`; its type rule gives the outputs' types. Throws on an ill-typed node: callers have proved shapes. */
  emit(op: string, inputs: readonly Value[], attributes?: Attributes): readonly Value[];
  /** `size`: what an input of role `size` is the value of. */
  input(name: string, role: Role, type: TensorType, size?: Dim): Value;
  output(name: string, role: Role, value: Value): void;
  /** Runs `body` with every node it appends marked as from `origin`. */
  at<T>(origin: Origin, body: () => T): T;
  readonly nodes: readonly Node[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];

  // constants
  constant(tensor: Tensor): Value;
  /** A scalar constant, of shape []. */
  scalar(value: number, dtype?: DType): Value;
  /** `value` in every element. */
  full(value: number, shape: readonly Dim[], dtype?: DType): Value;
  /** 0, 1, ... along `axis` of `shape`. */
  iota(shape: readonly Dim[], axis: number, dtype?: DType): Value;
  /** A size as an i32 (or f32) scalar. */
  dim(dim: Dim, dtype?: DType): Value;

  // elementwise, equal shapes (broadcast first)
  unary(op: UnaryName, x: Value): Value;
  negate(x: Value): Value;
  exp(x: Value): Value;
  log(x: Value): Value;
  sqrt(x: Value): Value;
  add(a: Value, b: Value): Value;
  subtract(a: Value, b: Value): Value;
  multiply(a: Value, b: Value): Value;
  divide(a: Value, b: Value): Value;
  binary(op: BinaryName, a: Value, b: Value): Value;
  compare(direction: Comparison, a: Value, b: Value): Value;
  select(predicate: Value, onTrue: Value, onFalse: Value): Value;
  convert(x: Value, dtype: DType): Value;
  stopGradient(x: Value): Value;

  // shapes
  /** Axis i of `x` becomes axis `axes[i]` of `shape`; the other axes repeat it. Sizes match exactly: nothing stretches. */
  broadcastInDim(x: Value, shape: readonly Dim[], axes: readonly number[]): Value;
  /** A scalar (shape []) repeated over `shape`. */
  fill(x: Value, shape: readonly Dim[]): Value;
  reshape(x: Value, shape: readonly Dim[]): Value;
  transpose(x: Value, permutation: readonly number[]): Value;
  reverse(x: Value, axes: readonly number[]): Value;
  slice(x: Value, starts: readonly Dim[], limits: readonly Dim[], strides?: readonly Dim[]): Value;
  /** `value` is a scalar; low, high may be negative; `interior` zeros between elements. */
  pad(
    x: Value,
    value: Value,
    low: readonly Dim[],
    high: readonly Dim[],
    interior?: readonly Dim[],
  ): Value;
  concatenate(parts: readonly Value[], axis: number): Value;

  // reductions and contractions
  reduce(kind: Reduction, x: Value, axes: readonly number[]): Value;
  /** Index of the first largest (smallest) element along `axis`, i32; the axis goes. */
  argMax(x: Value, axis: number): Value;
  argMin(x: Value, axis: number): Value;
  /** Positions along the last axis in ascending order, i32; equal elements stay in theirs. */
  argSort(x: Value): Value;
  cumsum(
    x: Value,
    axis: number,
    options?: { readonly reverse?: boolean; readonly exclusive?: boolean },
  ): Value;
  /** Batch axes first, then the free axes of lhs, then of rhs (StableHLO dot_general). */
  dotGeneral(lhs: Value, rhs: Value, dimensions: DotDimensions): Value;
  /** x [N, C, spatial...], w [O, C/groups, spatial...] -> [N, O, spatial...]. */
  convolution(x: Value, w: Value, window: ConvolutionWindow, groups: Dim): Value;

  // windows and indices
  /** Windows over `axes` as new trailing axes, one a windowed axis; the windowed axes count windows. */
  unfold(x: Value, window: Window): Value;
  /** The transpose of unfold: overlapping windows are summed into `shape`. */
  fold(x: Value, window: Window, shape: readonly Dim[]): Value;
  /**
   * `x[.., indices, ..]`: axis `axis` of x (removed) is read at `indices` (any shape, inserted there). In range by proof.
   * Gathers of several axes flatten first; StableHLO's general form is not needed.
   */
  take(x: Value, indices: Value, axis: number): Value;
  /** zeros of `shape`, with `updates` added at `indices` along `axis`: the transpose of take. Duplicates accumulate. */
  scatterAdd(indices: Value, updates: Value, axis: number, shape: readonly Dim[]): Value;
  /** Where each of 0 .. size - 1 stands last in `indices`, which has one axis; -1 where nowhere. */
  lastPosition(indices: Value, size: Dim): Value;

  // loops and rules of derivatives
  /**
   * Runs `body` for t = 0..count-1, or count-1..0 where `reverse`; it sees t (an i32 scalar), the carries and row t of each of
   * xs. The ys are stacked along a new first axis of size `count`, row t made by step t whatever the direction.
   * Its derivative keeps what it needs of each step; with `recompute`, the carries alone.
   */
  scan(
    count: Dim,
    init: readonly Value[],
    xs: readonly Value[],
    body: LoopBody,
    options?: { readonly reverse?: boolean; readonly recompute?: boolean },
  ): { readonly carries: readonly Value[]; readonly ys: readonly Value[] };
  /**
   * Repeats `body` until `done` (a bool scalar, computed after the step) or `limit` steps; carries keep their types. Results: the last
   * carries, how many steps ran (i32), and whether `done` was reached. It has no derivative.
   */
  whileLoop(
    limit: Dim,
    init: readonly Value[],
    body: (
      b: Builder,
      t: Value,
      carries: readonly Value[],
    ) => { readonly carries: readonly Value[]; readonly done: Value },
  ): { readonly carries: readonly Value[]; readonly steps: Value; readonly done: Value };
  /**
   * z itself, differentiated as the solution of f(z) = z (`fixed_point`) or of f(z) = 0 (`root`: element i of f depends on
   * element i of z alone) by what f reads from outside. By z itself the derivative is 0. `tolerance` and `limit` are for the solution of
   * the adjoint equation.
   */
  implicit(
    kind: 'fixed_point' | 'root',
    z: readonly Value[],
    f: (b: Builder, z: readonly Value[]) => readonly Value[],
    options: { readonly tolerance: number; readonly limit: number },
  ): readonly Value[];
  /** y itself, with the derivative dy = rule(xs, dxs), linear in dxs. By what else the rule reads the derivative of y is 0. */
  customJvp(
    y: Value,
    xs: readonly Value[],
    rule: (b: Builder, xs: readonly Value[], dxs: readonly Value[]) => Value,
  ): Value;

  // composites with native encodings
  softmax(x: Value, axis: number): Value;
  logSoftmax(x: Value, axis: number): Value;
  /**
   * d y / d xs as a marker, expanded by transform/differentiate: one result a value of xs, of its shape. y is a scalar, or has the shape
   * of `along`, and then the derivatives are those of sum(y * along), `along` taken as constant.
   */
  gradient(y: Value, xs: readonly Value[], along?: Value): readonly Value[];
  /** `x` as a value of its own, which no rewriting before `differentiate` merges or sees through: the x of a `gradient`. */
  variable(x: Value): Value;
}

export type UnaryName =
  | 'negate'
  | 'abs'
  | 'sign'
  | 'exponential'
  | 'log'
  | 'expm1'
  | 'log1p'
  | 'sqrt'
  | 'rsqrt'
  | 'sine'
  | 'cosine'
  | 'tanh'
  | 'logistic'
  | 'erf'
  | 'floor'
  | 'ceil'
  | 'round_even'
  | 'not';

export type BinaryName =
  | 'add'
  | 'subtract'
  | 'multiply'
  | 'divide'
  | 'power'
  | 'maximum'
  | 'minimum'
  | 'remainder'
  | 'atan2'
  | 'and'
  | 'or'
  | 'xor'
  | 'shift_left'
  | 'shift_right_logical';

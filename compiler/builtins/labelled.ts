// Arithmetic of labelled tensors: every operation lines up the index variables of its arguments by label and their own
// axes from the right, and spreads each over the union. Builtins and the elaborator write all their operations through this.

import { constant, isConstant } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import type { Builder, Reduction } from '../ir/builder-types.ts';
import type { Value } from '../ir/graph.ts';
import type { DType } from '../ir/tensor.ts';
import type { Elaborated, Label, NumberValue, TensorValue } from './elaboration.ts';

export const tensorOf = (value: Value, labels: readonly Label[] = []): TensorValue => ({
  kind: 'tensor',
  value,
  labels,
});

export const numberOf = (value: number, integer = false): NumberValue => ({
  kind: 'number',
  value,
  integer,
});

/** A size as a value: a number where it is known. */
export function sizeValue(dim: Dim): Elaborated {
  const value = isConstant(dim);
  return value === null ? { kind: 'dim', dim } : numberOf(value, true);
}

/** The number of axes that are the tensor's own. */
export const ownRank = (t: TensorValue): number => t.value.shape.length - t.labels.length;

export const ownShape = (t: TensorValue): readonly Dim[] => t.value.shape.slice(t.labels.length);

/** Axes of `value` by the tensor's own axis. */
export const ownAxis = (t: TensorValue, axis: number): number => t.labels.length + axis;

/** A value of the language as a tensor. Numbers and sizes become scalars of `dtype`; a tensor of another type is converted. */
export function asTensor(builder: Builder, value: Elaborated, dtype: DType): TensorValue {
  switch (value.kind) {
    case 'tensor':
      return value.value.dtype === dtype
        ? value
        : { ...value, value: builder.convert(value.value, dtype) };
    case 'number':
      return tensorOf(builder.scalar(value.value, dtype));
    case 'boolean':
      return tensorOf(builder.scalar(value.value ? 1 : 0, dtype));
    case 'dim':
      return tensorOf(builder.dim(value.dim, dtype));
    default:
      throw new Error(`a ${value.kind} is no tensor`);
  }
}

/** The element type that a value has or would have. */
export function dtypeOf(value: Elaborated): DType {
  switch (value.kind) {
    case 'tensor':
      return value.value.dtype;
    case 'number':
      return value.integer ? 'i32' : 'f32';
    case 'boolean':
      return 'bool';
    case 'dim':
      return 'i32';
    default:
      throw new Error(`a ${value.kind} has no element type`);
  }
}

/** The labels of all, outer first. */
export function unionOfLabels(tensors: readonly { readonly labels: readonly Label[] }[]): Label[] {
  const byId = new Map(tensors.flatMap((t) => t.labels.map((label) => [label.id, label])));
  return [...byId.values()].sort((a, b) => a.id - b.id);
}

/** `t` with its axes permuted so that its labels come in the given order, which names exactly them. */
export function withLabelOrder(
  builder: Builder,
  t: TensorValue,
  labels: readonly Label[],
): TensorValue {
  const order = labels.map((label) => labelAxis(t, label));
  const own = t.value.shape.map((_, axis) => axis).slice(labels.length);
  return tensorOf(builder.transpose(t.value, [...order, ...own]), labels);
}

/** The axis of a label, -1 where `t` does not vary along it. */
export const labelAxis = (t: TensorValue, label: Label): number =>
  t.labels.findIndex((l) => l.id === label.id);

export const varies = (t: { readonly labels: readonly Label[] }, label: Label): boolean =>
  t.labels.some((l) => l.id === label.id);

/**
 * `t` repeated over `labels` (a superset of its own, in any order) and over `own`, of which its own shape is a suffix: the
 * value with axes [labels.., own..].
 */
export function spread(
  builder: Builder,
  t: TensorValue,
  labels: readonly Label[],
  own: readonly Dim[],
): Value {
  const present = labels.filter((label) => varies(t, label));
  const ordered = withLabelOrder(builder, t, present);
  const skipped = own.length - ownRank(t);
  const axes = [
    ...present.map((label) => labels.findIndex((l) => l.id === label.id)),
    ...ownShape(t).map((_, axis) => labels.length + skipped + axis),
  ];
  return builder.broadcastInDim(ordered.value, [...labels.map((l) => l.size), ...own], axes);
}

/** An elementwise operation: `apply` gets equal shapes. */
export function elementwise(
  builder: Builder,
  tensors: readonly TensorValue[],
  apply: (...values: Value[]) => Value,
): TensorValue {
  const labels = unionOfLabels(tensors);
  const own = tensors
    .map(ownShape)
    .reduce((longest, shape) => (shape.length > longest.length ? shape : longest), []);
  return tensorOf(apply(...tensors.map((t) => spread(builder, t, labels, own))), labels);
}

/** A reduction over the tensor's own axes, all if none are named. */
export function reduceOwn(
  builder: Builder,
  kind: Reduction,
  t: TensorValue,
  axes: readonly number[] = ownShape(t).map((_, axis) => axis),
): TensorValue {
  return tensorOf(
    builder.reduce(
      kind,
      t.value,
      axes.map((axis) => ownAxis(t, axis)),
    ),
    t.labels,
  );
}

/** A reduction along index variables, which all occur in `t`. */
export function reduceLabels(
  builder: Builder,
  kind: Reduction,
  t: TensorValue,
  over: readonly Label[],
): TensorValue {
  const gone = new Set(over.map((label) => label.id));
  return tensorOf(
    builder.reduce(
      kind,
      t.value,
      over.map((label) => labelAxis(t, label)),
    ),
    t.labels.filter((label) => !gone.has(label.id)),
  );
}

/** `t` with its own axes replaced by a reshape to `shape`. */
export const reshapeOwn = (builder: Builder, t: TensorValue, shape: readonly Dim[]): TensorValue =>
  tensorOf(builder.reshape(t.value, [...t.labels.map((l) => l.size), ...shape]), t.labels);

/** `t` with its own axes permuted. */
export const transposeOwn = (
  builder: Builder,
  t: TensorValue,
  permutation: readonly number[],
): TensorValue =>
  tensorOf(
    builder.transpose(t.value, [
      ...t.labels.map((_, axis) => axis),
      ...permutation.map((axis) => ownAxis(t, axis)),
    ]),
    t.labels,
  );

/** Starts, limits or paddings of all axes of `t`: `value` at the own axes listed in `at`, `otherwise` elsewhere. */
export function perAxis(
  t: TensorValue,
  otherwise: (size: Dim) => Dim,
  at: ReadonlyMap<number, Dim>,
): Dim[] {
  return t.value.shape.map((size, axis) => at.get(axis - t.labels.length) ?? otherwise(size));
}

/** The part `from <= i < to` of one own axis. */
export function sliceOwn(
  builder: Builder,
  t: TensorValue,
  axis: number,
  from: Dim,
  to: Dim,
  stride: Dim = constant(1),
): TensorValue {
  const starts = perAxis(t, () => constant(0), new Map([[axis, from]]));
  const limits = perAxis(t, (size) => size, new Map([[axis, to]]));
  const strides = perAxis(t, () => constant(1), new Map([[axis, stride]]));
  return tensorOf(builder.slice(t.value, starts, limits, strides), t.labels);
}

// The matrix product `a @ b`, by rank: vectors and matrices in every combination, and stacks of matrices.

import { showDim } from '../dims/show.ts';
import type { Builder } from '../ir/builder-types.ts';
import type { Builtin, BuiltinCall, BuiltinResult } from './builtin.ts';
import type { BuiltinElaboration, Elaborated, Label, TensorValue } from './elaboration.ts';
import { asTensor, ownAxis, ownRank, tensorOf, varies, withLabelOrder } from './labelled.ts';
import {
  isNumeric,
  lastSize,
  real,
  refuse,
  tensorArguments,
  tensorType,
  sameAxes,
} from './type-tools.ts';

const signature =
  'a @ b: [..B, n, k] @ [k, m], [..B, n, k] @ [..B, k, m], [..B, k] @ [k, m], [n, k] @ [k]';

function rule(call: BuiltinCall): BuiltinResult | null {
  const given = tensorArguments(call, signature, 2);
  if (given.kind === 'refused') return given.result;
  const [a, b] = given.tensors;
  const wrong = given.tensors.find((t) => !isNumeric(t.type) || t.type.shape.length === 0);
  if (wrong !== undefined)
    return refuse(call, signature, `this is ${call.showType(wrong.type)}, not a matrix`, wrong);
  const [left, right] = [a.type.shape, b.type.shape];
  const inner = lastSize(left);
  const row = right.length === 1 ? right[0] : right[right.length - 2];
  if (inner === null || row.kind !== 'size')
    return refuse(call, signature, 'the axis to sum over is inside a pack');
  if (call.sameSize(inner, row.size).kind !== 'proved') {
    const why = `the last axis of the left side is ${showDim(inner)}, the rows of the right side are ${showDim(row.size)}`;
    return refuse(call, signature, why);
  }
  const batch = right.slice(0, -2);
  if (batch.length > 0 && !sameAxes(call, left.slice(0, -2), batch))
    return refuse(call, signature, 'the axes before the matrices differ');
  const shape =
    right.length === 1 ? left.slice(0, -1) : [...left.slice(0, -1), right[right.length - 1]];
  return { type: tensorType(real, shape), arguments: [call.toReal(a), call.toReal(b)] };
}

function elaborate({ builder, arguments: [left, right] }: BuiltinElaboration): Elaborated {
  const a = asTensor(builder, left, 'f32');
  const b = asTensor(builder, right, 'f32');
  return product(builder, a, b);
}

/** The matrix product of tensors whose own axes fit. */
export function product(builder: Builder, a: TensorValue, b: TensorValue): TensorValue {
  const stacked = Math.max(ownRank(b) - 2, 0);
  const shared = a.labels.filter((label) => varies(b, label));
  return contractMatrices(builder, a, b, shared, stacked);
}

/** Labels in both operands and the first `stacked` own axes are batch axes. */
function contractMatrices(
  builder: Builder,
  a: TensorValue,
  b: TensorValue,
  shared: readonly Label[],
  stacked: number,
): TensorValue {
  const first = (t: TensorValue): TensorValue =>
    withLabelOrder(builder, t, [...shared, ...t.labels.filter((l) => !shared.includes(l))]);
  const [x, y] = [first(a), first(b)];
  const batchOf = (t: TensorValue): number[] => [
    ...shared.map((_, i) => i),
    ...Array.from({ length: stacked }, (_, i) => ownAxis(t, i)),
  ];
  const value = builder.dotGeneral(x.value, y.value, {
    lhsBatch: batchOf(x),
    rhsBatch: batchOf(y),
    lhsContracting: [x.value.shape.length - 1],
    rhsContracting: [ownAxis(y, ownRank(y) === 1 ? 0 : ownRank(y) - 2)],
  });
  // [shared, stacked, labels of a, rest of a, labels of b, rest of b] -> labels first, then own axes.
  const [s, la, lb] = [
    shared.length,
    x.labels.length - shared.length,
    y.labels.length - shared.length,
  ];
  const restA = ownRank(x) - stacked - 1;
  const restB = ownRank(y) - stacked - 1;
  const range = (from: number, count: number): number[] =>
    Array.from({ length: count }, (_, i) => from + i);
  const afterStack = s + stacked;
  const permutation = [
    ...range(0, s),
    ...range(afterStack, la),
    ...range(afterStack + la + restA, lb),
    ...range(s, stacked),
    ...range(afterStack + la, restA),
    ...range(afterStack + la + restA + lb, restB),
  ];
  const labels = [...x.labels, ...y.labels.slice(s)];
  return tensorOf(builder.transpose(value, permutation), labels);
}

export const matmul: Builtin = {
  name: 'matmul',
  doc: 'The matrix product: the last axis of `a` is summed against the rows of `b`. With more axes, `b` is one matrix for all or one for each matrix of `a`.',
  signature,
  rule,
  elaborate,
};

// Triangular systems: forward and backward substitution. A system is halved until one unknown is left, so what is between is
// products of matrices: n = 48 takes 47 of them, in 6 rounds.

import { constant, isConstant } from '../dims/arithmetic.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { E0720 } from '../diagnostics/elaboration.ts';
import type { Builder } from '../ir/builder-types.ts';
import type { Builtin, BuiltinCall, BuiltinResult } from './builtin.ts';
import type { TensorValue } from './elaboration.ts';
import {
  asTensor,
  elementwise,
  ownRank,
  ownShape,
  reshapeOwn,
  sliceOwn,
  spread,
  tensorOf,
  transposeOwn,
  unionOfLabels,
} from './labelled.ts';
import { product } from './matmul.ts';
import { lastSize, real, refuse, tensorArguments, tensorType } from './type-tools.ts';

type Triangle = 'lower' | 'upper';

const rule =
  (signature: string) =>
  (call: BuiltinCall): BuiltinResult | null => {
    const given = tensorArguments(call, signature, 2);
    if (given.kind === 'refused') return given.result;
    const [matrix, b] = given.tensors;
    const [rows, columns] = matrix.type.shape;
    const size = lastSize(b.type.shape);
    const square =
      matrix.type.shape.length === 2 &&
      rows.kind === 'size' &&
      columns.kind === 'size' &&
      call.sameSize(rows.size, columns.size).kind === 'proved';
    if (!square)
      return refuse(call, signature, `this is ${call.showType(matrix.type)}, not square`, matrix);
    if (size === null || call.sameSize(rows.size, size).kind !== 'proved')
      return refuse(call, signature, `the last axis is not that of the matrix`, b);
    const type = tensorType(real, b.type.shape);
    return { type, arguments: [call.toReal(matrix), call.toReal(b)] };
  };

/** The part of the last two axes of a matrix. */
const block = (
  builder: Builder,
  matrix: TensorValue,
  rows: readonly [number, number],
  columns: readonly [number, number],
): TensorValue => {
  const [first, second] = [rows, columns].map((range) => range.map(constant));
  const cut = sliceOwn(builder, matrix, 0, first[0], first[1]);
  return sliceOwn(builder, cut, 1, second[0], second[1]);
};

/** x with T x = b along the last axis of b, for the rows and columns `from..to-1` of T, whose part of b is given. */
function solve(
  builder: Builder,
  triangle: Triangle,
  matrix: TensorValue,
  b: TensorValue,
  [from, to]: readonly [number, number],
): TensorValue {
  if (to - from === 1) {
    const entry = reshapeOwn(builder, block(builder, matrix, [from, to], [from, to]), []);
    return elementwise(builder, [b, entry], (x, d) => builder.divide(x, d));
  }
  const middle = from + Math.ceil((to - from) / 2);
  const last = ownRank(b) - 1;
  const low = [from, middle] as const;
  const high = [middle, to] as const;
  const part = ([start, end]: readonly [number, number]): TensorValue =>
    sliceOwn(builder, b, last, constant(start - from), constant(end - from));
  const [first, second] = triangle === 'lower' ? [low, high] : [high, low];
  const x = solve(builder, triangle, matrix, part(first), first);
  const across = transposeOwn(builder, block(builder, matrix, second, first), [1, 0]);
  const known = product(builder, x, across);
  const rest = elementwise(builder, [part(second), known], (y, z) => builder.subtract(y, z));
  const y = solve(builder, triangle, matrix, rest, second);
  return joined(builder, triangle === 'lower' ? [x, y] : [y, x]);
}

function joined(builder: Builder, parts: readonly TensorValue[]): TensorValue {
  const labels = unionOfLabels(parts);
  const values = parts.map((part) => spread(builder, part, labels, ownShape(part)));
  return tensorOf(builder.concatenate(values, values[0].shape.length - 1), labels);
}

const solver = (triangle: Triangle): Builtin => {
  const name = `solve_${triangle}`;
  const signature = `${name}(T: [n, n], b: [..B, n]) -> [..B, n]`;
  const other = triangle === 'lower' ? 'above' : 'below';
  return {
    name,
    doc: `x with \`T x = b\` for a ${triangle} triangular matrix, by substitution; what stands ${other} the diagonal is not read.`,
    signature,
    rule: rule(signature),
    elaborate: ({ builder, arguments: [matrix, b], refuse: giveUp }) => {
      const [t, rhs] = [asTensor(builder, matrix, 'f32'), asTensor(builder, b, 'f32')];
      const size = isConstant(ownShape(t)[0]);
      if (size === null) return giveUp((span) => report(E0720, { span, data: { name } }));
      return solve(builder, triangle, t, rhs, [0, size]);
    },
  };
};

export const triangularBuiltins: readonly Builtin[] = [solver('lower'), solver('upper')];

// Which ONNX operators dot_general becomes: the common cases move nothing.

import { describe, expect, it } from 'vitest';

import { constant } from '../../../compiler/dims/arithmetic.ts';
import { createOnnxWriter } from '../../../compiler/emit/onnx/builder.ts';
import { dotGeneral } from '../../../compiler/emit/onnx/dot-general.ts';

interface Dot {
  readonly name: string;
  readonly lhs: readonly number[];
  readonly rhs: readonly number[];
  readonly batch?: readonly (readonly [number, number])[];
  readonly contract: readonly (readonly [number, number])[];
  readonly nodes: readonly string[];
}

const dots: readonly Dot[] = [
  { name: 'x W', lhs: [8, 5], rhs: [5, 3], contract: [[1, 0]], nodes: ['MatMul'] },
  { name: 'x W^T', lhs: [8, 5], rhs: [3, 5], contract: [[1, 1]], nodes: ['Gemm'] },
  { name: 'x^T g', lhs: [8, 5], rhs: [8, 3], contract: [[0, 0]], nodes: ['Gemm'] },
  { name: 'sequence by W', lhs: [8, 7, 5], rhs: [5, 3], contract: [[2, 0]], nodes: ['MatMul'] },
  {
    name: 'sequence by W^T',
    lhs: [8, 7, 5],
    rhs: [3, 5],
    contract: [[2, 1]],
    nodes: ['Reshape', 'Gemm', 'Reshape'],
  },
  {
    name: 'gradient of W on a sequence',
    lhs: [8, 7, 5],
    rhs: [8, 7, 3],
    contract: [
      [0, 0],
      [1, 1],
    ],
    nodes: ['Reshape', 'Reshape', 'Gemm'],
  },
  { name: 'matrix by vector', lhs: [8, 5], rhs: [5], contract: [[1, 0]], nodes: ['MatMul'] },
  { name: 'outer product', lhs: [8], rhs: [5], contract: [], nodes: ['Unsqueeze', 'Mul'] },
  {
    name: 'attention by heads',
    lhs: [2, 4, 7, 5],
    rhs: [2, 4, 7, 5],
    batch: [
      [0, 0],
      [1, 1],
    ],
    contract: [[3, 3]],
    // The Transpose is folded into the MatMul.
    nodes: ['Transpose', 'MatMul'],
  },
  {
    name: 'products of rows',
    lhs: [8, 5],
    rhs: [8, 5],
    batch: [[0, 0]],
    contract: [[1, 1]],
    nodes: ['Mul', 'ReduceSum'],
  },
];

describe('dot_general in ONNX', () => {
  it.each(dots)('$name', ({ lhs, rhs, batch = [], contract, nodes }) => {
    const onnx = createOnnxWriter(['a', 'b'], [], new Map());
    const operand = (name: string, shape: readonly number[]) =>
      ({ name, shape: shape.map(constant), dtype: 'f32' }) as const;
    dotGeneral(onnx, operand('a', lhs), operand('b', rhs), {
      lhsBatch: batch.map(([axis]) => axis),
      rhsBatch: batch.map(([, axis]) => axis),
      lhsContracting: contract.map(([axis]) => axis),
      rhsContracting: contract.map(([, axis]) => axis),
    });
    expect(onnx.nodeProtos.map(({ opType }) => opType)).toEqual(nodes);
  });
});

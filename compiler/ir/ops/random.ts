// Random bits: the Threefry-2x32 block cipher of Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3" (2011), 20 rounds, as
// JAX uses it. Integer operations only, so every target draws the same bits; the uniform and normal draws are built from it in
// builtins.

import type { OnnxBuilder } from '../../emit/onnx/builder-types.ts';
import { text } from '../../emit/onnx/shapes.ts';
import { defineOp, notDifferentiable } from '../op.ts';
import type { Op } from '../op.ts';
import { groups, parity, rotations, threefryBlock } from '../threefry.ts';
import { dtypesDiffer, shapesDiffer } from './type-rules.ts';

/**
 * The rounds as ONNX operators. A rotation is a product by 2^r and a right shift, added: a third faster than two shifts and an or
 * in ONNX Runtime 1.30 (there is no rotation operator).
 */
function blockOnnx(onnx: OnnxBuilder, inputs: readonly string[]): readonly string[] {
  const [key0, key1, x0, x1] = inputs;
  const u32 = (value: number): string => onnx.scalar(value, 'u32');
  const xor = (a: string, b: string): string => onnx.node('BitwiseXor', [a, b]);
  const plus = (a: string, b: string): string => onnx.node('Add', [a, b]);
  const rotate = (x: string, r: number): string =>
    plus(
      onnx.node('Mul', [x, u32(2 ** r)]),
      onnx.node('BitShift', [x, u32(32 - r)], { direction: text('RIGHT') }),
    );
  const keys = [key0, key1, xor(xor(key0, key1), u32(parity))];
  let a = plus(x0, key0);
  let b = plus(x1, key1);
  for (let group = 0; group < groups; group++) {
    for (const r of rotations[group % 2]) {
      a = plus(a, b);
      b = xor(rotate(b, r), a);
    }
    a = plus(a, keys[(group + 1) % 3]);
    b = plus(b, plus(keys[(group + 2) % 3], u32(group + 1)));
  }
  return [a, b];
}

const threefry = defineOp<Record<string, never>>({
  name: 'threefry2x32',
  doc: 'Two random words a position: the block (x0, x1) enciphered under the key (key0, key1) by Threefry-2x32 of 20 rounds (Salmon et al. 2011). Equal on every target, bit for bit.',
  operands: ['key0', 'key1', 'x0', 'x1'],
  type: (inputs) =>
    shapesDiffer(inputs, 4) ??
    dtypesDiffer(inputs, ['u32']) ?? [
      { dtype: 'u32', shape: inputs[0].shape },
      { dtype: 'u32', shape: inputs[0].shape },
    ],
  gradient: notDifferentiable('it acts on bits, which have no derivative'),
  evaluate: ({ inputs: [key0, key1, x0, x1], allocate }) => {
    const size = x0.data.length;
    const words = [allocate('u32', size), allocate('u32', size)];
    const out = new Uint32Array(2);
    for (let i = 0; i < size; i++) {
      threefryBlock(key0.data[i], key1.data[i], x0.data[i], x1.data[i], out);
      words[0][i] = out[0];
      words[1][i] = out[1];
    }
    return words.map((data) => ({ dtype: 'u32' as const, shape: x0.shape, data }));
  },
  onnx: ({ onnx, names }) => onnx.call('threefry2x32', names, 2, blockOnnx),
  wgsl: {
    kind: 'map',
    cost: 'long',
    element: ({ inputs, index, read, code }) => {
      const block = inputs.map((_, operand) => read(operand, index));
      const words = code.bind('words', code.call('threefry2x32', ...block));
      return [`${words}.x`, `${words}.y`];
    },
  },
  cases: [
    // The known answers distributed with Random123 (kat_vectors, threefry2x32 20).
    { name: 'Random123', shape: [3] },
    { name: 'scalar', shape: [] },
    { name: 'u32[5,1,7]', shape: [5, 1, 7] },
  ].map(({ name, shape }) => ({
    name,
    attributes: {},
    inputs: Array.from({ length: 4 }, () => ({ dtype: 'u32' as const, shape })),
    bound: 2 ** 32,
  })),
});

export const randomOps: readonly Op[] = [threefry];

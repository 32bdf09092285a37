// Comparison and choice, elementwise: what turns numbers into booleans and booleans into numbers.

import type { OnnxBuilder } from '../../emit/onnx/builder-types.ts';
import { bracketed } from '../../emit/wgsl/expressions.ts';
import { elementwise } from '../../emit/wgsl/lowering.ts';
import type { Comparison } from '../builder-types.ts';
import { defineOp, notDifferentiable } from '../op.ts';
import type { Op } from '../op.ts';
import type { DType } from '../tensor.ts';
import {
  dtypesDiffer,
  fullLike,
  numbers,
  shapesClash,
  shapesDiffer,
  throughInt64,
} from './type-rules.ts';

const directions: Readonly<
  Record<
    Comparison,
    {
      readonly holds: (a: number, b: number) => boolean;
      readonly onnx: string;
      readonly wgsl: string;
    }
  >
> = {
  eq: { holds: (a, b) => a === b, onnx: 'Equal', wgsl: '==' },
  ne: { holds: (a, b) => a !== b, onnx: 'NotEqual', wgsl: '!=' },
  lt: { holds: (a, b) => a < b, onnx: 'Less', wgsl: '<' },
  le: { holds: (a, b) => a <= b, onnx: 'LessOrEqual', wgsl: '<=' },
  gt: { holds: (a, b) => a > b, onnx: 'Greater', wgsl: '>' },
  ge: { holds: (a, b) => a >= b, onnx: 'GreaterOrEqual', wgsl: '>=' },
};

const compare = defineOp<{ readonly direction: Comparison }>({
  name: 'compare',
  doc: 'Whether a is eq, ne, lt, le, gt or ge b. Booleans are only equal or not. With NaN only ne holds.',
  operands: ['a', 'b'],
  elementwise: 'stretching',
  type: (inputs, { direction }) => {
    const ordered = direction !== 'eq' && direction !== 'ne';
    return (
      shapesDiffer(inputs, 2) ??
      dtypesDiffer(inputs, ordered ? numbers : [...numbers, 'bool']) ?? [
        { dtype: 'bool', shape: inputs[0].shape },
      ]
    );
  },
  gradient: notDifferentiable('its result is a boolean'),
  evaluate: ({ inputs: [a, b], attributes: { direction }, allocate }) => {
    const { holds } = directions[direction];
    const data = allocate('bool', a.data.length);
    for (let i = 0; i < data.length; i++) data[i] = holds(a.data[i], b.data[i]) ? 1 : 0;
    return [{ dtype: 'bool', shape: a.shape, data }];
  },
  onnx: ({ onnx, names, attributes: { direction } }) => [
    direction === 'ne'
      ? onnx.node('Not', [onnx.node('Equal', names)])
      : onnx.node(directions[direction].onnx, names),
  ],
  wgsl: elementwise('cheap', ([x, y], { attributes: { direction } }) => {
    const [a, b] = [bracketed(x), bracketed(y)];
    // Drivers that assume there is no NaN answer != wrongly, but not the negation of ==.
    return direction === 'ne' ? `!(${a} == ${b})` : `${a} ${directions[direction].wgsl} ${b}`;
  }),
  cases: (['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const).flatMap((direction) =>
    (direction === 'eq' || direction === 'ne' ? ([...numbers, 'bool'] as const) : numbers).map(
      (dtype) => ({
        name: `${direction} ${dtype}[3,1,5]`,
        attributes: { direction },
        inputs: [
          { dtype, shape: [3, 1, 5] },
          { dtype, shape: [3, 1, 5] },
        ],
      }),
    ),
  ),
});

/** Where has no kernel for u32 and bool in ONNX Runtime 1.30. */
function whereOnnx(onnx: OnnxBuilder, names: readonly string[], dtype: DType): string {
  const [predicate, onTrue, onFalse] = names;
  if (dtype === 'u32')
    return throughInt64(onnx, [onTrue, onFalse], (wide) =>
      onnx.node('Where', [predicate, ...wide]),
    );
  if (dtype === 'bool') {
    const otherwise = onnx.node('And', [onnx.node('Not', [predicate]), onFalse]);
    return onnx.node('Or', [onnx.node('And', [predicate, onTrue]), otherwise]);
  }
  return onnx.node('Where', names);
}

const select = defineOp<Record<string, never>>({
  name: 'select',
  doc: 'on_true where the predicate holds, else on_false. What is not chosen has no influence, not even NaN; its cotangent is 0.',
  operands: ['predicate', 'on_true', 'on_false'],
  elementwise: 'stretching',
  type: ([predicate, ...branches]) => {
    if (predicate?.dtype !== 'bool') return 'the predicate must be a boolean tensor';
    return (
      shapesDiffer(branches, 2) ??
      dtypesDiffer(branches, [...numbers, 'bool']) ??
      (shapesClash(predicate.shape, branches[0].shape)
        ? 'the predicate has another shape than the branches'
        : [{ dtype: branches[0].dtype, shape: branches[0].shape }])
    );
  },
  gradient: {
    kind: 'rule',
    rule: ({ builder: b, inputs: [predicate], cotangents: [g], wanted }) => {
      if (g === null) return [null, null, null];
      const zero = fullLike(b, 0, g);
      return [
        null,
        wanted[1] ? b.select(predicate, g, zero) : null,
        wanted[2] ? b.select(predicate, zero, g) : null,
      ];
    },
  },
  evaluate: ({ inputs: [predicate, onTrue, onFalse], allocate }) => {
    const data = allocate(onTrue.dtype, onTrue.data.length);
    for (let i = 0; i < data.length; i++)
      data[i] = (predicate.data[i] === 0 ? onFalse : onTrue).data[i];
    return [{ dtype: onTrue.dtype, shape: onTrue.shape, data }];
  },
  onnx: ({ onnx, names, inputs }) => [whereOnnx(onnx, names, inputs[1].dtype)],
  wgsl: elementwise(
    'cheap',
    ([predicate, onTrue, onFalse]) => `select(${onFalse}, ${onTrue}, ${predicate})`,
  ),
  cases: [
    ...([[], [1], [3, 1, 5]] as const).map((shape) => ({ dtype: 'f32' as const, shape })),
    ...(['i32', 'u32', 'bool'] as const).map((dtype) => ({ dtype, shape: [3, 1, 5] })),
  ].map((branch) => ({
    name: `${branch.dtype}[${branch.shape.join(',')}]`,
    attributes: {},
    inputs: [{ dtype: 'bool', shape: branch.shape }, branch, branch],
    bound: 1000,
  })),
});

export const logicOps: readonly Op[] = [compare, select];

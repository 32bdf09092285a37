// The operations arg_max and arg_min: where along an axis the largest or smallest element is.

import { int } from '../../emit/onnx/shapes.ts';
import { defineOp, notDifferentiable, type Op } from '../op.ts';
import { offsetsAlong } from '../strided.ts';
import { greatest, least, type DType } from '../tensor.ts';
import { axesAreWrong, cast, dtypesDiffer, otherAxes, shapesDiffer } from './type-rules.ts';

/** The position before there is one. */
const beyond = 2 ** 31 - 1;

/** The first index at which `beats` the best so far never holds again. */
const argument = (
  name: 'arg_max' | 'arg_min',
  doc: string,
  beats: (a: number, b: number) => boolean,
  {
    operator,
    wgsl: beatsInWgsl,
    worst,
  }: {
    readonly operator: string;
    readonly wgsl: '>' | '<';
    readonly worst: Readonly<Record<DType, number>>;
  },
): Op =>
  defineOp<{ readonly axis: number }>({
    name,
    doc,
    operands: ['x'],
    type: (inputs, { axis }) =>
      shapesDiffer(inputs, 1) ??
      dtypesDiffer(inputs, ['f32', 'i32']) ??
      axesAreWrong([axis], inputs[0].shape) ?? [
        { dtype: 'i32', shape: inputs[0].shape.toSpliced(axis, 1) },
      ],
    gradient: notDifferentiable('its result is an index'),
    evaluate: ({ inputs: [x], attributes: { axis }, outputs: [y], allocate }) => {
      const starts = offsetsAlong(x.shape, otherAxes([axis], x.shape.length));
      const steps = offsetsAlong(x.shape, [axis]);
      const data = allocate('i32', starts.length);
      for (let i = 0; i < data.length; i++) {
        let best = 0;
        for (let j = 1; j < steps.length; j++)
          if (beats(x.data[starts[i] + steps[j]], x.data[starts[i] + steps[best]])) best = j;
        data[i] = best;
      }
      return [{ ...y, data }];
    },
    onnx: ({ onnx, names: [x], attributes: { axis } }) => [
      cast(onnx, onnx.node(operator, [x], { axis: int(axis), keepdims: int(0) }), 'i32'),
    ],
    wgsl: {
      kind: 'reduce',
      axes: ({ axis }) => [axis],
      fold: ({ dtype }) => ({
        accumulators: [
          { dtype, initial: worst[dtype] },
          { dtype: 'i32', initial: beyond },
        ],
        element: (x, position) => [x, `i32(${position})`],
        combine: ([a, i], [b, j], code) => {
          // The first wins over nothing, even a NaN, so that there is a position.
          const ties = `${b} == ${a} && ${j} < ${i}`;
          const wins = code.bind(
            'wins',
            `${b} ${beatsInWgsl} ${a} || (${ties}) || ${i} == ${beyond}i`,
          );
          return [`select(${a}, ${b}, ${wins})`, `select(${i}, ${j}, ${wins})`];
        },
        result: 1,
      }),
    },
    cases: [
      { dtype: 'f32' as const, shape: [5], axis: 0 },
      { dtype: 'f32' as const, shape: [3, 1, 4], axis: 1 },
      { dtype: 'f32' as const, shape: [3, 2, 4], axis: 2 },
      // Few values in many places: ties.
      { dtype: 'i32' as const, shape: [3, 9], axis: 1 },
      { dtype: 'i32' as const, shape: [9, 3], axis: 0 },
    ].map(({ dtype, shape, axis }) => ({
      name: `${dtype}[${shape.join(',')}] along ${axis}`,
      attributes: { axis },
      inputs: [{ dtype, shape }],
    })),
  });

const argMax = argument(
  'arg_max',
  'The index of the first largest element along `axis`, which goes. Unspecified where an element is NaN.',
  (a, b) => a > b,
  { operator: 'ArgMax', wgsl: '>', worst: least },
);

const argMin = argument(
  'arg_min',
  'The index of the first smallest element along `axis`, which goes. Unspecified where an element is NaN.',
  (a, b) => a < b,
  { operator: 'ArgMin', wgsl: '<', worst: greatest },
);

export const argumentOps: readonly Op[] = [argMax, argMin];

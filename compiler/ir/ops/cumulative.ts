// The operation cumsum: sums that run along an axis.

import * as dims from '../../dims/arithmetic.ts';
import { int } from '../../emit/onnx/shapes.ts';
import { defineOp, type Op } from '../op.ts';
import { offsetsAlong } from '../strided.ts';
import {
  axesAreWrong,
  dtypesDiffer,
  numbers,
  otherAxes,
  shapesDiffer,
  throughInt64,
} from './type-rules.ts';

const cumsum = defineOp<{
  readonly axis: number;
  readonly reverse: boolean;
  readonly exclusive: boolean;
}>({
  name: 'cumsum',
  doc: 'The sum of the elements along `axis` up to each one: from the end if `reverse`, without the element itself if `exclusive`. Integers wrap.',
  operands: ['x'],
  type: (inputs, { axis }) =>
    shapesDiffer(inputs, 1) ??
    dtypesDiffer(inputs, numbers) ??
    axesAreWrong([axis], inputs[0].shape) ?? [{ dtype: inputs[0].dtype, shape: inputs[0].shape }],
  gradient: {
    kind: 'rule',
    rule: ({ builder, attributes: { axis, reverse, exclusive }, cotangents: [g] }) => [
      g === null ? null : builder.cumsum(g, axis, { reverse: !reverse, exclusive }),
    ],
  },
  evaluate: ({ inputs: [x], attributes: { axis, reverse, exclusive }, allocate }) => {
    const starts = offsetsAlong(x.shape, otherAxes([axis], x.shape.length));
    const steps = offsetsAlong(x.shape, [axis]);
    if (reverse) steps.reverse();
    const data = allocate(x.dtype, x.data.length);
    for (const start of starts) {
      let sum = 0;
      for (const step of steps) {
        const next = sum + x.data[start + step];
        data[start + step] = exclusive ? sum : next;
        sum = next;
      }
    }
    return [{ ...x, data }];
  },
  onnx: ({ onnx, names: [name], inputs: [x], attributes: { axis, reverse, exclusive } }) => {
    const sum = ([from]: readonly string[]): string =>
      onnx.node('CumSum', [from, onnx.dim(dims.constant(axis))], {
        reverse: int(reverse ? 1 : 0),
        exclusive: int(exclusive ? 1 : 0),
      });
    return [x.dtype === 'u32' ? throughInt64(onnx, [name], sum) : sum([name])];
  },
  wgsl: {
    kind: 'map',
    cost: 'whole',
    element: ({ inputs: [x], index, attributes: { axis, reverse, exclusive }, read, code }) => {
      const own = index[axis];
      const after = dims.add(own, dims.constant(exclusive ? 1 : 0));
      const first = reverse ? after : dims.zero;
      const count = reverse
        ? dims.subtract(x.shape[axis], after)
        : dims.add(own, dims.constant(exclusive ? 0 : 1));
      const sum = code.variable('sum', x.dtype, `${x.dtype}(0)`);
      code.loop('term', count, (term) =>
        code.assign(sum, `${sum} + ${read(0, index.with(axis, dims.add(first, term)))}`),
      );
      return [sum];
    },
  },
  cases: [
    ...[false, true].flatMap((reverse) =>
      [false, true].map((exclusive) => ({
        dtype: 'f32' as const,
        shape: [3, 5],
        axis: 1,
        reverse,
        exclusive,
      })),
    ),
    { dtype: 'f32' as const, shape: [4, 1, 2], axis: 0, reverse: false, exclusive: false },
    { dtype: 'f32' as const, shape: [1], axis: 0, reverse: true, exclusive: true },
    { dtype: 'i32' as const, shape: [2, 7], axis: 1, reverse: true, exclusive: false },
    { dtype: 'u32' as const, shape: [2, 7], axis: 1, reverse: false, exclusive: true },
  ].map(({ dtype, shape, axis, reverse, exclusive }) => ({
    name: `${dtype}[${shape.join(',')}] along ${axis}${reverse ? ' reverse' : ''}${exclusive ? ' exclusive' : ''}`,
    attributes: { axis, reverse, exclusive },
    inputs: [{ dtype, shape }],
  })),
});

export const cumulativeOps: readonly Op[] = [cumsum];

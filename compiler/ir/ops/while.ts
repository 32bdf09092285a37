// The loop that ends by a test.

import type { TensorType } from '../graph.ts';
import type { WhileAttributes } from '../loop-attributes.ts';
import { defineOp, notDifferentiable } from '../op.ts';
import type { Evaluation, OnnxLowering } from '../op.ts';
import type { Tensor } from '../tensor.ts';
import { bodyGivesOther, bodyTakesOther, counterType, flagType, scalarTensor } from './bodies.ts';

function typeOfWhile(
  inputs: readonly TensorType[],
  { carries, body }: WhileAttributes,
): readonly TensorType[] | string {
  const init = inputs.slice(0, carries);
  return (
    bodyTakesOther(body, [counterType, ...inputs]) ??
    bodyGivesOther(body, [...init, flagType]) ?? [...init, counterType, flagType]
  );
}

function evaluateWhile({
  inputs,
  attributes: { limit, carries, body },
  allocate,
  dim,
  run,
}: Evaluation<WhileAttributes>): readonly Tensor[] {
  const most = dim(limit);
  const rest = inputs.slice(carries);
  let current = inputs.slice(0, carries);
  let [steps, done] = [0, 0];
  while (steps < most && done === 0) {
    const made = run(body, [scalarTensor(allocate, 'i32', steps), ...current, ...rest]);
    current = made.slice(0, carries);
    done = made[carries].data[0];
    steps++;
  }
  return [...current, scalarTensor(allocate, 'i32', steps), scalarTensor(allocate, 'bool', done)];
}

/** ONNX's Loop. It counts in int64 and goes on by "not done", neither of which it hands out: both are carried beside. */
function lowerWhile({
  onnx,
  names,
  inputs,
  attributes: { limit, carries, body },
  subgraph,
}: OnnxLowering<WhileAttributes>): readonly string[] {
  const init = inputs.slice(0, carries);
  const graph = subgraph((inner) => {
    inner.input('iteration', { dtype: 'i64', shape: [] });
    inner.input('condition', flagType);
    const current = init.map((type) => inner.input('carry', type));
    const t = inner.input('t', counterType);
    inner.input('done', flagType);
    const made = inner.body(body, [t, ...current, ...names.slice(carries)]);
    const [done] = made[carries];
    const next = inner.node('Add', [t, onnx.scalar(1, 'i32')]);
    const goesOn = inner.node('Not', [done]);
    return [[goesOn, flagType], ...made.slice(0, carries), [next, counterType], [done, flagType]];
  });
  const first = [...names.slice(0, carries), onnx.scalar(0, 'i32'), onnx.scalar(0, 'bool')];
  return onnx.nodes('Loop', [onnx.dim(limit), '', ...first], carries + 2, { body: graph });
}

const whileOp = defineOp<WhileAttributes>({
  name: 'while',
  doc: 'Repeats `body` until it says `done`, or for `limit` steps: it gets t = 0, 1, ..., the carries and what it captured, and gives the next carries and whether to end. Results: the last carries, how many steps ran, whether `done` ended it.',
  operands: ['init...', 'captured...'],
  type: typeOfWhile,
  gradient: notDifferentiable(
    'how often a loop runs until a test ends it depends on the values: `for` with a number of steps has a derivative, and `fix` has that of what it finds',
  ),
  evaluate: evaluateWhile,
  onnx: lowerWhile,
  wgsl: {
    kind: 'loop',
    steps: ({ body, limit, carries }) => ({
      body,
      carries,
      xs: 0,
      count: limit,
      reverse: false,
      endedByTest: true,
    }),
  },
  cases: [],
});

export const whileOps = [whileOp];

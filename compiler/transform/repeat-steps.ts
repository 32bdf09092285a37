// Several steps of training in one graph: a loop over stacked batches, in which what a step returns is fed back. For large models
// that saves copying the parameters out and in at each step.

import { constant } from '../dims/arithmetic.ts';
import { createBuilder } from '../ir/builder.ts';
import type { Graph, Port, Value } from '../ir/graph.ts';
import { inline } from '../ir/inline.ts';
import { everywhere } from './bodies.ts';
import { shareCommonSubexpressions } from './common-subexpressions.ts';
import { removeDeadCode } from './dead-code.ts';
import { settleLoops } from './settle-loops.ts';

/**
 * `count` steps of `step`, which has been optimised. Data come stacked, [count, ..]; losses and reports are given for every step,
 * [count]; the other ports stay as they are.
 */
export function repeatSteps(step: Graph, count: number): Graph {
  const times = constant(count);
  const b = createBuilder();
  const nextOf = ({ name }: Port): number =>
    step.outputs.findIndex((output) => output.name === `${name}.next`);
  const given = step.inputs.map((port) => {
    const { dtype, shape } = port.value;
    const type = port.role === 'data' ? { dtype, shape: [times, ...shape] } : { dtype, shape };
    return { port, value: b.input(port.name, port.role, type) };
  });
  const carried = given.filter(({ port }) => nextOf(port) >= 0);
  const rows = given.filter(({ port }) => port.role === 'data');
  const last = carried.map(({ port }) => nextOf(port));
  const measured = step.outputs.map((_, i) => i).filter((i) => !last.includes(i));

  const values = (ports: typeof given): Value[] => ports.map(({ value }) => value);
  const loop = b.scan(times, values(carried), values(rows), (c, _t, current, slices) => {
    const inputs = given.map((one) => {
      if (rows.includes(one)) return slices[rows.indexOf(one)];
      return carried.includes(one) ? current[carried.indexOf(one)] : one.value;
    });
    const results = inline(c, step, inputs);
    return { carries: last.map((i) => results[i]), ys: measured.map((i) => results[i]) };
  });
  step.outputs.forEach(({ name, role }, i) => {
    const isLast = last.includes(i);
    const value = isLast ? loop.carries[last.indexOf(i)] : loop.ys[measured.indexOf(i)];
    b.output(name, role, value);
  });
  return removeDeadCode(everywhere(shareCommonSubexpressions)(settleLoops(b.graph(step.name))));
}

// Sums over the steps of a loop of what each step computes, formed outside of it where that is one operation: the sum of
// the products of weights' gradients is one product over all steps at once, of operands stacked. What has no such form is
// accumulated in the loop.

import type { Dim } from '../../dims/dim.ts';
import type { Builder, DotDimensions } from '../builder-types.ts';
import type { Node, Value } from '../graph.ts';
import { range } from '../shape-arithmetic.ts';

/** A value outside the loop, once the loop is built. */
export type Outside = () => Value;

export interface Steps {
  readonly builder: Builder;
  readonly count: Dim;
  /** What makes a value of the step. */
  readonly makerOf: (value: Value) => Node | undefined;
  /** Whether it may differ from step to step. */
  readonly varies: (value: Value) => boolean;
  /** A value that is the same in all steps. */
  readonly whole: (value: Value) => Value;
  /** Asks for the value of all steps, stacked along a new first axis. */
  readonly stack: (value: Value) => Outside;
  readonly isStacked: (value: Value) => boolean;
  /** Asks for the sum of the value, formed in the loop. */
  readonly accumulate: (value: Value) => Outside;
}

/** The sum of `value` over all steps. */
export function sumOverSteps(steps: Steps, value: Value): Outside {
  const { builder: b, count, varies, whole, makerOf } = steps;
  if (!varies(value))
    return () => b.multiply(whole(value), b.fill(b.dim(count, 'f32'), value.shape));
  const node = makerOf(value);
  const rule = node === undefined ? undefined : rules[node.op];
  return (node && rule?.(steps, node)) ?? steps.accumulate(value);
}

type Rule = (steps: Steps, node: Node) => Outside | null;

/** An operation that is linear in its first operand, the others being the same in all steps. */
const linear: Rule = (steps, { op, inputs: [x, ...others], attributes }) => {
  if (others.some(steps.varies)) return null;
  const sum = sumOverSteps(steps, x);
  return () => steps.builder.emit(op, [sum(), ...others.map(steps.whole)], attributes)[0];
};

const add: Rule = (steps, { inputs: [x, y] }) => {
  const [left, right] = [sumOverSteps(steps, x), sumOverSteps(steps, y)];
  return () => steps.builder.add(left(), right());
};

const multiply: Rule = (steps, { inputs: [x, y] }) => {
  if (steps.varies(x) && steps.varies(y)) return null;
  const [constant, varying] = steps.varies(x) ? [y, x] : [x, y];
  const sum = sumOverSteps(steps, varying);
  return () => steps.builder.multiply(steps.whole(constant), sum());
};

const next = (axes: readonly number[]): number[] => axes.map((axis) => axis + 1);

/** The steps become an axis to contract over, if the operands are smaller than the result or about to be stacked anyway. */
const dotGeneral: Rule = (steps, { inputs: [lhs, rhs], attributes }) => {
  const { builder: b, varies, whole, stack } = steps;
  const dimensions = attributes as unknown as DotDimensions;
  if (!varies(lhs)) {
    const sum = sumOverSteps(steps, rhs);
    return () => b.dotGeneral(whole(lhs), sum(), dimensions);
  }
  if (!varies(rhs)) {
    const sum = sumOverSteps(steps, lhs);
    return () => b.dotGeneral(sum(), whole(rhs), dimensions);
  }
  const { lhsBatch, rhsBatch, lhsContracting, rhsContracting } = dimensions;
  const isOuter = [lhs, rhs].every(
    ({ shape }) => shape.length > lhsBatch.length + lhsContracting.length,
  );
  if (!isOuter && !(steps.isStacked(lhs) && steps.isStacked(rhs))) return null;
  const [left, right] = [stack(lhs), stack(rhs)];
  return () =>
    b.dotGeneral(left(), right(), {
      lhsBatch: next(lhsBatch),
      rhsBatch: next(rhsBatch),
      lhsContracting: [0, ...next(lhsContracting)],
      rhsContracting: [0, ...next(rhsContracting)],
    });
};

/** A bias is summed with what its weights' product stacks; alone, it is smaller in the loop. */
const reduce: Rule = (steps, { inputs: [x], attributes }) => {
  const { kind, axes } = attributes as unknown as { kind: string; axes: readonly number[] };
  if (kind !== 'add' || !steps.isStacked(x)) return null;
  const all = steps.stack(x);
  return () => steps.builder.reduce('add', all(), [0, ...next(axes)]);
};

/** Rows of a table: all steps' updates at once, the step one more axis of the indices. */
const scatterAdd: Rule = (steps, { inputs: [indices, updates], attributes }) => {
  const { axis, shape } = attributes as unknown as { axis: number; shape: readonly Dim[] };
  if (!steps.varies(indices)) {
    const sum = sumOverSteps(steps, updates);
    return () => steps.builder.scatterAdd(steps.whole(indices), sum(), axis, shape);
  }
  if (!steps.varies(updates)) return null;
  const [at, rows] = [steps.stack(indices), steps.stack(updates)];
  const rank = updates.shape.length + 1;
  const before = range(rank).slice(1, axis + 1);
  const after = range(rank).slice(axis + 1);
  return () => {
    const b = steps.builder;
    return b.scatterAdd(at(), b.transpose(rows(), [...before, 0, ...after]), axis, shape);
  };
};

const rules: Readonly<Record<string, Rule>> = {
  add,
  multiply,
  dot_general: dotGeneral,
  reduce,
  scatter_add: scatterAdd,
  negate: linear,
  transpose: linear,
  reshape: linear,
  reverse: linear,
  slice: linear,
  broadcast_in_dim: linear,
  divide: linear,
};

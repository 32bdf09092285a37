// The loop over the registry that the conformance tests share: every case of every record, its node in a graph of its own, and
// comparison of tensors.

import { expect } from 'vitest';

import { constant } from '../../compiler/dims/arithmetic.ts';
import { createBuilder } from '../../compiler/ir/builder.ts';
import type { GraphBuilder } from '../../compiler/ir/builder.ts';
import type { Attributes, TensorType, Value } from '../../compiler/ir/graph.ts';
import type { Case, Op } from '../../compiler/ir/op.ts';
import { registry } from '../../compiler/ir/registry.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { fixtureNameOf } from './fixture-name.ts';

/** Records that no test runs, and why. */
export const notRun: Readonly<Record<string, string>> = {
  gradient:
    'differentiate replaces it before a graph runs; the gradient tests of all others go through it',
};

export interface ConformanceCase {
  readonly name: string;
  readonly op: Op;
  readonly of: Case<Attributes>;
}

export const conformanceCases: readonly ConformanceCase[] = Object.values(registry)
  .filter((op) => !(op.name in notRun))
  .flatMap((op) => op.cases.map((of) => ({ name: fixtureNameOf(op, of), op, of })));

export const typeOf = ({ dtype, shape }: Pick<Tensor, 'dtype' | 'shape'>): TensorType => ({
  dtype,
  shape: shape.map((size) => constant(size)),
});

export interface NodeGraph {
  readonly builder: GraphBuilder;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

/** A graph with inputs x0, x1, ... and the one node of the case; no output ports yet. */
export function nodeGraph({ op, of }: ConformanceCase): NodeGraph {
  const builder = createBuilder();
  const inputs = of.inputs.map((x, i) => builder.input(`x${i}`, 'data', typeOf(x)));
  return { builder, inputs, outputs: builder.emit(op.name, inputs, of.attributes) };
}

/**
 * Fails unless the tensors are equal: integers and booleans exactly, reals within `tolerance` of the largest of 1 and the
 * expected one; NaN equals NaN and an infinity itself.
 */
export function expectClose(
  actual: Tensor | undefined,
  expected: Tensor,
  tolerance: number,
  what: string,
): void {
  expect(actual, what).toBeDefined();
  if (actual === undefined) return;
  expect([actual.dtype, ...actual.shape], `type of ${what}`).toEqual([
    expected.dtype,
    ...expected.shape,
  ]);
  expect(actual.data.length, `size of ${what}`).toBe(expected.data.length);
  const within = expected.dtype === 'f32' ? tolerance : 0;
  const wrong = Array.from(expected.data).findIndex((e, i) => {
    const a = actual.data[i];
    return !(Object.is(a, e) || a === e || Math.abs(a - e) <= within * Math.max(1, Math.abs(e)));
  });
  if (wrong >= 0)
    expect.fail(
      `${what}[${wrong}] is ${actual.data[wrong]}, not ${expected.data[wrong]} (of ${expected.data.length})`,
    );
}

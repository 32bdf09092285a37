// What simplification rules share: their type, and the questions they ask about operands.

import type { GraphBuilder } from '../ir/builder.ts';
import type { Attributes, Value } from '../ir/graph.ts';
import { attributesIf } from '../ir/node-attributes.ts';

/** A node about to be made. */
export interface Candidate {
  readonly builder: GraphBuilder;
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
}

/** What can stand for the candidate's one result, or null. A rule must leave less to do than it found, so that rules end. */
export type Rule = (candidate: Candidate) => Value | null;

/** The operands of the node that makes `value`, if that is an `op`. */
export function operandsIf(
  builder: GraphBuilder,
  op: string,
  value: Value,
): readonly Value[] | null {
  const node = builder.producerOf(value);
  return node?.op === op ? node.inputs : null;
}

/** `value` and where its axes go, if it is a broadcast. */
export function broadcastOf(
  builder: GraphBuilder,
  value: Value,
): { readonly x: Value; readonly axes: readonly number[] } | null {
  const node = builder.producerOf(value);
  const attributes = attributesIf('broadcast_in_dim', node);
  return node === undefined || attributes === null
    ? null
    : { x: node.inputs[0], axes: attributes.axes };
}

/** The rule for both orders of a commutative pair. */
export const eitherWay =
  (rule: (builder: GraphBuilder, a: Value, b: Value) => Value | null): Rule =>
  ({ builder, inputs: [a, b] }) =>
    rule(builder, a, b) ?? rule(builder, b, a);

export const isReal = ({ dtype }: Value): boolean => dtype === 'f32';

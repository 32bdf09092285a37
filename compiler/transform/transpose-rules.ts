// Transposes move towards the end of a graph, past what can work on the elements where they are, until they meet and cancel or
// move nothing but axes of size 1.

import { isConstant } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import { freeAxes } from '../ir/dot-dimensions.ts';
import type { Value } from '../ir/graph.ts';
import { attributesIf } from '../ir/node-attributes.ts';
import { invert, range } from '../ir/shape-arithmetic.ts';
import type { Rule } from './rules.ts';
import { broadcastOf } from './rules.ts';

export interface Transposed {
  readonly x: Value;
  readonly permutation: readonly number[];
}

/** `x` and the permutation, if `value` is a transpose. */
export function transposeOf(b: GraphBuilder, value: Value): Transposed | null {
  const node = b.producerOf(value);
  const attributes = attributesIf('transpose', node);
  return node === undefined || attributes === null
    ? null
    : { x: node.inputs[0], permutation: attributes.permutation };
}

/**
 * A product whose free axes are wanted the other way about is the product of the operands the other way about. So it is where only
 * that leaves the last axis in its place, which makes the transpose a copy of rows.
 */
export function swappedProduct(
  b: GraphBuilder,
  x: Value,
  permutation: readonly number[],
): Value | null {
  const node = b.producerOf(x);
  const d = attributesIf('dot_general', node);
  if (node === undefined || d === null) return null;
  const [lhs, rhs] = node.inputs;
  const { lhsFree, rhsFree } = freeAxes(lhs.shape.length, rhs.shape.length, d);
  const batch = range(d.lhsBatch.length);
  const left = range(lhsFree.length).map((i) => batch.length + i);
  const right = range(rhsFree.length).map((i) => batch.length + left.length + i);
  const swapped = [...batch, ...right, ...left];
  const after = permutation.map((axis) => swapped.indexOf(axis));
  const last = permutation.length - 1;
  if (permutation[last] === last || after[last] !== last) return null;
  const product = b.dotGeneral(rhs, lhs, {
    lhsBatch: d.rhsBatch,
    rhsBatch: d.lhsBatch,
    lhsContracting: d.rhsContracting,
    rhsContracting: d.lhsContracting,
  });
  return b.transpose(product, after);
}

/** An elementwise operation on tensors transposed alike, or on one and what is repeated over a shape, comes before the transpose. */
export const beforeTranspose: Rule = ({ builder: b, op, inputs, attributes }) => {
  if (inputs.length < 2) return null;
  const [first, ...others] = inputs.flatMap((value) => transposeOf(b, value) ?? []);
  if (first === undefined) return null;
  const same = ({ permutation }: Transposed): boolean =>
    permutation.every((axis, i) => axis === first.permutation[i]);
  if (!others.every(same)) return null;
  const back = invert(first.permutation);
  const operands = inputs.map((value) => {
    const moved = transposeOf(b, value);
    if (moved !== null) return moved.x;
    return broadcastOf(b, value) === null ? null : b.transpose(value, back);
  });
  if (!operands.every((operand) => operand !== null)) return null;
  const [result] = b.emit(op, operands, attributes);
  return b.transpose(result, first.permutation);
};

interface SliceAttributes {
  readonly starts: readonly Dim[];
  readonly limits: readonly Dim[];
  readonly strides: readonly Dim[];
}

const slice: Rule = ({ builder: b, inputs: [x], attributes }) => {
  const moved = transposeOf(b, x);
  if (moved === null) return null;
  const { starts, limits, strides } = attributes as unknown as SliceAttributes;
  const back = invert(moved.permutation);
  const at = (list: readonly Dim[]): Dim[] => back.map((axis) => list[axis]);
  return b.transpose(b.slice(moved.x, at(starts), at(limits), at(strides)), moved.permutation);
};

/** A transpose that moves axes of size 1 only, and then a reshape, is a reshape. */
const reshape: Rule = ({ builder: b, inputs: [x], attributes }) => {
  const moved = transposeOf(b, x);
  if (moved === null) return null;
  const long = moved.permutation.filter((axis) => isConstant(moved.x.shape[axis]) !== 1);
  if (long.some((axis, i) => i > 0 && long[i - 1] > axis)) return null;
  const { shape } = attributes as { readonly shape: readonly Dim[] };
  return b.reshape(moved.x, shape);
};

/** Rules by the operation they simplify. */
export const transposeRules: Readonly<Record<string, readonly Rule[]>> = {
  slice: [slice],
  reshape: [reshape],
};

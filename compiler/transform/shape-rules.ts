// Simplifications of what moves elements: compositions of transposes, reshapes and broadcasts, contractions that read
// their operands in place, and work done before a broadcast rather than after it.

import { add, equal, isConstant, zero } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import type { DotDimensions, Reduction } from '../ir/builder-types.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import { freeAxes } from '../ir/dot-dimensions.ts';
import type { Value } from '../ir/graph.ts';
import { attributesIf } from '../ir/node-attributes.ts';
import { invert, product, range } from '../ir/shape-arithmetic.ts';
import { isIdentity, sameShape } from '../ir/types.ts';
import type { Rule } from './rules.ts';
import { broadcastOf, operandsIf } from './rules.ts';
import type { Transposed } from './transpose-rules.ts';
import { swappedProduct, transposeOf, transposeRules } from './transpose-rules.ts';

const isAscending = (axes: readonly number[]): boolean =>
  axes.every((axis, i) => i === 0 || axes[i - 1] < axis);

const transpose: Rule = ({ builder: b, inputs: [x], attributes }) => {
  const permutation = attributesIf('transpose', { op: 'transpose', attributes })?.permutation ?? [];
  if (isIdentity(permutation)) return x;
  const inner = transposeOf(b, x);
  if (inner !== null)
    return b.transpose(
      inner.x,
      permutation.map((axis) => inner.permutation[axis]),
    );
  const broadcast = broadcastOf(b, x);
  if (broadcast !== null) {
    const to = invert(permutation);
    return b.broadcastInDim(
      broadcast.x,
      permutation.map((axis) => x.shape[axis]),
      broadcast.axes.map((axis) => to[axis]),
    );
  }
  return swappedProduct(b, x, permutation);
};

const reshape: Rule = ({ builder: b, inputs: [x], attributes }) => {
  const { shape } = attributes as { readonly shape: readonly Dim[] };
  if (sameShape(x.shape, shape)) return x;
  const inner = operandsIf(b, 'reshape', x);
  if (inner !== null) return b.reshape(inner[0], shape);
  const broadcast = broadcastOf(b, x);
  return broadcast !== null && broadcast.x.shape.length === 0 ? b.fill(broadcast.x, shape) : null;
};

const broadcast: Rule = ({ builder: b, inputs: [x], attributes }) => {
  const given = attributesIf('broadcast_in_dim', { op: 'broadcast_in_dim', attributes });
  if (given === null) return null;
  if (sameShape(x.shape, given.shape) && isIdentity(given.axes)) return x;
  const inner = broadcastOf(b, x);
  return inner === null
    ? null
    : b.broadcastInDim(
        inner.x,
        given.shape,
        inner.axes.map((axis) => given.axes[axis]),
      );
};

const reverse: Rule = ({ builder: b, inputs: [x], attributes }) => {
  const axes = attributesIf('reverse', { op: 'reverse', attributes })?.axes ?? [];
  const node = b.producerOf(x);
  const inner = attributesIf('reverse', node)?.axes;
  if (node === undefined || inner === undefined) return null;
  const once = [
    ...axes.filter((axis) => !inner.includes(axis)),
    ...inner.filter((axis) => !axes.includes(axis)),
  ];
  return b.reverse(node.inputs[0], once);
};

const orderless: ReadonlySet<Reduction> = new Set(['max', 'min', 'and', 'or']);

/** Over axes that only repeat, a sum is a multiple and an extreme the thing itself; the other axes are reduced before. */
const reduceBroadcast: Rule = ({ builder: b, inputs: [x], attributes }) => {
  const given = attributesIf('reduce', { op: 'reduce', attributes });
  const inner = broadcastOf(b, x);
  if (given === null || inner === null) return null;
  const { kind, axes } = given;
  const repeated = axes.filter((axis) => !inner.axes.includes(axis));
  if (repeated.length === 0 || (kind !== 'add' && !orderless.has(kind))) return null;
  const small = b.reduce(
    kind,
    inner.x,
    range(inner.axes.length).filter((i) => axes.includes(inner.axes[i])),
  );
  const kept = range(x.shape.length).filter((axis) => !axes.includes(axis));
  const remaining = inner.axes
    .filter((axis) => !axes.includes(axis))
    .map((axis) => kept.indexOf(axis));
  const shape = kept.map((axis) => x.shape[axis]);
  if (kind !== 'add') return b.broadcastInDim(small, shape, remaining);
  const count = b.fill(b.dim(product(repeated.map((axis) => x.shape[axis])), x.dtype), small.shape);
  return b.broadcastInDim(b.multiply(small, count), shape, remaining);
};

const reduceTransposed: Rule = ({ builder: b, inputs: [x], attributes }) => {
  const given = attributesIf('reduce', { op: 'reduce', attributes });
  const inner = transposeOf(b, x);
  if (given === null || inner === null) return null;
  const { permutation } = inner;
  const kept = permutation.filter((_, axis) => !given.axes.includes(axis));
  if (!isAscending(kept)) return null;
  return b.reduce(
    given.kind,
    inner.x,
    given.axes.map((axis) => permutation[axis]),
  );
};

/** A contraction reads a transposed operand where it is, as long as the order of its free axes stays. */
const dotOfTransposes: Rule = ({ builder: b, inputs: [lhs, rhs], attributes }) => {
  const d = attributesIf('dot_general', { op: 'dot_general', attributes });
  if (d === null) return null;
  const { lhsFree, rhsFree } = freeAxes(lhs.shape.length, rhs.shape.length, d);
  const left = readInPlace(b, lhs, lhsFree);
  const right = readInPlace(b, rhs, rhsFree);
  if (left === null && right === null) return null;
  const from = (axes: readonly number[], moved: typeof left): readonly number[] =>
    moved === null ? axes : axes.map((axis) => moved.permutation[axis]);
  const dimensions: DotDimensions = {
    lhsBatch: from(d.lhsBatch, left),
    lhsContracting: from(d.lhsContracting, left),
    rhsBatch: from(d.rhsBatch, right),
    rhsContracting: from(d.rhsContracting, right),
  };
  return b.dotGeneral(left?.x ?? lhs, right?.x ?? rhs, dimensions);
};

function readInPlace(b: GraphBuilder, value: Value, free: readonly number[]): Transposed | null {
  const moved = transposeOf(b, value);
  return moved !== null && isAscending(free.map((axis) => moved.permutation[axis])) ? moved : null;
}

/** A slice of a concatenation that is one of its parts, as the halves of what was put together from two. */
const sliceOfConcatenation: Rule = ({ builder: b, inputs: [x], attributes }) => {
  const given = attributesIf('slice', { op: 'slice', attributes });
  const parts = operandsIf(b, 'concatenate', x);
  const along = attributesIf('concatenate', b.producerOf(x))?.axis;
  if (given === null || parts === null || along === undefined) return null;
  const { starts, limits, strides } = given;
  const whole = x.shape.every(
    (size, axis) =>
      isConstant(strides[axis]) === 1 &&
      (axis === along || (isConstant(starts[axis]) === 0 && equal(limits[axis], size))),
  );
  if (!whole) return null;
  let from: Dim = zero;
  for (const part of parts) {
    const to = add(from, part.shape[along]);
    if (equal(from, starts[along]) && equal(to, limits[along])) return part;
    from = to;
  }
  return null;
};

/** Rules by the operation they simplify, tried in order. */
export const shapeRules: Readonly<Record<string, readonly Rule[]>> = {
  transpose: [transpose],
  reshape: [reshape, ...transposeRules.reshape],
  broadcast_in_dim: [broadcast],
  reverse: [reverse],
  slice: [sliceOfConcatenation, ...transposeRules.slice],
  reduce: [reduceBroadcast, reduceTransposed],
  dot_general: [dotOfTransposes],
};

/**
 * An elementwise operation whose operands are all broadcast alike (scalars fit every way) happens before the broadcast, on
 * fewer elements.
 */
export const beforeBroadcast: Rule = ({ builder: b, op, inputs, attributes }) => {
  const found = inputs.map((value) => broadcastOf(b, value));
  const [widest] = found
    .filter((one) => one !== null)
    .toSorted((p, q) => q.axes.length - p.axes.length);
  if (widest === undefined) return null;
  const operands = found.map((one) => {
    if (one === null) return null;
    if (one.axes.length === 0) return b.fill(one.x, widest.x.shape);
    return one.axes.length === widest.axes.length &&
      one.axes.every((axis, i) => axis === widest.axes[i])
      ? one.x
      : null;
  });
  if (!operands.every((operand) => operand !== null)) return null;
  const [small] = b.emit(op, operands, attributes);
  return b.broadcastInDim(small, inputs[0].shape, widest.axes);
};

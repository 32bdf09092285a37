// Builtins that rearrange elements: reshape, flatten, transpose, concatenation and its inverses, padding. They keep the base
// of what they rearrange.

import { add, constant, isConstant, multiply, one, scale, subtract } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import { sizeOf } from '../dims/shape.ts';
import { showDim } from '../dims/show.ts';
import { E0604, E0605 } from '../diagnostics/builtins.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { reportRounded } from './skip-sizes.ts';
import type { Builtin, BuiltinCall, BuiltinResult } from './builtin.ts';
import { asIs, lastOwn } from './creation.ts';
import type { TensorValue } from './elaboration.ts';
import {
  ownRank,
  ownShape,
  perAxis,
  reshapeOwn,
  sliceOwn,
  spread,
  tensorOf,
  transposeOwn,
  unionOfLabels,
} from './labelled.ts';
import {
  isTensor,
  isUnknown,
  lastSize,
  refuse,
  sized,
  sizesOfArgument,
  tensorArguments,
  tensorType,
  unknownResult,
  type TensorExpression,
  sameAxes,
} from './type-tools.ts';

interface SizesData {
  readonly sizes: readonly Dim[];
}

const reshape: Builtin = {
  name: 'reshape',
  doc: 'The same elements in row-major order, in another shape of equally many.',
  signature: 'reshape(x, [n, m])',
  rule: (call) => {
    if (call.arguments.some(isUnknown)) return unknownResult;
    const [x, to] = call.arguments;
    if (call.arguments.length !== 2 || !isTensor(x))
      return refuse(call, reshape.signature, 'it takes a tensor and a list of sizes');
    const sizes = sizesOfArgument(to);
    if (sizes === null) return refuse(call, reshape.signature, 'this is not a list of sizes', to);
    const [have, want] = [sizeOf(x.type.shape), sizes.reduce(multiply, one)];
    const answer = call.sameSize(have, want);
    const shape = sizes.map(sized);
    if (answer.kind === 'proved') {
      const data: SizesData = { sizes };
      return { type: tensorType(x.type.base, shape), arguments: [x], data };
    }
    const [from, target] = [x.type.shape, shape].map(call.showShape);
    const [count, wanted] =
      answer.kind === 'refuted' && isConstant(have) === null
        ? [`${showDim(have)} (${answer.left}, say)`, `${showDim(want)} (${answer.right} then)`]
        : [showDim(have), showDim(want)];
    call.report(report(E0604, { span: call.span, data: { from, count, to: target, wanted } }));
    return null;
  },
  elaborate: ({ builder, arguments: [x], data, size }) =>
    reshapeOwn(builder, asIs(builder, x), (data as SizesData).sizes.map(size)),
};

const flatten: Builtin = {
  name: 'flatten',
  doc: 'All axes but the first as one.',
  signature: 'flatten(x: [n, ..]) -> [n, numel of the rest]',
  rule: (call) => {
    const given = tensorArguments(call, flatten.signature, 1);
    if (given.kind === 'refused') return given.result;
    const [x] = given.tensors;
    const [first, ...rest] = x.type.shape;
    if (first?.kind !== 'size' || rest.length === 0)
      return refuse(
        call,
        flatten.signature,
        `this is ${call.showType(x.type)}, without two axes`,
        x,
      );
    return { type: tensorType(x.type.base, [first, sized(sizeOf(rest))]) };
  },
  elaborate: ({ builder, arguments: [x] }) => {
    const t = asIs(builder, x);
    const [first, ...rest] = ownShape(t);
    return reshapeOwn(builder, t, [first, rest.reduce(multiply, one)]);
  },
};

const transpose: Builtin = {
  name: 'transpose',
  doc: 'The last two axes exchanged.',
  signature: 'transpose(x: [..S, n, m]) -> [..S, m, n]',
  rule: (call) => {
    const given = tensorArguments(call, transpose.signature, 1);
    if (given.kind === 'refused') return given.result;
    const [x] = given.tensors;
    const [n, m] = x.type.shape.slice(-2);
    if (x.type.shape.length < 2 || n.kind !== 'size' || m.kind !== 'size')
      return refuse(call, transpose.signature, `this is ${call.showType(x.type)}, no matrix`, x);
    return { type: tensorType(x.type.base, [...x.type.shape.slice(0, -2), m, n]) };
  },
  elaborate: ({ builder, arguments: [x] }) => {
    const t = asIs(builder, x);
    const axes = ownShape(t).map((_, axis) => axis);
    const n = axes.length;
    return transposeOwn(builder, t, [...axes.slice(0, -2), n - 1, n - 2]);
  },
};

/** Operands of one base: real if any is real. */
const oneBase = (call: BuiltinCall, tensors: readonly TensorExpression[]): TensorExpression[] =>
  tensors.some((t) => t.type.base.kind === 'real')
    ? tensors.map((t) => call.toReal(t) as TensorExpression)
    : [...tensors];

const concat: Builtin = {
  name: 'concat',
  doc: 'Tensors one after the other along the last axis; the other axes are equal.',
  signature: 'concat(a, b, ..)',
  rule: (call) => {
    const given = tensorArguments(call, concat.signature, 1, Infinity);
    if (given.kind === 'refused') return given.result;
    const tensors = oneBase(call, given.tensors);
    const lead = tensors[0].type.shape.slice(0, -1);
    const sizes: Dim[] = [];
    for (const t of tensors) {
      const size = lastSize(t.type.shape);
      if (size === null) return refuse(call, concat.signature, 'this has no last axis', t);
      if (!sameAxes(call, lead, t.type.shape.slice(0, -1))) {
        if (reportRounded(call, lead, t.type.shape.slice(0, -1), t.span)) return null;
        const [first, shape] = [tensors[0].type.shape, t.type.shape].map(call.showShape);
        return refuse(
          call,
          concat.signature,
          `${shape} and ${first} differ before the last axis`,
          t,
        );
      }
      sizes.push(size);
    }
    const shape = [...lead, sized(sizes.reduce(add))];
    return { type: tensorType(tensors[0].type.base, shape), arguments: tensors };
  },
  elaborate: ({ builder, arguments: values }) => {
    const tensors = values.map((x) => asIs(builder, x));
    const labels = unionOfLabels(tensors);
    const parts = tensors.map((t) => spread(builder, t, labels, ownShape(t)));
    return tensorOf(builder.concatenate(parts, parts[0].shape.length - 1), labels);
  },
};

const stack: Builtin = {
  name: 'stack',
  doc: 'Tensors of one shape along a new first axis.',
  signature: 'stack(a, b, ..)',
  rule: (call) => {
    const given = tensorArguments(call, stack.signature, 1, Infinity);
    if (given.kind === 'refused') return given.result;
    const tensors = oneBase(call, given.tensors);
    const { base, shape } = tensors[0].type;
    const other = tensors.find((t) => !sameAxes(call, shape, t.type.shape));
    if (other !== undefined) {
      const why = `${call.showShape(other.type.shape)} is not ${call.showShape(shape)}`;
      return refuse(call, stack.signature, why, other);
    }
    const type = tensorType(base, [sized(constant(tensors.length)), ...shape]);
    return { type, arguments: tensors };
  },
  elaborate: ({ builder, arguments: values }) => {
    const tensors = values.map((x) => asIs(builder, x));
    const labels = unionOfLabels(tensors);
    const own = ownShape(tensors[0]);
    const sizes = labels.map((l) => l.size);
    const parts = tensors.map((t) =>
      builder.reshape(spread(builder, t, labels, own), [...sizes, one, ...own]),
    );
    return tensorOf(builder.concatenate(parts, labels.length), labels);
  },
};

const unstack: Builtin = {
  name: 'unstack',
  doc: 'The parts along the first axis, as a tuple.',
  signature: 'a, b = unstack(x: [2, ..S])',
  rule: (call) => {
    const given = tensorArguments(call, unstack.signature, 1);
    if (given.kind === 'refused') return given.result;
    const [x] = given.tensors;
    const [first, ...rest] = x.type.shape;
    const count = first?.kind === 'size' ? isConstant(first.size) : null;
    if (count === null)
      return refuse(call, unstack.signature, 'the first axis needs a size that is a number', x);
    const type = tensorType(x.type.base, rest);
    const fields = Array.from({ length: count }, () => ({ name: null, type }));
    return { type: { kind: 'tuple', fields } };
  },
  elaborate: ({ builder, arguments: [x] }) => {
    const t = asIs(builder, x);
    const [first, ...rest] = ownShape(t);
    const items = Array.from({ length: isConstant(first) ?? 0 }, (_, i): TensorValue => {
      const part = sliceOwn(builder, t, 0, constant(i), constant(i + 1));
      return reshapeOwn(builder, part, rest);
    });
    return { kind: 'tuple', items };
  },
};

const halves: Builtin = {
  name: 'halves',
  doc: 'The two halves of the last axis, which has an even size.',
  signature: 'a, b = halves(x: [..S, n]) where n % 2 == 0',
  rule: (call): BuiltinResult | null => {
    const given = tensorArguments(call, halves.signature, 1);
    if (given.kind === 'refused') return given.result;
    const [x] = given.tensors;
    const size = lastSize(x.type.shape);
    if (size === null) return refuse(call, halves.signature, 'this has no last axis', x);
    const half = call.exactQuotient(size, constant(2));
    if (half === null) {
      call.report(report(E0605, { span: x.span, data: { size: showDim(size), by: '2' } }));
      return null;
    }
    const type = tensorType(x.type.base, [...x.type.shape.slice(0, -1), sized(half)]);
    const fields = [type, type].map((t) => ({ name: null, type: t }));
    const data: SizesData = { sizes: [half] };
    return { type: { kind: 'tuple', fields }, data };
  },
  elaborate: ({ builder, arguments: [x], data, size }) => {
    const t = asIs(builder, x);
    const half = size((data as SizesData).sizes[0]);
    const last = ownRank(t) - 1;
    const items = [
      sliceOwn(builder, t, last, constant(0), half),
      sliceOwn(builder, t, last, half, lastOwn(t)),
    ];
    return { kind: 'tuple', items };
  },
};

const reverse: Builtin = {
  name: 'reverse',
  doc: 'The last axis read backwards.',
  signature: 'reverse(x: [..S, n]) -> [..S, n]',
  rule: (call) => {
    const given = tensorArguments(call, reverse.signature, 1);
    if (given.kind === 'refused') return given.result;
    const [x] = given.tensors;
    if (lastSize(x.type.shape) === null)
      return refuse(call, reverse.signature, 'this has no last axis', x);
    return { type: x.type };
  },
  elaborate: ({ builder, arguments: [x] }) => {
    const t = asIs(builder, x);
    return tensorOf(builder.reverse(t.value, [t.value.shape.length - 1]), t.labels);
  },
};

interface PadData {
  readonly low: readonly Dim[];
  readonly high: readonly Dim[];
  readonly interior: readonly Dim[];
}

/** The last axes of a type, as many as `count`, changed by `change`; null where there are not so many sizes. */
function changeLast(
  x: TensorExpression,
  count: number,
  change: (size: Dim, i: number) => Dim,
): TensorExpression['type'] | null {
  const { base, shape } = x.type;
  const kept = shape.length - count;
  if (kept < 0) return null;
  const sizes = shape.slice(kept).map((axis) => (axis.kind === 'size' ? axis.size : null));
  if (sizes.some((size) => size === null)) return null;
  const changed = sizes.filter((size) => size !== null).map((size, i) => sized(change(size, i)));
  return tensorType(base, [...shape.slice(0, kept), ...changed]);
}

const elaboratePadding: Builtin['elaborate'] = ({
  builder,
  arguments: [x],
  data,
  size,
  padded,
}) => {
  const t = asIs(builder, x);
  const { low, high, interior } = data as PadData;
  const first = ownRank(t) - low.length;
  const at = (dims: readonly Dim[]): Dim[] =>
    perAxis(t, () => constant(0), new Map(dims.map((d, i) => [first + i, size(d)])));
  const zeros = { low: at(low), high: at(high), interior: at(interior) };
  const value = builder.pad(
    t.value,
    builder.scalar(0, t.value.dtype),
    zeros.low,
    zeros.high,
    zeros.interior,
  );
  padded(value, { source: t.value, ...zeros });
  return tensorOf(value, t.labels);
};

const pad: Builtin = {
  name: 'pad',
  doc: 'Zeros before and after the last axes: one number each for the last axis, or lists for as many axes as they have entries.',
  signature: 'pad(x, low, high), pad(x, [l1, l2], [h1, h2])',
  rule: (call) => {
    if (call.arguments.some(isUnknown)) return unknownResult;
    const [x, before, after] = call.arguments;
    if (call.arguments.length !== 3 || !isTensor(x))
      return refuse(call, pad.signature, 'it takes a tensor and two sizes, or two lists of sizes');
    const [low, high] = [sizesOfArgument(before), sizesOfArgument(after)];
    if (low === null) return refuse(call, pad.signature, 'this is not a size', before);
    if (high === null || high.length !== low.length)
      return refuse(call, pad.signature, 'this is not as many sizes as before', after);
    const type = changeLast(x, low.length, (size, i) => add(add(size, low[i]), high[i]));
    if (type === null)
      return refuse(call, pad.signature, `${call.showType(x.type)} has not so many axes`, x);
    const data: PadData = { low, high, interior: low.map(() => constant(0)) };
    return { type, arguments: [x], data };
  },
  elaborate: elaboratePadding,
};

const dilate: Builtin = {
  name: 'dilate',
  doc: 'The elements of the last axes s apart, with zeros between: size n becomes (n - 1) s + 1.',
  signature: 'dilate(x, s), dilate(x, [s1, s2])',
  rule: (call) => {
    if (call.arguments.some(isUnknown)) return unknownResult;
    const [x, by] = call.arguments;
    if (call.arguments.length !== 2 || !isTensor(x))
      return refuse(call, dilate.signature, 'it takes a tensor and a size, or a list of sizes');
    const steps = sizesOfArgument(by);
    if (steps === null) return refuse(call, dilate.signature, 'this is not a size', by);
    const type = changeLast(x, steps.length, (size, i) =>
      add(multiply(subtract(size, one), steps[i]), one),
    );
    if (type === null)
      return refuse(call, dilate.signature, `${call.showType(x.type)} has not so many axes`, x);
    const none = steps.map(() => constant(0));
    const interior = steps.map((s) => add(s, scale(one, -1)));
    const data: PadData = { low: none, high: none, interior };
    return { type, arguments: [x], data };
  },
  elaborate: elaboratePadding,
};

export const rearrangingBuiltins: readonly Builtin[] = [
  reshape,
  flatten,
  transpose,
  concat,
  stack,
  unstack,
  halves,
  reverse,
  pad,
  dilate,
];

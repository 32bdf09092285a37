// Reads at indices that only the running program knows: `E[tok[b, t], c]`, `logp[b, y[b]]`.

import type { Label, TensorValue } from '../builtins/elaboration.ts';
import {
  asTensor,
  elementwise,
  sizeValue,
  spread,
  tensorOf,
  unionOfLabels,
} from '../builtins/labelled.ts';
import { isConstant, multiply, one } from '../dims/arithmetic.ts';
import type { Builder } from '../ir/builder-types.ts';
import type { TaggedValue, Tag } from './axes.ts';

/**
 * Up to this size an axis is read by a mask and a sum instead, where the index varies along other axes of the same tensor: for
 * class scores that costs less than an index into all of them, forwards and backwards.
 */
const largestMasked = 128;

/** The tagged value without gathers: one `take`, of all gathered axes flattened into one. */
export function gatherAxes(builder: Builder, read: TaggedValue): TaggedValue {
  const { value, tags } = read;
  const gathers = tags.flatMap((tag, axis) =>
    tag.kind === 'gather' ? [{ axis, at: tag.at }] : [],
  );
  if (gathers.length === 0) return read;
  const labels = unionOfLabels(gathers.map(({ at }) => at));
  const shared = tags.flatMap((tag, axis) =>
    tag.kind === 'label' && labels.some((l) => l.id === tag.label.id)
      ? [{ axis, at: positions(builder, tag.label) }]
      : [],
  );
  const [only] = gathers;
  if (gathers.length === 1 && shared.length === 0)
    return {
      value: builder.take(value, only.at.value, only.axis),
      tags: tags.toSpliced(only.axis, 1, ...only.at.labels.map(labelTag)),
    };
  const size = isConstant(value.shape[only.axis]) ?? Infinity;
  const within = shared.length === labels.length;
  if (gathers.length === 1 && within && size <= largestMasked)
    return readByMask(builder, read, only.axis, only.at);
  return takeFlattened(builder, read, [...shared, ...gathers], labels);
}

const labelTag = (label: Label): Tag => ({ kind: 'label', label });

const positions = (builder: Builder, label: Label): TensorValue =>
  tensorOf(builder.iota([label.size], 0), [label]);

/** The sum along the axis of what stands at the index, zero elsewhere. */
function readByMask(
  builder: Builder,
  { value, tags }: TaggedValue,
  axis: number,
  at: TensorValue,
): TaggedValue {
  // The value's own axes take part as if they had labels, in the order of the axes.
  const axesOfLabels = at.labels.map((label) =>
    tags.findIndex((tag) => tag.kind === 'label' && tag.label.id === label.id),
  );
  const order = at.labels.map((_, i) => i).sort((a, b) => axesOfLabels[a] - axesOfLabels[b]);
  const index = builder.broadcastInDim(
    builder.transpose(at.value, order),
    value.shape,
    axesOfLabels.toSorted((a, b) => a - b),
  );
  const hit = builder.compare('eq', builder.iota(value.shape, axis), index);
  const none = builder.full(0, value.shape, value.dtype);
  if (value.dtype === 'bool') {
    const read = builder.binary('and', hit, value);
    return { value: builder.reduce('or', read, [axis]), tags: tags.toSpliced(axis, 1) };
  }
  const masked = builder.select(hit, value, none);
  return { value: builder.reduce('add', masked, [axis]), tags: tags.toSpliced(axis, 1) };
}

function takeFlattened(
  builder: Builder,
  { value, tags }: TaggedValue,
  read: readonly { readonly axis: number; readonly at: TensorValue }[],
  labels: readonly Label[],
): TaggedValue {
  const axes = read.map(({ axis }) => axis);
  const rest = tags.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const sizes = axes.map((axis) => value.shape[axis]);
  const front = builder.transpose(value, [...axes, ...rest]);
  const flat = builder.reshape(front, [
    sizes.reduce(multiply, one),
    ...rest.map((axis) => value.shape[axis]),
  ]);
  const index = read
    .map(({ at }) => at)
    .reduce((before, at, i) => {
      const size = asTensor(builder, sizeValue(sizes[i]), 'i32');
      const scaled = elementwise(builder, [before, size], (a, n) => builder.multiply(a, n));
      return elementwise(builder, [scaled, at], (a, b) => builder.add(a, b));
    });
  return {
    value: builder.take(flat, spread(builder, index, labels, []), 0),
    tags: [...labels.map(labelTag), ...rest.map((axis) => tags[axis])],
  };
}

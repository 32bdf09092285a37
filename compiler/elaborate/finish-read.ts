// The second half of a read: windows, repetitions, diagonals and gathers, until every axis is an index or the tensor's own.

import type { TensorValue } from '../builtins/elaboration.ts';
import { tensorOf } from '../builtins/labelled.ts';
import { add, equal, multiply, one, zero } from '../dims/arithmetic.ts';
import type { Builder } from '../ir/builder-types.ts';
import type { Value } from '../ir/graph.ts';
import {
  cut,
  everything,
  windowExtent,
  type Cut,
  type Tag,
  type TaggedValue,
  type WindowTag,
} from './axes.ts';
import { gatherAxes } from './gathers.ts';

/** Windows, diagonals and gathers done: labels first, in the order of their axes, then the tensor's own axes. */
export function finishRead(builder: Builder, read: TaggedValue): TensorValue {
  const repeated = repeatElements(builder, unfoldWindows(builder, read));
  const distinct = takeDiagonals(builder, repeated);
  const gathered = gatherAxes(builder, distinct);
  const labels = gathered.tags.flatMap((tag) => (tag.kind === 'label' ? [tag.label] : []));
  const permutation = [
    ...gathered.tags.flatMap((tag, axis) => (tag.kind === 'label' ? [axis] : [])),
    ...gathered.tags.flatMap((tag, axis) => (tag.kind === 'own' ? [axis] : [])),
  ];
  return tensorOf(builder.transpose(gathered.value, permutation), labels);
}

/** Every window as two axes of its own: by a reshape where windows tile the axis, by `unfold` otherwise. */
function unfoldWindows(builder: Builder, read: TaggedValue): TaggedValue {
  let current = read;
  for (;;) {
    const axis = current.tags.findIndex((tag) => tag.kind === 'window');
    const tag = current.tags[axis];
    if (tag?.kind !== 'window') return current;
    current = unfoldWindow(builder, current, axis, tag);
  }
}

function unfoldWindow(
  builder: Builder,
  { value, tags }: TaggedValue,
  axis: number,
  { terms, offset }: WindowTag,
): TaggedValue {
  const [outer, inner] = tilingOrder(terms);
  const count = windowExtent([outer, inner]);
  const cuts = tags.map((tag, i): Cut => everything(value.shape[i], tag));
  cuts[axis] = { ...cuts[axis], start: offset, count };
  const tiles =
    equal(inner.step, one) && equal(outer.step, inner.label.size)
      ? multiply(outer.label.size, inner.label.size)
      : null;
  if (tiles !== null) cuts[axis] = { ...cuts[axis], count: tiles };
  const sliced = cut(builder, value, cuts).value;
  const labelTags: Tag[] = [outer, inner].map(({ label }) => ({ kind: 'label', label }));
  const facing = (made: Value, axes: readonly number[]): Value =>
    builder.reverse(
      made,
      [outer, inner].flatMap((term, i) => (term.mirrored ? [axes[i]] : [])),
    );
  if (tiles !== null) {
    const sizes = [outer.label.size, inner.label.size];
    const split = builder.reshape(sliced, sliced.shape.toSpliced(axis, 1, ...sizes));
    return {
      value: facing(split, [axis, axis + 1]),
      tags: tags.toSpliced(axis, 1, ...labelTags),
    };
  }
  const unfolded = builder.unfold(sliced, {
    axes: [axis],
    sizes: [inner.label.size],
    strides: [outer.step],
    dilations: [inner.step],
  });
  return {
    value: facing(unfolded, [axis, tags.length]),
    tags: [...tags.with(axis, labelTags[0]), labelTags[1]],
  };
}

/** The label that counts windows first: the one whose step is the other's size, or the outer one. */
function tilingOrder([a, b]: WindowTag['terms']): WindowTag['terms'] {
  return equal(a.step, one) && equal(b.step, a.label.size) ? [b, a] : [a, b];
}

function repeatElements(builder: Builder, read: TaggedValue): TaggedValue {
  return read.tags.reduce((current, tag, axis): TaggedValue => {
    if (tag.kind !== 'repeat') return current;
    const { value, tags } = current;
    const shape = value.shape.toSpliced(axis + 1, 0, tag.times);
    const axes = value.shape.map((_, i) => (i > axis ? i + 1 : i));
    const repeated = builder.broadcastInDim(value, shape, axes);
    return {
      value: builder.reshape(repeated, value.shape.with(axis, tag.label.size)),
      tags: tags.with(axis, { kind: 'label', label: tag.label }),
    };
  }, read);
}

/** Axes that have one label together: their diagonal, as a strided slice of both axes flattened. */
function takeDiagonals(builder: Builder, read: TaggedValue): TaggedValue {
  const labels = read.tags.map((tag) => (tag.kind === 'label' ? tag.label.id : null));
  const second = labels.findIndex((id, axis) => id !== null && labels.indexOf(id) < axis);
  if (second < 0) return read;
  const first = labels.indexOf(labels[second]);
  const others = labels.map((_, axis) => axis).filter((axis) => axis !== first && axis !== second);
  const { value, tags } = read;
  const size = value.shape[first];
  const rest = others.map((axis) => value.shape[axis]);
  const front = builder.transpose(value, [first, second, ...others]);
  const flat = builder.reshape(front, [multiply(size, size), ...rest]);
  const diagonal = builder.slice(
    flat,
    flat.shape.map(() => zero),
    [multiply(size, size), ...rest],
    [add(size, one), ...rest.map(() => one)],
  );
  const shape = [size, ...rest];
  return takeDiagonals(builder, {
    value: builder.reshape(diagonal, shape),
    tags: [tags[first], ...others.map((axis) => tags[axis])],
  });
}

// Windows under a binder: sums of a windowed read times a kernel are convolutions, largest elements and sums of a windowed
// read alone are pools.

import type { Label, TensorValue } from '../builtins/elaboration.ts';
import { labelAxis, reduceLabels, tensorOf, varies } from '../builtins/labelled.ts';
import {
  add,
  equal,
  floorDivide,
  isConstant,
  multiply,
  one,
  subtract,
  zero,
} from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import type { Builder } from '../ir/builder-types.ts';
import {
  windowExtent,
  type TaggedValue,
  type Tag,
  type WindowTag,
  type WindowTerm,
} from './axes.ts';

/** A window whose one index counts positions and whose other, bound by the binder, counts taps. */
interface Window {
  readonly axis: number;
  readonly position: WindowTerm;
  readonly tap: WindowTerm;
  readonly tag: WindowTag;
}

const includes = (labels: readonly Label[], label: Label): boolean =>
  labels.some((l) => l.id === label.id);

export const hasWindows = (read: TaggedValue): boolean =>
  read.tags.some((tag) => tag.kind === 'window');

/** The windows of a read, or null where one is not position and tap, or an index of one occurs elsewhere too. */
function windowsOf(read: TaggedValue, bound: readonly Label[]): readonly Window[] | null {
  const windows: Window[] = [];
  const seen = read.tags.flatMap((tag) => (tag.kind === 'label' ? [tag.label] : []));
  for (const [axis, tag] of read.tags.entries()) {
    if (tag.kind === 'label') continue;
    if (tag.kind !== 'window') return null;
    const [a, b] = tag.terms;
    const isTap = (term: WindowTerm): boolean => includes(bound, term.label);
    if (isTap(a) === isTap(b) || includes(seen, a.label) || includes(seen, b.label)) return null;
    seen.push(a.label, b.label);
    const [position, tap] = isTap(a) ? [b, a] : [a, b];
    if (position.mirrored) return null;
    windows.push({ axis, tag, position, tap });
  }
  return windows.length >= 1 && windows.length <= 3 ? windows : null;
}

const labelsOfTags = (tags: readonly Tag[]): Label[] =>
  tags.flatMap((tag) => (tag.kind === 'label' ? [tag.label] : []));

const byId = (labels: readonly Label[]): Label[] => labels.toSorted((a, b) => a.id - b.id);

const sizeOfLabels = (labels: readonly Label[]): Dim =>
  labels.reduce((product, { size }) => multiply(product, size), one);

/**
 * `sum over bound of read * kernel` as a convolution: taps are the kernel's spatial axes, indices in both and summed the input
 * channels, indices in both and kept the groups, the kernel's own the output channels. Null where it is none.
 */
export function convolve(
  builder: Builder,
  read: TaggedValue,
  kernel: TensorValue,
  bound: readonly Label[],
): TensorValue | null {
  const windows = windowsOf(read, bound);
  if (windows === null) return null;
  const taps = windows.map(({ tap }) => tap.label);
  const positions = windows.map(({ position }) => position.label);
  if (!taps.every((tap) => varies(kernel, tap)) || positions.some((p) => varies(kernel, p)))
    return null;
  const data = labelsOfTags(read.tags);
  const inKernel = (label: Label): boolean => varies(kernel, label);
  // An index that is summed in one of the two alone would have to be summed first; that is no convolution.
  if (data.some((label) => includes(bound, label) && !inKernel(label))) return null;
  const ownOfKernel = kernel.labels.filter((l) => !includes(data, l) && !includes(taps, l));
  if (ownOfKernel.some((label) => includes(bound, label))) return null;
  const channels = byId(data.filter((label) => includes(bound, label)));
  const groups = byId(data.filter((label) => !includes(bound, label) && inKernel(label)));
  const batch = data.filter((label) => !inKernel(label));
  const outputs = byId(ownOfKernel);
  const x = toImages(builder, read, windows, batch, [...groups, ...channels]);
  const w = toKernels(builder, kernel, [...groups, ...outputs], channels, windows);
  const y = builder.convolution(x, w, convolutionWindow(windows, read), sizeOfLabels(groups));
  const labels = [...batch, ...groups, ...outputs, ...positions];
  const shape = labels.map((label) => label.size);
  return tensorOf(builder.reshape(y, shape), labels);
}

/** [batch, channels, spatial..] */
function toImages(
  builder: Builder,
  { value, tags }: TaggedValue,
  windows: readonly Window[],
  batch: readonly Label[],
  channels: readonly Label[],
): TensorValue['value'] {
  const axisOf = (label: Label): number =>
    tags.findIndex((tag) => tag.kind === 'label' && tag.label.id === label.id);
  const spatial = windows.map(({ axis }) => axis);
  const ordered = builder.transpose(value, [
    ...batch.map(axisOf),
    ...channels.map(axisOf),
    ...spatial,
  ]);
  return builder.reshape(ordered, [
    sizeOfLabels(batch),
    sizeOfLabels(channels),
    ...spatial.map((axis) => value.shape[axis]),
  ]);
}

/** [groups * outputs, channels, taps..]; mirrored taps are turned round. */
function toKernels(
  builder: Builder,
  kernel: TensorValue,
  outputs: readonly Label[],
  channels: readonly Label[],
  windows: readonly Window[],
): TensorValue['value'] {
  const turned = windows.flatMap(({ tap }) => (tap.mirrored ? [labelAxis(kernel, tap.label)] : []));
  const taps = windows.map(({ tap }) => tap.label);
  const order = [...outputs, ...channels, ...taps].map((label) => labelAxis(kernel, label));
  const facing = builder.reverse(kernel.value, turned);
  return builder.reshape(builder.transpose(facing, order), [
    sizeOfLabels(outputs),
    sizeOfLabels(channels),
    ...taps.map((tap) => tap.size),
  ]);
}

type ConvolutionWindow = Parameters<Builder['convolution']>[2];

function convolutionWindow(windows: readonly Window[], read: TaggedValue): ConvolutionWindow {
  return {
    strides: windows.map(({ position }) => position.step),
    padding: windows.map((window) => paddingOf(window, read.value.shape[window.axis])),
    lhsDilation: windows.map(({ tag }) => add(tag.padding?.interior ?? zero, one)),
    rhsDilation: windows.map(({ tap }) => tap.step),
  };
}

/** Zeros before and after one axis, so that there are as many windows as positions; negative where elements are left out. */
function paddingOf({ tag, position, tap }: Window, size: Dim): { low: Dim; high: Dim } {
  const given = tag.padding ?? { low: zero, high: zero, interior: zero };
  const dilated = add(multiply(subtract(size, one), add(given.interior, one)), one);
  const low = subtract(given.low, tag.offset);
  const taps = add(multiply(subtract(tap.label.size, one), tap.step), one);
  const windows = (high: Dim): Dim =>
    add(floorDivide(subtract(add(add(low, dilated), high), taps), position.step), one);
  // The declared padding where it gives the right number: the same on both sides, and free of the sizes.
  if (equal(windows(given.high), position.label.size)) return { low, high: given.high };
  return { low, high: subtract(windowExtent([position, tap]), add(low, dilated)) };
}

/**
 * The largest element, or the sum, of the windows of a read: a pool over the taps, which are all bound; what else is bound is
 * left to the caller. Null where the read has other windows.
 */
export function pool(
  builder: Builder,
  kind: 'max' | 'min' | 'add',
  read: TaggedValue,
  bound: readonly Label[],
): TensorValue | null {
  const windows = windowsOf(read, bound);
  // Ties go to the first tap in the order of the index, which a pool would take for the last where it is mirrored.
  if (windows === null || windows.some(({ tag, tap }) => tag.padding !== null || tap.mirrored))
    return null;
  const x = fitWindows(builder, read, windows);
  const window = {
    axes: windows.map(({ axis }) => axis),
    sizes: windows.map(({ tap }) => tap.label.size),
    strides: windows.map(({ position }) => position.step),
    dilations: windows.map(({ tap }) => tap.step),
  };
  const apply = (op: string, value: typeof x): typeof x => builder.emit(op, [value], { window })[0];
  const pooled = {
    max: () => apply('max_pool', x),
    min: () => builder.negate(apply('max_pool', builder.negate(x))),
    add: () => apply('sum_pool', x),
  }[kind]();
  const labels = read.tags.map((tag, axis) => {
    if (tag.kind === 'label') return tag.label;
    const at = windows.find((w) => w.axis === axis);
    if (at === undefined) throw new Error('an axis of a pool is neither index nor window');
    return at.position.label;
  });
  const result = tensorOf(pooled, labels);
  const others = bound.filter((label) => varies(result, label));
  return others.length === 0 ? result : reduceLabels(builder, kind, result, others);
}

/** The read's value without the elements that no window reaches, where these would make more windows. */
function fitWindows(
  builder: Builder,
  { value }: TaggedValue,
  windows: readonly Window[],
): TaggedValue['value'] {
  const starts = value.shape.map(() => zero);
  const limits = [...value.shape];
  for (const { axis, position, tap, tag } of windows) {
    const taps = windowExtent([tap]);
    const count = add(floorDivide(subtract(value.shape[axis], taps), position.step), one);
    if (equal(tag.offset, zero) && equal(count, position.label.size)) continue;
    starts[axis] = tag.offset;
    limits[axis] = add(tag.offset, windowExtent([position, tap]));
  }
  const whole = limits.every((limit, axis) => equal(limit, value.shape[axis]));
  return whole && starts.every((start) => (isConstant(start) ?? 1) === 0)
    ? value
    : builder.slice(value, starts, limits);
}

// Windows in WGSL: what unfold, fold, the pools and their gradients share. A gradient does not scatter: each element of x looks for the
// windows that lie over it.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import { countShape, isTiling, type WindowAttribute } from '../../ir/window-geometry.ts';
import { divide, flatten, modulo, type Index } from './indices.ts';
import { all, type Code, type Element } from './lowering.ts';

/** Where tap `taps` of window `window` reads. */
export function tapIndex(
  at: readonly Index[],
  taps: readonly Index[],
  window: WindowAttribute,
): Index[] {
  const read = [...at];
  window.axes.forEach((axis, i) => {
    const first = dims.multiply(at[axis], window.strides[i]);
    read[axis] = dims.add(first, dims.multiply(taps[i], window.dilations[i]));
  });
  return read;
}

/** Taps an axis that are written one by one. */
const mostWritten = 4;

/** Runs `body` for the taps of a window, the last axis fastest: written out along an axis with few, else in a loop. */
export function eachTap(
  code: Code,
  window: WindowAttribute,
  body: (taps: readonly Index[]) => void,
  outer: readonly Index[] = [],
): void {
  const axis = outer.length;
  if (axis === window.sizes.length) return body(outer);
  const within = (tap: Index): void => eachTap(code, window, body, [...outer, tap]);
  const count = dims.isConstant(window.sizes[axis]) ?? Infinity;
  if (count > mostWritten) code.loop('tap', window.sizes[axis], within);
  else for (let tap = 0; tap < count; tap++) within(dims.constant(tap));
}

/** Where an element lies among windows that tile: in which window, at which tap, and the condition that there is one. */
function tileOver(
  code: Code,
  window: WindowAttribute,
  index: readonly Index[],
  shape: readonly Dim[],
) {
  const counts = countShape(shape, window);
  const at = [...index];
  window.axes.forEach((axis, i) => (at[axis] = divide(index[axis], window.sizes[i])));
  const taps = window.axes.map((axis, i) => modulo(index[axis], window.sizes[i]));
  return { at, taps, holds: all(window.axes.map((axis) => code.below(at[axis], counts[axis]))) };
}

/** Runs `body` for every window that has a tap on element `index` of a tensor of `shape`. */
function eachWindowOver(
  code: Code,
  window: WindowAttribute,
  index: readonly Index[],
  shape: readonly Dim[],
  body: (at: readonly Index[], taps: readonly Index[]) => void,
): void {
  const counts = countShape(shape, window);
  eachTap(code, window, (taps) => {
    const at = [...index];
    const holds = window.axes.flatMap((axis, i) => {
      const stride = window.strides[i];
      const first = dims.subtract(index[axis], dims.multiply(taps[i], window.dilations[i]));
      at[axis] = divide(first, stride);
      const isWhole = dims.equal(stride, dims.one)
        ? null
        : `${code.text(modulo(first, stride))} == 0u`;
      return [code.below(first, dims.multiply(counts[axis], stride)), isWhole];
    });
    code.when(all(holds), () => body(at, taps));
  });
}

type Windowed = Element<{ readonly window: WindowAttribute }>;

/** The sum of a window. */
export function windowSum({ index, attributes: { window }, read, code }: Windowed): string[] {
  const sum = code.variable('sum', 'f32', '0.0');
  eachTap(code, window, (taps) =>
    code.assign(sum, `${sum} + ${read(0, tapIndex(index, taps, window))}`),
  );
  return [sum];
}

/** The largest element of a window. */
export function windowMaximum({ index, attributes: { window }, read, code }: Windowed): string[] {
  const first = window.axes.map(() => dims.zero);
  const largest = code.variable('largest', 'f32', read(0, tapIndex(index, first, window)));
  eachTap(code, window, (taps) => {
    const x = code.bind('x', read(0, tapIndex(index, taps, window)));
    code.assign(largest, `select(${largest}, ${x}, ${x} > ${largest})`);
  });
  return [largest];
}

/** Which tap of a window is its first largest element. */
export function windowArgMax({ index, attributes: { window }, read, code }: Windowed): string[] {
  const first = window.axes.map(() => dims.zero);
  const largest = code.variable('largest', 'f32', read(0, tapIndex(index, first, window)));
  const position = code.variable('position', 'i32', '0');
  eachTap(code, window, (taps) => {
    const number = flatten(taps, window.sizes);
    if (dims.equal(number, dims.zero)) return;
    const x = code.bind('x', read(0, tapIndex(index, taps, window)));
    const isLarger = code.bind('is_larger', `${x} > ${largest}`);
    code.assign(position, `select(${position}, i32(${code.text(number)}), ${isLarger})`);
    code.assign(largest, `select(${largest}, ${x}, ${isLarger})`);
  });
  return [position];
}

/** Windows that tile lie one over each element; of others, a sum looks for those that do. */
export const costOfSum = ({ window }: Windowed['attributes']): 'cheap' | 'long' =>
  isTiling(window) ? 'cheap' : 'long';

/** The sum of operand 0 over the windows that lie on the element, at the windows or, `each`, at their taps. */
export const sumOfWindows =
  (each: 'window' | 'tap') =>
  ({ index, outputs: [out], attributes: { window }, read, code }: Windowed): string[] => {
    const readAt = (at: readonly Index[], taps: readonly Index[]): string =>
      read(0, each === 'tap' ? [...at, ...taps] : at);
    if (isTiling(window)) {
      const { at, taps, holds } = tileOver(code, window, index, out.shape);
      const [then, otherwise] = [() => readAt(at, taps), () => '0.0'];
      return [code.choose('f32', holds, then, otherwise)];
    }
    const sum = code.variable('sum', 'f32', '0.0');
    eachWindowOver(code, window, index, out.shape, (at, taps) =>
      code.assign(sum, `${sum} + ${readAt(at, taps)}`),
    );
    return [sum];
  };

// Windows in WGSL: what unfold, fold, the pools and their gradients share. A gradient does not scatter: each element of x looks for the
// windows that lie over it.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import { countShape, isTiling, type WindowAttribute } from '../../ir/window-geometry.ts';
import { divide, flatten, modulo, type Index } from './indices.ts';
import { all, never, type Code, type Element } from './lowering.ts';

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

/** Runs `body` for every window that has a tap on element `index` of a tensor of `shape`. */
export function eachWindowOver(
  code: Code,
  window: WindowAttribute,
  index: readonly Index[],
  shape: readonly Dim[],
  body: (at: readonly Index[], taps: readonly Index[]) => void,
): void {
  const counts = countShape(shape, window);
  const placed = (
    taps: readonly Index[],
    at: readonly Index[],
    holds: readonly (string | null)[],
  ) => code.when(all(holds), () => body(at, taps));
  if (isTiling(window)) {
    const at = [...index];
    window.axes.forEach((axis, i) => (at[axis] = divide(index[axis], window.sizes[i])));
    const taps = window.axes.map((axis, i) => modulo(index[axis], window.sizes[i]));
    placed(
      taps,
      at,
      window.axes.map((axis) => code.below(at[axis], counts[axis])),
    );
    return;
  }
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
    placed(taps, at, holds);
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

/** The sum of operand 0 over the windows that lie on the element, at the windows or, `each`, at their taps. */
export const sumOfWindows =
  (each: 'window' | 'tap') =>
  ({ index, outputs: [out], attributes: { window }, read, code }: Windowed): string[] => {
    const sum = code.variable('sum', 'f32', '0.0');
    eachWindowOver(code, window, index, out.shape, (at, taps) =>
      code.assign(sum, `${sum} + ${read(0, each === 'tap' ? [...at, ...taps] : at)}`),
    );
    return [sum];
  };

/** g of the windows over the element whose first largest element it is; operands x, y = max_pool(x), g. */
export function maximumGradient({
  index,
  outputs: [out],
  attributes: { window },
  read,
  code,
}: Windowed): string[] {
  const sum = code.variable('sum', 'f32', '0.0');
  const x = code.bind('x', read(0, index));
  eachWindowOver(code, window, index, out.shape, (at, taps) => {
    const largest = code.bind('largest', read(1, at));
    const isFirst = code.variable('is_first', 'bool', `${x} == ${largest}`);
    eachTap(code, window, (others) => {
      const isBefore = code.below(flatten(others, window.sizes), flatten(taps, window.sizes));
      if (isBefore === never) return;
      const other = code.bind('other', read(0, tapIndex(at, others, window)));
      const isSame = all([isBefore, `${other} == ${largest}`]);
      code.assign(isFirst, `${isFirst} & !(${isSame})`);
    });
    code.assign(sum, `${sum} + select(0.0, ${read(2, at)}, ${isFirst})`);
  });
  return [sum];
}

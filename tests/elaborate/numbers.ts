// What tests of values and derivatives share: small tensors in float64, results of one function, closeness, central differences.

import { expect } from 'vitest';

import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { program, run } from './compile-text.ts';

export const scalar = (x: number): Tensor => tensor('f32', [], [x], 'f64');

export const vector = (...x: number[]): Tensor => tensor('f32', [x.length], x, 'f64');

/** The results of the only export fn, in float64. */
export const results = (
  text: string,
  feeds: Readonly<Record<string, Tensor>>,
): Record<string, Tensor> => run(program(text).functions[0].graph, feeds);

export function close(actual: Tensor, expected: ArrayLike<number>, digits = 10): void {
  expect(actual.data.length).toBe(expected.length);
  Array.from(actual.data).forEach((x, i) => expect(x, `[${i}]`).toBeCloseTo(expected[i], digits));
}

/** Central differences of a scalar result by the input `name`. */
export function differences(
  text: string,
  feeds: Readonly<Record<string, Tensor>>,
  name: string,
  result: string,
): number[] {
  const { graph } = program(text).functions[0];
  const step = 1e-5;
  const at = (i: number, by: number): number => {
    const data = feeds[name].data.slice();
    data[i] += by;
    return run(graph, { ...feeds, [name]: { ...feeds[name], data } })[result].data[0];
  };
  return Array.from(feeds[name].data, (_, i) => (at(i, step) - at(i, -step)) / (2 * step));
}

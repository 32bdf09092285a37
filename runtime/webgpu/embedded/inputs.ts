// Inputs as the caller gives them, held against their declarations. What does not fit is an Error that names the input, what it should
// be, and what was given.

import { arrays, count } from './tensors.ts';
import type { Feed, Feeds, Given, Numbers, Plan, PlanInput, Shape, Sizes } from './types.ts';

/** Checks the elements of an input. */
export type CheckElements = (input: PlanInput, data: Numbers, sizes: Sizes) => void;

/** The inputs in the order of the plan, and the values of the free sizes. */
export function fit(
  plan: Plan,
  feeds: Feeds,
  checkElements?: CheckElements,
): readonly [given: readonly Given[], sizes: Uint32Array<ArrayBuffer>] {
  const given = plan.inputs.map((input) => givenAs(input, feeds[input.name]));
  // Whole, or the shapes below differ.
  const sizes = Uint32Array.from(plan.sizes(given));
  plan.inputs.forEach((input, i) => {
    const { name, type, dtype, shape } = input;
    const expected = describe(arrays[dtype].name, shape(sizes));
    const { data, dtype: kind, shape: own } = given[i];
    const found = data
      ? describe(data.constructor.name, own, data.length)
      : describe(arrays[kind].name, own);
    if (found !== expected)
      throw Error(`input ${name} should be ${type}, here ${expected}, but is ${found}`);
    if (data) checkElements?.(input, data, sizes);
  });
  return [given, sizes];
}

/** `Float32Array(2352) [3, 784]`. */
const describe = (array: string, shape: Shape, length = count(shape)): string =>
  `${array}(${length}) [${shape.join(', ')}]`;

function givenAs({ name, type, dtype, shape }: PlanInput, feed: Feed | undefined): Given {
  if (feed === undefined) throw Error(`input ${name} should be ${type}, but is missing`);
  if (typeof feed !== 'object') return { data: arrays[dtype].of(feed as number), shape: [] };
  if (!ArrayBuffer.isView(feed)) return feed;
  const declared = shape([]);
  const free = (feed.length / count(declared.filter((size) => size >= 0))) | 0;
  return { data: feed, shape: declared.map((size) => (size >= 0 ? size : free)) };
}

// Inputs as the caller gives them, checked against their declarations. What is wrong is an Error that names the input, what it should
// be, and what was given.

import { arrays, count } from './tensors.ts';
import type { Feed, Feeds, GpuTensor, HostTensor, Plan, PlanInput, Shape } from './types.ts';

export type Given = HostTensor | GpuTensor;

const refuse = ({ name, dtype, type }: PlanInput, why: string): Error =>
  new Error(`input ${name} should be ${arrays[dtype].name} ${type}, but ${why}`);

const show = (shape: Shape): string => `[${shape.join(', ')}]`;

/** The inputs in the order of the plan, and the values of the free sizes. */
export function fit(
  plan: Plan,
  feeds: Feeds,
): { readonly given: readonly Given[]; readonly sizes: readonly number[] } {
  const given = plan.inputs.map((input) => givenAs(input, feeds[input.name]));
  const shapes = plan.inputs.map(({ least }, i) =>
    least === undefined ? given[i].shape : (given[i] as HostTensor).data,
  );
  const sizes = plan
    .sizes(shapes)
    .map((size) => (Number.isInteger(size) && size >= 0 ? size : NaN));
  plan.inputs.forEach((input, i) => check(input, given[i], sizes));
  return { given, sizes };
}

function givenAs(input: PlanInput, feed: Feed | undefined): Given {
  const { dtype } = input;
  const declared = input.shape([]);
  if (feed === undefined || feed === null) throw refuse(input, 'it is missing');
  const tensor =
    typeof feed === 'number' || typeof feed === 'boolean'
      ? { data: arrays[dtype].of(Number(feed)), shape: [] }
      : ArrayBuffer.isView(feed)
        ? { data: feed, shape: shapeOf(declared, feed.length) }
        : feed;
  if (!isWhole(tensor)) throw refuse(input, 'its shape is missing: give { data, shape }');
  const kind = 'data' in tensor ? tensor.data.constructor.name : arrays[tensor.dtype].name;
  if (kind !== arrays[dtype].name) throw refuse(input, `${kind} was given`);
  const { shape } = tensor;
  if (shape.length !== declared.length) throw refuse(input, `${show(shape)} was given`);
  if ('data' in tensor && (tensor.data.length !== count(shape) || shape.some((size) => size % 1)))
    throw refuse(input, `${tensor.data.length} elements were given`);
  return tensor;
}

const isWhole = (tensor: { readonly shape: Shape | undefined }): tensor is Given => !!tensor.shape;

/** The shape of a flat array, where at most one axis is not known. */
function shapeOf(declared: Shape, length: number): Shape | undefined {
  const known = declared.filter((size) => size >= 0);
  if (known.length < declared.length - 1) return undefined;
  return declared.map((size) => (size >= 0 ? size : length / count(known)));
}

function check(input: PlanInput, tensor: Given, sizes: readonly number[]): void {
  const expected = input.shape(sizes);
  if (expected.some((size, axis) => size !== tensor.shape[axis]))
    throw refuse(input, `${show(tensor.shape)} was given, not ${show(expected)}`);
  if (!('data' in tensor)) return;
  const { least = -Infinity, below = () => Infinity } = input;
  const limit = below(sizes);
  const from = input.below ? 0 : least;
  const at = tensor.data.findIndex((value) => value < from || value >= limit);
  if (at >= 0)
    throw new Error(
      `input ${input.name} holds ${tensor.data[at]} at ${at}, but is to be ${limit < Infinity ? `from 0 to ${limit - 1}` : `at least ${least}`}`,
    );
}

// The distributions that `~` draws from, in `param W: [m, n] ~ normal(0, 1)` and in `e: [B, z] ~ normal(0, 1)`. One record
// each: what it may be declared as, whether gradients reach its parameters, how it is made of noise (random.ts).

import type { Base, TensorType } from '../check/types.ts';
import type { Dim } from '../dims/dim.ts';
import type { Value } from '../ir/graph.ts';
import type { Elaborated } from './elaboration.ts';
import { asTensor, elementwise, spread, tensorOf } from './labelled.ts';
import {
  standardExponential,
  standardGumbel,
  standardNormal,
  uniformInteger,
  unitInterval,
  words,
  type Site,
} from './random.ts';

export interface Distribution {
  readonly name: string;
  readonly doc: string;
  readonly signature: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly default: number | null;
    /** One number, or a tensor that the draw's shape ends with; `outcomes`: with one more axis, a number for each outcome. */
    readonly shape: 'element' | 'outcomes';
  }[];
  /** What a draw may be declared as. */
  readonly bases: readonly Base['kind'][];
  /** The shape that draws have, where it is not free: a sentence if `type` is none. */
  readonly shape?: (type: TensorType, sameSize: (a: Dim, b: Dim) => boolean) => string | null;
  /** Whether gradients reach the parameters, the noise taken as constant. */
  readonly smooth: boolean;
  /** The draw, of the site's shape. `outcomes`: n, where it is declared `fin(n)`. */
  readonly draw: (site: Site, parameters: readonly Elaborated[], outcomes: Dim | null) => Value;
}

/** `shift + scale * x`, element by element, in the shape of the site. */
function affine({ builder, shape }: Site, x: Value, shift: Elaborated, scale: Elaborated): Value {
  const draws = tensorOf(builder.reshape(x, shape));
  const isNumber = (e: Elaborated, n: number): boolean => e.kind === 'number' && e.value === n;
  const real = (e: Elaborated) => asTensor(builder, e, 'f32');
  const scaled = isNumber(scale, 1)
    ? draws
    : elementwise(builder, [draws, real(scale)], (a, b) => builder.multiply(a, b));
  const shifted = isNumber(shift, 0)
    ? scaled
    : elementwise(builder, [scaled, real(shift)], (a, b) => builder.add(a, b));
  return spread(builder, shifted, [], shape);
}

const real = (site: Site, parameter: Elaborated) => asTensor(site.builder, parameter, 'f32');

const element = (name: string, value: number | null) =>
  ({ name, default: value, shape: 'element' }) as const;

const normal: Distribution = {
  name: 'normal',
  doc: 'Normal with mean `mu` and standard deviation `s`.',
  signature: 'normal(mu: real = 0, s: real = 1)',
  parameters: [element('mu', 0), element('s', 1)],
  bases: ['real'],
  smooth: true,
  draw: (site, [mu, s]) => affine(site, standardNormal(site), mu, s),
};

const uniform: Distribution = {
  name: 'uniform',
  doc: 'Uniform between `a`, which is possible, and `b`, which is not.',
  signature: 'uniform(a: real = 0, b: real = 1)',
  parameters: [element('a', 0), element('b', 1)],
  bases: ['real'],
  smooth: true,
  draw: (site, [a, b]) => {
    const { builder } = site;
    const unit = unitInterval(builder, words(site)[0]);
    if (a.kind === 'number' && b.kind === 'number')
      return affine(site, unit, a, { ...b, value: b.value - a.value });
    const [low, high] = [real(site, a), real(site, b)];
    const width = elementwise(builder, [high, low], (x, y) => builder.subtract(x, y));
    return affine(site, unit, low, width);
  },
};

const uniformOutcome: Distribution = {
  name: 'uniform',
  doc: 'Each of the outcomes 0..n-1 of a `fin(n)` as likely.',
  signature: 'uniform',
  parameters: [],
  bases: ['fin'],
  smooth: false,
  draw: (site, _, outcomes) => {
    if (outcomes === null) throw new Error('a draw without outcomes');
    return site.builder.reshape(uniformInteger(site, outcomes), site.shape);
  },
};

const exponential: Distribution = {
  name: 'exponential',
  doc: 'Exponential with mean 1 / `rate`.',
  signature: 'exponential(rate: real = 1)',
  parameters: [element('rate', 1)],
  bases: ['real'],
  smooth: true,
  draw: (site, [rate]) => {
    const { builder, shape } = site;
    const draws = builder.reshape(standardExponential(site), shape);
    return builder.divide(draws, spread(builder, real(site, rate), [], shape));
  },
};

const gumbel: Distribution = {
  name: 'gumbel',
  doc: 'Gumbel with location `mu` and scale `b`: the largest of many.',
  signature: 'gumbel(mu: real = 0, b: real = 1)',
  parameters: [element('mu', 0), element('b', 1)],
  bases: ['real'],
  smooth: true,
  draw: (site, [mu, b]) => affine(site, standardGumbel(site), mu, b),
};

const bernoulli: Distribution = {
  name: 'bernoulli',
  doc: 'True, or 1, with probability `p`, in steps of 2^-23.',
  signature: 'bernoulli(p: real = 0.5)',
  parameters: [element('p', 0.5)],
  bases: ['bool', 'int', 'real'],
  smooth: false,
  draw: (site, [p]) => {
    const { builder, shape } = site;
    const unit = builder.reshape(unitInterval(builder, words(site)[0]), shape);
    return builder.compare('lt', unit, spread(builder, real(site, p), [], shape));
  },
};

/**
 * The outcome k whose exponential waiting time E_k / p_k ends first: k wins with probability p_k / sum(p). The race needs no
 * logarithm of p, which would round differently on different targets.
 */
const categorical: Distribution = {
  name: 'categorical',
  doc: 'Outcome k of a `fin(n)` with probability `p[.., k]` divided by their sum.',
  signature: 'categorical(p: [.., n])',
  parameters: [{ name: 'p', default: null, shape: 'outcomes' }],
  bases: ['fin'],
  smooth: false,
  draw: (site, [p], outcomes) => {
    if (outcomes === null) throw new Error('a draw without outcomes');
    const { builder } = site;
    const shape = [...site.shape, outcomes];
    const waiting = builder.reshape(standardExponential({ ...site, shape }), shape);
    const times = builder.divide(waiting, spread(builder, real(site, p), [], shape));
    return builder.argMin(times, site.shape.length);
  },
};

/** Random keys in ascending order. Two of n keys are equal, and then in order, with probability n^2 / 2^33 at most. */
const permutation: Distribution = {
  name: 'permutation',
  doc: 'Each order of 0..n-1 as likely, along the last axis of a `fin(n)[.., n]`.',
  signature: 'permutation',
  parameters: [],
  bases: ['fin'],
  shape: ({ base, shape }, sameSize) => {
    const last = shape.at(-1);
    const size = base.kind === 'fin' ? base.size : null;
    return size !== null && last?.kind === 'size' && sameSize(last.size, size)
      ? null
      : 'it orders all of 0..n-1 along its last axis: `p: fin(n)[n] ~ permutation`';
  },
  smooth: false,
  draw: (site) => {
    const { builder, shape } = site;
    return builder.argSort(builder.reshape(words(site)[0], shape));
  },
};

const all: readonly Distribution[] = [
  normal,
  uniform,
  uniformOutcome,
  bernoulli,
  categorical,
  permutation,
  exponential,
  gumbel,
];

/** The names of what a draw of that base can come from. */
export const distributionNames = (base: Base['kind']): readonly string[] =>
  all.filter(({ bases }) => bases.includes(base)).map(({ name }) => name);

/** The distribution of that name for a draw of that base, else another of that name; null where the name means none. */
export function distributionFor(name: string, base: Base['kind']): Distribution | null {
  const named = all.filter((distribution) => distribution.name === name);
  return named.find(({ bases }) => bases.includes(base)) ?? named.at(0) ?? null;
}

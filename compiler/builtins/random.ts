// Random draws: `param W: [m, n] ~ normal(0, 1)`. Counter-based: element i of the draw named `net.l1.W` is the Threefry block
// of counter i under the key (seed, hash of the name), so draws do not depend on their order, and changing one part
// of a program leaves the draws of all others as they are.
//
// Bit-equal on every target: besides integers, only + - * / sqrt, comparisons and selection, all of which IEEE 754
// rounds in one way. The logarithm and the sine that a normal draw needs are polynomials here for that reason.

import { multiply, one } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import type { Builder } from '../ir/builder-types.ts';
import type { Value } from '../ir/graph.ts';
import type { Elaborated } from './elaboration.ts';
import { asTensor, elementwise, spread, tensorOf } from './labelled.ts';

export interface Distribution {
  readonly name: string;
  readonly doc: string;
  readonly signature: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly default: number | null;
  }[];
  readonly draw: (site: Site, parameters: readonly Elaborated[]) => Value;
}

/** One draw: the seed, the name whose hash is the other half of the key, and the shape. */
export interface Site {
  readonly builder: Builder;
  /** A u32 scalar. */
  readonly seed: Value;
  readonly name: string;
  readonly shape: readonly Dim[];
}

/** FNV-1a, 32 bits, of the UTF-8 bytes (Fowler, Noll, Vo). */
export function hashOfName(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Two independent u32 words an element, each [numel]. */
function words({ builder, seed, name, shape }: Site): readonly Value[] {
  const flat = [shape.reduce(multiply, one)];
  return builder.emit('threefry2x32', [
    builder.fill(seed, flat),
    builder.full(hashOfName(name), flat, 'u32'),
    builder.iota(flat, 0, 'u32'),
    builder.full(0, flat, 'u32'),
  ]);
}

/** Multiples of 2^-23 in [0, 1), each as likely: the top 23 bits, which f32 holds exactly. */
function unitInterval(builder: Builder, bits: Value): Value {
  const top = builder.binary('shift_right_logical', bits, builder.full(9, bits.shape, 'u32'));
  const scale = builder.full(2 ** -23, bits.shape);
  return builder.multiply(builder.convert(top, 'f32'), scale);
}

/** Arithmetic of a tensor with numbers, for polynomials. */
const withNumbers = (builder: Builder, shape: readonly Dim[]) => {
  const full = (value: number): Value => builder.full(value, shape);
  return {
    plus: (x: Value, c: number): Value => builder.add(x, full(c)),
    times: (x: Value, c: number): Value => builder.multiply(x, full(c)),
    below: (x: Value, c: number): Value => builder.compare('lt', x, full(c)),
    full,
  };
};

/** c0 + c1 x + c2 x^2 + ..., by Horner. */
function polynomial(builder: Builder, x: Value, coefficients: readonly number[]): Value {
  const { full, plus } = withNumbers(builder, x.shape);
  const [last, ...others] = coefficients.toReversed();
  return others.reduce((sum, c) => plus(builder.multiply(sum, x), c), full(last));
}

/**
 * ln u for 2^-23 <= u <= 1, within 1e-7 absolutely: powers of two are taken out until sqrt(1/2) <= u < sqrt(2), then
 * 2 artanh f = 2 (f + f^3 / 3 + ...) with f = (u - 1) / (u + 1), |f| < 0.1716; the first term left out is 1e-9.
 */
function logarithm(builder: Builder, u: Value): Value {
  const { plus, times, below, full } = withNumbers(builder, u.shape);
  let [x, exponent] = [u, full(0)];
  for (const [bound, bits] of [
    [2 ** -16, 16],
    [2 ** -8, 8],
    [2 ** -4, 4],
    [2 ** -2, 2],
    [2 ** -1, 1],
    [Math.SQRT1_2, 1],
  ]) {
    const small = below(x, bound);
    exponent = builder.select(small, plus(exponent, -bits), exponent);
    x = builder.select(small, times(x, 2 ** bits), x);
  }
  const f = builder.divide(plus(x, -1), plus(x, 1));
  const square = builder.multiply(f, f);
  const series = polynomial(builder, square, [2, 2 / 3, 2 / 5, 2 / 7, 2 / 9]);
  return builder.add(times(exponent, Math.LN2), builder.multiply(f, series));
}

/**
 * cos(2 pi w) for 0 <= w < 1, within 1e-7: -sin(2 pi b) with b = 1/4 - |w - 1/2|, by the Taylor series of the sine on
 * [-pi/2, pi/2], whose first term left out is at most 7e-10.
 */
function cosineOfTurns(builder: Builder, w: Value): Value {
  const { plus, times, below } = withNumbers(builder, w.shape);
  const centred = plus(w, -0.5);
  const distance = builder.select(below(centred, 0), times(centred, -1), centred);
  const angle = times(plus(times(distance, -1), 0.25), 2 * Math.PI);
  const square = builder.multiply(angle, angle);
  const inverseFactorials = [1, -6, 120, -5040, 362880, -39916800, 6227020800].map((n) => 1 / n);
  return times(builder.multiply(angle, polynomial(builder, square, inverseFactorials)), -1);
}

/** Standard normal draws by Box and Muller 1958, [numel]; at most 5.65 from 0, since the uniform is at least 2^-23. */
function standardNormal(site: Site): Value {
  const { builder } = site;
  const [first, second] = words(site);
  const { plus, times } = withNumbers(builder, first.shape);
  const u = plus(times(unitInterval(builder, first), -1), 1);
  const radius = builder.sqrt(times(logarithm(builder, u), -2));
  return builder.multiply(radius, cosineOfTurns(builder, unitInterval(builder, second)));
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

const normal: Distribution = {
  name: 'normal',
  doc: 'Normal with mean `mu` and standard deviation `s`.',
  signature: 'normal(mu: real = 0, s: real = 1)',
  parameters: [
    { name: 'mu', default: 0 },
    { name: 's', default: 1 },
  ],
  draw: (site, [mu, s]) => affine(site, standardNormal(site), mu, s),
};

const uniform: Distribution = {
  name: 'uniform',
  doc: 'Uniform between `a`, which is possible, and `b`, which is not.',
  signature: 'uniform(a: real = 0, b: real = 1)',
  parameters: [
    { name: 'a', default: 0 },
    { name: 'b', default: 1 },
  ],
  draw: (site, [a, b]) => {
    const { builder } = site;
    const unit = unitInterval(builder, words(site)[0]);
    if (a.kind === 'number' && b.kind === 'number')
      return affine(site, unit, a, { ...b, value: b.value - a.value });
    const [low, high] = [a, b].map((e) => asTensor(builder, e, 'f32'));
    const width = elementwise(builder, [high, low], (x, y) => builder.subtract(x, y));
    return affine(site, unit, low, width);
  },
};

/** What `~` draws from, by name. */
export const distributions: Readonly<Record<string, Distribution>> = { normal, uniform };

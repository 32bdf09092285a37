// Random bits and the noise made of them. Counter-based: element i of the draw named `net.l1.W` is the Threefry block of
// counter (i, stream) under the key (seed, hash of the name), so draws do not depend on their order, and changing one part
// of a program leaves the draws of all others as they are. The distributions (distributions.ts) shift and scale the noise.
//
// Bit-equal on every target: besides integers, only + - * / sqrt, comparisons and selection, all of which IEEE 754
// rounds in one way. The logarithm and the sine that a normal draw needs are polynomials here for that reason.

import { isConstant, multiply, one } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import type { Builder } from '../ir/builder-types.ts';
import type { Value } from '../ir/graph.ts';

/** One draw: the seed, the name whose hash is the other half of the key, and the shape. */
export interface Site {
  readonly builder: Builder;
  /** A u32 scalar. */
  readonly seed: Value;
  readonly name: string;
  /** A u32 scalar, the second word of the counter: which step of training draws. 0 where it is null. */
  readonly stream: Value | null;
  readonly shape: readonly Dim[];
}

/** FNV-1a, 32 bits, of the UTF-8 bytes (Fowler, Noll, Vo). */
export function hashOfName(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Two independent u32 words an element, each [numel]. */
export function words({ builder, seed, name, stream, shape }: Site): readonly Value[] {
  const flat = [shape.reduce(multiply, one)];
  return builder.emit('threefry2x32', [
    builder.fill(seed, flat),
    builder.full(hashOfName(name), flat, 'u32'),
    builder.iota(flat, 0, 'u32'),
    stream === null ? builder.full(0, flat, 'u32') : builder.fill(stream, flat),
  ]);
}

/** Multiples of 2^-23 in [0, 1), each as likely: the top 23 bits, which f32 holds exactly. */
export function unitInterval(builder: Builder, bits: Value): Value {
  const top = builder.binary('shift_right_logical', bits, builder.full(9, bits.shape, 'u32'));
  const scale = builder.full(2 ** -23, bits.shape);
  return builder.multiply(builder.convert(top, 'f32'), scale);
}

/** (2 k + 1) 2^-24 for k < 2^23, each as likely: never 0 nor 1, and exact in f32. */
function openInterval(builder: Builder, bits: Value): Value {
  const half = builder.full(2 ** -24, bits.shape);
  return builder.add(unitInterval(builder, bits), half);
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
 * ln u for 2^-31 <= u <= 1, within 1e-7 absolutely: powers of two are taken out until sqrt(1/2) <= u < sqrt(2), then
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
export function standardNormal(site: Site): Value {
  const { builder } = site;
  const [first, second] = words(site);
  const { plus, times } = withNumbers(builder, first.shape);
  const u = plus(times(unitInterval(builder, first), -1), 1);
  const radius = builder.sqrt(times(logarithm(builder, u), -2));
  return builder.multiply(radius, cosineOfTurns(builder, unitInterval(builder, second)));
}

/** Draws of the exponential distribution with mean 1, -ln u, [numel]; from 2^-24 to 16.7. */
export function standardExponential(site: Site): Value {
  const { builder } = site;
  const [first] = words(site);
  const { times } = withNumbers(builder, first.shape);
  return times(logarithm(builder, openInterval(builder, first)), -1);
}

/** Standard Gumbel draws, -ln(-ln u), [numel]; -ln u is taken as 32 times a number below 1, where the logarithm is exact. */
export function standardGumbel(site: Site): Value {
  const { builder } = site;
  const waiting = standardExponential(site);
  const { plus, times } = withNumbers(builder, waiting.shape);
  return times(plus(logarithm(builder, times(waiting, 1 / 32)), 5 * Math.LN2), -1);
}

/**
 * Whole numbers 0..size-1 as i32, [numel]: floor(w size / 2^32) of a random word w, each number as likely within 2^-32. The high
 * half of the product is made of products of 16 bits, as no target has it.
 */
export function uniformInteger(site: Site, size: Dim): Value {
  const { builder } = site;
  const [word] = words(site);
  const u32 = (value: number): Value => builder.full(value, word.shape, 'u32');
  const high = (x: Value): Value => builder.binary('shift_right_logical', x, u32(16));
  const low = (x: Value): Value => builder.binary('and', x, u32(0xffff));
  const known = isConstant(size);
  const sizes =
    known === null
      ? builder.fill(builder.convert(builder.dim(size), 'u32'), word.shape)
      : u32(known);
  const [a, b, c, d] = [high(word), low(word), high(sizes), low(sizes)];
  const middle = builder.add(builder.multiply(a, d), high(builder.multiply(b, d)));
  const other = builder.add(builder.multiply(b, c), low(middle));
  const product = builder.add(builder.add(builder.multiply(a, c), high(middle)), high(other));
  return builder.convert(product, 'i32');
}

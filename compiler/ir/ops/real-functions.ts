// Real functions that neither JavaScript nor ONNX has in the form needed, used by the elementwise families: their reference
// evaluations in double precision and their ONNX encodings.

import type { OnnxBuilder } from '../../emit/onnx/builder-types.ts';

/**
 * The error function, to about 1e-15: 2/sqrt(pi) e^(-x^2) sum of 2^n x^(2n+1) / (1 3 5 .. (2n+1)), whose terms are all of one
 * sign (Abramowitz and Stegun, 7.1.6).
 */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** The nearest integer; halves go to the even one. */
export function roundEven(x: number): number {
  const below = Math.floor(x);
  const fraction = x - below;
  if (fraction < 0.5) return below;
  if (fraction > 0.5 || below % 2 !== 0) return Math.ceil(x);
  return below;
}

/** Where |x| < 1/4 `near`, else `far`: there the direct formulas lose no more than two bits of a float32. */
const nearZero = (onnx: OnnxBuilder, x: string, near: string, far: string): string =>
  onnx.node('Where', [onnx.node('Less', [onnx.node('Abs', [x]), onnx.scalar(0.25)]), near, far]);

/** 1 + t1 x (1 + t2 x (1 + ...)). */
const nested = (onnx: OnnxBuilder, x: string, ratios: readonly number[]): string =>
  ratios.reduceRight(
    (inner, ratio) =>
      onnx.node('Add', [
        onnx.scalar(1),
        onnx.node('Mul', [onnx.node('Mul', [x, onnx.scalar(ratio)]), inner]),
      ]),
    onnx.scalar(1),
  );

/** e^x - 1: near 0 the Taylor series x (1 + x/2 (1 + x/3 (.. (1 + x/7)))), whose next term is 1.5e-9 of it at 1/4. */
export function expm1Onnx(onnx: OnnxBuilder, x: string): string {
  const series = nested(onnx, x, [1 / 2, 1 / 3, 1 / 4, 1 / 5, 1 / 6, 1 / 7]);
  const direct = onnx.node('Sub', [onnx.node('Exp', [x]), onnx.scalar(1)]);
  return nearZero(onnx, x, onnx.node('Mul', [x, series]), direct);
}

/**
 * log(1 + x): near 0 it is 2 artanh(s) = 2 s (1 + s^2/3 + s^4/5 + s^6/7), s = x / (2 + x), whose next term is 2e-8 of it at -1/4,
 * below the rounding of a float32.
 */
export function log1pOnnx(onnx: OnnxBuilder, x: string): string {
  const s = onnx.node('Div', [x, onnx.node('Add', [x, onnx.scalar(2)])]);
  const square = onnx.node('Mul', [s, s]);
  const series = nested(onnx, square, [1 / 3, 3 / 5, 5 / 7]);
  const near = onnx.node('Mul', [onnx.node('Add', [s, s]), series]);
  const direct = onnx.node('Log', [onnx.node('Add', [x, onnx.scalar(1)])]);
  return nearZero(onnx, x, near, direct);
}

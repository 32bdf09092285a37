// Functions that kernels call: what WGSL lacks, or computes otherwise than the reference. WGSL lets a compiler assume that there are no
// NaNs and infinities, and leaves tanh of large and log of 0 to the driver (on SwiftShader tanh(100) is NaN and log(0) is -88), so
// these guard themselves, and NaN is told by its bits.

import { groups, parity, rotations } from '../../ir/threefry.ts';

interface Helper {
  readonly text: string;
  readonly uses?: readonly string[];
}

const helpers: Readonly<Record<string, Helper>> = {
  // No constant expression may be infinite or NaN, so the bits pass through a variable.
  infinity: {
    text: `
fn infinity() -> f32 {
  var bits = 0x7f800000u;
  return bitcast<f32>(bits);
}`,
  },
  not_a_number: {
    text: `
fn not_a_number() -> f32 {
  var bits = 0x7fc00000u;
  return bitcast<f32>(bits);
}`,
  },
  is_nan: {
    text: `
fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}`,
  },
  maximum: {
    text: `
fn maximum(a: f32, b: f32) -> f32 {
  return select(b, a, a > b || is_nan(a));
}`,
    uses: ['is_nan'],
  },
  minimum: {
    text: `
fn minimum(a: f32, b: f32) -> f32 {
  return select(b, a, a < b || is_nan(a));
}`,
    uses: ['is_nan'],
  },
  sign_of: {
    text: `
fn sign_of(x: f32) -> f32 {
  return select(sign(x), x, is_nan(x));
}`,
    uses: ['is_nan'],
  },
  logarithm: {
    text: `
fn logarithm(x: f32) -> f32 {
  if (x > 0.0) {
    return select(log(x), x, x > 3.4028234e38);
  }
  return select(not_a_number(), -infinity(), x == 0.0);
}`,
    uses: ['not_a_number', 'infinity'],
  },
  square_root: {
    text: `
fn square_root(x: f32) -> f32 {
  return select(sqrt(x), not_a_number(), x < 0.0);
}`,
    uses: ['not_a_number'],
  },
  inverse_square_root: {
    text: `
fn inverse_square_root(x: f32) -> f32 {
  return select(1.0 / sqrt(x), not_a_number(), x < 0.0);
}`,
    uses: ['not_a_number'],
  },
  exponential: {
    text: `
fn exponential(x: f32) -> f32 {
  return select(exp(x), x, is_nan(x));
}`,
    uses: ['is_nan'],
  },
  expm1: {
    text: `
fn expm1(x: f32) -> f32 {
  let series = x * (1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0 * (1.0 + x / 6.0 * (1.0 + x / 7.0))))));
  return select(exponential(x) - 1.0, series, abs(x) < 0.25);
}`,
    uses: ['exponential'],
  },
  log1p: {
    text: `
fn log1p(x: f32) -> f32 {
  let s = x / (2.0 + x);
  let square = s * s;
  let series = 2.0 * s * (1.0 + square * (1.0 / 3.0 + square * (1.0 / 5.0 + square / 7.0)));
  return select(logarithm(1.0 + x), series, abs(x) < 0.25);
}`,
    uses: ['logarithm'],
  },
  // (1 - e^-2|x|) / (1 + e^-2|x|), with the sign of x: nothing overflows, and small x keep their digits.
  hyperbolic_tangent: {
    text: `
fn hyperbolic_tangent(x: f32) -> f32 {
  let below = expm1(-2.0 * abs(x));
  let size = -below / (2.0 + below);
  return select(size, -size, x < 0.0);
}`,
    uses: ['expm1'],
  },
  logistic: {
    text: `
fn logistic(x: f32) -> f32 {
  let e = exponential(-abs(x));
  return select(1.0, e, x < 0.0) / (1.0 + e);
}`,
    uses: ['exponential'],
  },
  // A rational function on [-4, 4], beyond which erf rounds to 1 (the coefficients of Eigen's and XLA's erf).
  erf: {
    text: `
fn erf(x: f32) -> f32 {
  let c = select(clamp(x, -4.0, 4.0), x, is_nan(x));
  let s = c * c;
  let top = -1.60960333262415e-2 + s * (-2.95459980854025e-3 + s * (-7.34990630326855e-4 + s * (-5.69250639462346e-5
    + s * (-2.10102402082508e-6 + s * (2.77068142495902e-8 + s * -2.72614225801306e-10)))));
  let bottom = -1.42647390514189e-2 + s * (-7.37332916720468e-3 + s * (-1.68282697438203e-3 + s * (-2.13374055278905e-4
    + s * -1.45660718464996e-5)));
  return c * top / bottom;
}`,
    uses: ['is_nan'],
  },
  // The quadrant of x and what is left of it, pi/2 being taken off in three parts (Cody and Waite 1980): good to |x| of 10,000.
  quadrant: {
    text: `
fn quadrant(x: f32) -> f32 {
  return round(x * 0.636619772);
}
fn in_quadrant(x: f32, k: f32) -> f32 {
  return fma(k, -7.54978995e-8, fma(k, -4.83751297e-4, fma(k, -1.5703125, x)));
}
fn sine_within(r: f32) -> f32 {
  let s = r * r;
  return r * (1.0 + s * (-1.0 / 6.0 + s * (1.0 / 120.0 + s * (-1.0 / 5040.0 + s / 362880.0))));
}
fn cosine_within(r: f32) -> f32 {
  let s = r * r;
  return 1.0 + s * (-0.5 + s * (1.0 / 24.0 + s * (-1.0 / 720.0 + s * (1.0 / 40320.0 - s / 3628800.0))));
}`,
  },
  sine: {
    text: `
fn sine(x: f32) -> f32 {
  let k = quadrant(x);
  let r = in_quadrant(x, k);
  let turn = i32(k) & 3;
  let size = select(sine_within(r), cosine_within(r), (turn & 1) == 1);
  return select(size, -size, turn >= 2);
}`,
    uses: ['quadrant'],
  },
  cosine: {
    text: `
fn cosine(x: f32) -> f32 {
  let k = quadrant(x);
  let r = in_quadrant(x, k);
  let turn = (i32(k) + 1) & 3;
  let size = select(sine_within(r), cosine_within(r), (turn & 1) == 1);
  return select(size, -size, turn >= 2);
}`,
    uses: ['quadrant'],
  },
  power: {
    text: `
fn power(a: f32, b: f32) -> f32 {
  if (b == 0.0) {
    return 1.0;
  }
  if (is_nan(a) || is_nan(b)) {
    return not_a_number();
  }
  if (a == 0.0) {
    return select(infinity(), 0.0, b > 0.0);
  }
  if (abs(a) == 1.0 && abs(b) > 3.4028234e38) {
    return 1.0;
  }
  let size = pow(abs(a), b);
  if (a > 0.0) {
    return size;
  }
  if (floor(b) != b) {
    return select(not_a_number(), size, a < -3.4028234e38);
  }
  return select(size, -size, floor(b * 0.5) * 2.0 != b);
}`,
    uses: ['is_nan', 'not_a_number', 'infinity'],
  },
  // What is left of |a| by long division, a bit of the quotient at a time: every subtraction is exact.
  remainder: {
    text: `
fn remainder(a: f32, b: f32) -> f32 {
  let size = abs(b);
  var rest = abs(a);
  if (is_nan(a) || is_nan(b) || size == 0.0 || rest > 3.4028234e38) {
    return not_a_number();
  }
  var taken = size;
  while (taken <= rest * 0.5) {
    taken *= 2.0;
  }
  while (rest >= size) {
    rest -= select(0.0, taken, rest >= taken);
    taken *= 0.5;
  }
  return select(rest, -rest, a < 0.0);
}`,
    uses: ['is_nan', 'not_a_number'],
  },
  // In the first quadrant, then turned by the signs; that of a zero counts.
  angle: {
    text: `
fn angle(a: f32, b: f32) -> f32 {
  if (is_nan(a) || is_nan(b)) {
    return not_a_number();
  }
  let up = abs(a);
  let along = abs(b);
  var turn = select(1.57079633, 0.0, up == 0.0);
  if (up > 3.4028234e38 && along > 3.4028234e38) {
    turn = 0.785398163;
  } else if (up != 0.0 && along != 0.0) {
    turn = atan(up / along);
  }
  turn = select(turn, 3.14159265 - turn, (bitcast<u32>(b) >> 31u) == 1u);
  return select(turn, -turn, (bitcast<u32>(a) >> 31u) == 1u);
}`,
    uses: ['is_nan', 'not_a_number'],
  },
  threefry2x32: { text: threefry() },
};

function threefry(): string {
  const rounds = Array.from({ length: groups }, (_, group) => [
    ...rotations[group % 2].map(
      (r) => `  x.x += x.y; x.y = ((x.y << ${r}u) | (x.y >> ${32 - r}u)) ^ x.x;`,
    ),
    `  x += vec2u(key[${(group + 1) % 3}], key[${(group + 2) % 3}] + ${group + 1}u);`,
  ]).flat();
  return `
fn threefry2x32(key0: u32, key1: u32, x0: u32, x1: u32) -> vec2u {
  let key = array(key0, key1, key0 ^ key1 ^ 0x${parity.toString(16)}u);
  var x = vec2u(x0 + key0, x1 + key1);
${rounds.join('\n')}
  return x;
}`;
}

/** The functions of the names and what they call, each once, callees first. */
export function helperText(names: Iterable<string>): string {
  const texts = new Map<string, string>();
  const visit = (name: string): void => {
    if (texts.has(name)) return;
    const helper = helpers[name];
    if (helper === undefined) throw new Error(`no WGSL helper is named ${name}`);
    helper.uses?.forEach(visit);
    texts.set(name, helper.text.trim());
  };
  for (const name of names) visit(name);
  return [...texts.values()].join('\n\n');
}

// Derivative rules: linearity in the tangents, term by term, and the mistakes a rule can be.

import { describe, expect, test } from 'vitest';

import { accepted, diagnose, only, reports } from './helpers.ts';

const head = `import "std/nn"
layer net = Dense(2, 2)
fn f(x: [..S]) -> [..S] = x
fn g(x: [n], W: [m, n], k: int) -> y: [m] {
  y[j] = k * sum[i] W[j, i] * x[i]
}
fn twice(x: [..S]) -> [..S] = x + x
fn square(x: [..S]) -> [..S] {
  y = twice(x)
  return y * y
}
fn noisy(x: [..S]) -> y: [..S] {
  e: [..S] ~ normal(0, 1)
  y = x * e
}
`;

describe('linear', () => {
  test.each([
    'jvp f(x, dx) = dx',
    'jvp f(x, dx) = 0 * dx',
    'jvp f(a, da) = -2 * tanh(a) * da / (1 + a^2) + da',
    'jvp f(x, dx) = if x > 0 then dx else 0',
    'jvp f(x, dx) = twice(square(x) * twice(dx))',
    'jvp f(x, dx) = max(x, 0) * dx - sum(dx) * x',
    'jvp f(x, dx) = jvp(square(x), x, dx)',
    'jvp f(x, dx) = vjp(square(x), x, dx)',
    'jvp f(x, dx) = grad(sum(square(x)), x) * dx',
    'jvp g(x, W, k, dx, dW) = k * (W @ dx + dW @ x)',
  ])('%s', (rule) => {
    accepted(`${head}${rule}\n`);
  });

  test('in index notation, through rearrangements, parts and halves', () => {
    accepted(`fn h(x: [2 * n], y: [n]) -> [2 * n] = concat(y, x[:n])
jvp h(x, y, dx, dy) = concat(dy, dx[:n])
fn mix(x: [n, m]) -> y: [m] {
  y[j] = mean[i] x[i, j]^2
}
fn spread(x: [n, m], d: [n, m]) -> y: [m] {
  a, b = (d, 2 * x)
  y[j] = mean[i] a[i, j] * b[i, j]
}
jvp mix(x, dx) = spread(x, dx)
`);
  });

  test('in loops, round by round; not in equations', () => {
    const text = (body: string): string => `fn h(x: [n]) -> [n] = x
fn steps(x: [n], d: [n]) -> [n] {
  ${body}
  return s
}
jvp h(x, dx) = steps(x, dx)
`;
    accepted(text('for t < 3 with s = d, k = x { s <- 2 * s + k * d  k <- tanh(k) }'));
    accepted(text('for t < 3 with s = 0 * x { s <- s + x * d }'));
    const loop = only(text('for t < 3 with s = d { s <- s + x }'));
    expect(loop.related.map(({ reason }) => reason)).toEqual(['`x` has no tangent as a factor']);
    const equation = only(text('fix s = d tol 1e-6 within 100 { s <- s / 2 + d }'));
    expect(equation.related.map(({ reason }) => reason)[0]).toContain('an equation that is solved');
  });
});

describe('not linear: the term is named', () => {
  test.each([
    ['jvp f(x, dx) = 2 * x * dx + x', 'E0465 x', 'has no tangent as a factor'],
    ['jvp f(x, dx) = x', 'E0465 x', 'has no tangent as a factor'],
    ['jvp f(x, dx) = dx * dx', 'E0465 dx * dx', 'multiplies tangents with each other'],
    ['jvp f(x, dx) = x * dx - dx^2', 'E0465 dx^2', 'is not linear: it takes `power` of a tangent'],
    ['jvp f(x, dx) = x / dx', 'E0465 x / dx', 'divides by a tangent'],
    [
      'jvp f(x, dx) = x * tanh(dx)',
      'E0465 tanh(dx)',
      'is not linear: it takes `tanh` of a tangent',
    ],
    ['jvp f(x, dx) = max(dx, 0)', 'E0465 max(dx, 0)', 'is not linear: it takes `max` of a tangent'],
    [
      'jvp f(x, dx) = clamp(dx, -1, 1)',
      'E0465 clamp(dx, -1, 1)',
      'is not linear: it takes `clamp` of a tangent',
    ],
    ['jvp f(x, dx) = stop(dx)', 'E0465 stop(dx)', 'is not linear: it takes `stop` of a tangent'],
    [
      'jvp f(x, dx) = if sum(dx) > 0 then dx else 2 * dx',
      'E0465 sum(dx) > 0',
      'chooses by a tangent',
    ],
    ['jvp f(x, dx) = if x > 0 then dx else 1', 'E0465 1', 'has no tangent as a factor'],
    [
      'jvp g(x, W, k, dx, dW) = W @ dx + dW @ dx',
      'E0465 dW @ dx',
      'multiplies tangents with each other',
    ],
    [
      'jvp f(x, dx) = grad(sum(square(dx)), dx)',
      'E0465 grad(sum(square(dx)), dx)',
      'differentiates by a tangent',
    ],
  ])('%s', (rule, report, why) => {
    const text = `${head}${rule}\n`;
    expect(reports(text).map((line) => line.replace(/ \d+:\d+/, ''))).toEqual([report]);
    expect(only(text).message.endsWith(why)).toBe(true);
  });

  test('inside a function that is called', () => {
    const found = only(`${head}jvp f(x, dx) = twice(dx) + square(dx)\n`);
    expect(found.message).toBe('`square(dx)` is not linear: `square` is not, in what it is given');
    expect(found.related.map(({ reason }) => reason)).toEqual([
      '`y * y` multiplies tangents with each other',
    ]);
  });
});

describe('mistakes', () => {
  test.each([
    ['jvp tanh(x, dx) = dx', 'E0466 tanh'],
    ['jvp relu(x, dx) = dx', 'E0466 relu'],
    ['jvp net(x, dx) = dx', 'E0466 net'],
    ['jvp nobody(x, dx) = dx', 'E0466 nobody'],
    ['jvp f(x, dx) = dx\njvp f(x, dx) = 2 * dx', 'E0466 f'],
    ['fn c(k: int) -> real = real(k)\njvp c(k) = k', 'E0466 c'],
    ['fn t(x: [n]) = (x, x)\njvp t(x, dx) = (dx, dx)', 'E0466 t'],
    ['fn u(h: ([n]) -> [n], x: [n]) -> [n] = h(x)\njvp u(h, x, dx) = dx', 'E0466 u'],
    ['fn v(x: [2]) -> [2] = net(x)\njvp v(x, dx) = dx', 'E0466 v'],
    ['jvp f(x, dx) = noisy(dx)', 'E0466 f'],
    ['jvp f(x) = x', 'E0467 x'],
    ['jvp g(x, W, dx, dW) = W @ dx', 'E0467 x, W, dx, dW'],
    ['jvp f(x, dx) = sum(dx)', 'E0131 sum(dx)'],
    ['jvp f(x, dx) = nobody(dx)', 'E0201 nobody'],
    ['jvp f(x, x) = x', 'E0202 x'],
    ['jvp f(x, dx) = f(x) * dx', 'E0215 f'],
  ])('%s is %s', (rule, report) => {
    const found = reports(`${head}${rule}\n`).map((line) => line.replace(/ \d+:\d+/, ''));
    expect(found).toEqual([report]);
  });

  test('the names that were meant', () => {
    expect(only(`${head}jvp g(x, W, dx, dW) = W @ dx\n`).help).toBe(
      'write `jvp g(x, W, k, dx, dW) = ...`',
    );
  });
});

describe('a gradient goes where the rule says', () => {
  const hard = 'fn hard(x: [..S], k: [..S]) -> [..S] = sign(x) + k\n';
  const use = 'fn a(x: [n]) -> [n] = grad(sum(hard(x, stop(x))), x)\n';

  test('through what blocks it', () => {
    expect(diagnose(hard + use).map(({ code }) => code)).toEqual(['E0410']);
    accepted(`${hard}jvp hard(x, k, dx, dk) = dx + dk\n${use}`);
  });

  test('and not where the rule leaves it out', () => {
    const text = `${hard}jvp hard(x, k, dx, dk) = dx
fn b(x: [n]) -> [n] = grad(sum(hard(stop(x), x)), x)
`;
    expect(diagnose(text).map(({ code }) => code)).toEqual(['E0410']);
  });
});

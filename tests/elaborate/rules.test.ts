// Derivative rules: where a rule states the true derivative, everything is as without it; where it does not, it is as stated.

import { describe, expect, it } from 'vitest';

import type { Tensor } from '../../compiler/ir/tensor.ts';
import { executors } from '../models/executors.ts';
import { program, run, seeded, wavy } from './compile-text.ts';
import { close, results, vector } from './numbers.ts';

const numbers = ({ data }: Tensor): number[] => Array.from(data);

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

describe('log(1 + e^x), whose exponential overflows', () => {
  const text = `fn log1pexp(x: [..S]) -> [..S] = log(1 + exp(x))
  jvp log1pexp(x, dx) = sigmoid(x) * dx
  export fn f(x: [n]) -> (y: [n], a: [n], b: [n], c: [n], d: [n]) {
    y = log1pexp(x)
    a = grad(sum(y), x)
    b = grad(sum(a), x)
    c = jvp(b, x, x)
    d = vjp(y, x, x)
  }`;
  it.each(executors)(
    'has the derivatives of the rule: $name',
    async ({ run: execute, tolerance }) => {
      const x = [-3, 0.4, 2];
      const found = await execute(program(text).functions[0].graph, { x: vector(...x) });
      const digits = -Math.log10(tolerance);
      const s = x.map(sigmoid);
      close(
        found.y,
        x.map((v) => Math.log1p(Math.exp(v))),
        digits,
      );
      close(found.a, s, digits);
      close(
        found.b,
        s.map((p) => p * (1 - p)),
        digits,
      );
      close(
        found.c,
        s.map((p, i) => p * (1 - p) * (1 - 2 * p) * x[i]),
        digits,
      );
      close(
        found.d,
        s.map((p, i) => p * x[i]),
        digits,
      );
    },
  );

  it('stays finite where the body does not', () => {
    const { y, a, b } = results(text, { x: vector(1000) });
    expect(numbers(y)).toEqual([Infinity]);
    close(a, [1]);
    close(b, [0]);
    const plain = results(text.replace(/jvp log1pexp.*\n/, ''), { x: vector(1000) });
    expect(numbers(plain.a)).toEqual([NaN]);
  });
});

describe('a straight-through estimator', () => {
  it('quantises forward, and lets the gradient pass where |x| <= 1', () => {
    const text = `fn quantise(x: [..S]) -> [..S] = sign(x)
    jvp quantise(x, dx) = if abs(x) <= 1 then dx else 0
    export fn f(x: [n], u: [n]) -> (y: [n], g: [n]) {
      y = quantise(x)
      g = vjp(y, x, u)
    }`;
    const { y, g } = results(text, { x: vector(-2, -0.5, 0.3, 4), u: vector(1, 2, 3, 4) });
    expect(numbers(y)).toEqual([-1, -1, 1, 1]);
    expect(numbers(g)).toEqual([0, 2, 3, 0]);
  });

  it('of a draw', () => {
    const text = `fn flip(p: [..S]) -> k: [..S] {
      k ~ bernoulli(p)
    }
    jvp flip(p, dp) = dp
    export fn f(p: [n]) -> (k: [n], g: [n]) {
      k = flip(p)
      g = grad(sum(k * k), p)
    }`;
    const { k, g } = results(text, { p: vector(0.2, 0.5, 0.9, 0.5, 0.4), ...seeded(3) });
    expect(new Set(numbers(k))).toEqual(new Set([0, 1]));
    close(
      g,
      numbers(k).map((v) => 2 * v),
    );
  });

  it('the identity with a gradient of its own scale', () => {
    const text = `fn calm(x: [..S], scale: real) -> [..S] = x
    jvp calm(x, scale, dx, dscale) = scale * dx
    export fn f(x: [n]) -> (y: [n], g: [n]) {
      y = calm(x, 0.25)
      g = grad(sum(y^2), x)
    }`;
    const { y, g } = results(text, { x: vector(1, -2) });
    close(y, [1, -2]);
    close(g, [0.5, -1]);
  });
});

const product = `fn f(a: [m, n], x: [n], k: int) -> y: [m] {
  y[j] = k * sum[i] tanh(a[j, i]) * x[i]^2
}
`;
const rule = `fn slope(a: [m, n], x: [n], da: [m, n], dx: [n]) -> y: [m] {
  for i < n with s = zeros(m) {
    r[j] = (1 - tanh(a[j, i])^2) * da[j, i] * x[i]^2 + 2 * tanh(a[j, i]) * x[i] * dx[i]
    s <- s + r
  }
  y = s
}
jvp f(a, x, k, da, dx) = k * slope(a, x, da, dx)
`;

describe('a rule that is the derivative of the body changes nothing', () => {
  const uses = `export fn g(a: [2, 3], x: [3], u: [2], v: [3]) -> (y: [2], ga: [2, 3], gx: [3], jv: [2], J: [2, 3], H: [3, 3], m: [2, 3]) {
    y = f(a, x, 3)
    ga = vjp(y, a, u)
    gx = vjp(y, x, u)
    jv = jvp(y, x, v)
    J = jac(y, x)
    H = jac(gx, x)
    m = grad(sum(gx * v), a)
  }`;
  const feeds = { a: wavy([2, 3]), x: wavy([3], 1), u: wavy([2], 2), v: wavy([3], 3) };
  it.each(executors)(
    'all forms, mixed second derivatives, jac of a gradient: $name',
    async ({ run: execute, tolerance }) => {
      const plain = results(product + uses, feeds);
      const ruled = await execute(program(product + rule + uses).functions[0].graph, feeds);
      const digits = -Math.log10(tolerance);
      for (const [name, value] of Object.entries(plain)) close(ruled[name], value.data, digits - 1);
      expect(numbers(plain.m).some((v) => Math.abs(v) > 0.1)).toBe(true);
    },
  );

  it('in index notation, in loops and as the activation of a layer', () => {
    const bend =
      'fn bend(x: [..S], s: real) -> [..S] = s * x * tanh(x)\nfn act(x: [..S]) -> [..S] = bend(x, 2)\n';
    const bent =
      'jvp bend(x, s, dx, ds) = x * tanh(x) * ds + s * (tanh(x) + x * (1 - tanh(x)^2)) * dx\n';
    const inside = `import "std/nn"
    layer net = MLP(3, 4, 2, act)
    export fn f(x: [n, 3], s: [n]) -> (p: [n, 3], q: [n], r: [n, 3]) {
      y[b, i] = bend(x[b, i], s[b])
      p = grad(sum(y^2), x)
      q = grad(sum(y^2), s)
      for t < 3 with z = x { z <- bend(z, 0.7) }
      r = grad(sum(net(z)) + sum(z), x)
    }`;
    const feeds = { x: wavy([2, 3]), s: vector(0.5, -1) };
    const [plain, ruled] = [bend + inside, bend + bent + inside].map((text) => {
      const { functions, init } = program(text);
      return run(functions[0].graph, { ...run(init, seeded(1)), ...feeds });
    });
    for (const [name, value] of Object.entries(plain)) close(ruled[name], value.data);
    expect(numbers(plain.q).every((v) => Math.abs(v) > 1e-3)).toBe(true);
  });
});

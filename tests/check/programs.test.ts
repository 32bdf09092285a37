// Whole programs that the language promises: the library, the examples, and what the language page shows.

import { readFileSync, readdirSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { check } from '../../compiler/check/check.ts';
import { accepted, hostOf } from './helpers.ts';

const root = new URL('../../', import.meta.url);
const programs = [
  ...readdirSync(new URL('stdlib', root)).map((file) => `stdlib/${file}`),
  ...readdirSync(new URL('examples', root), { recursive: true, encoding: 'utf8' }).map(
    (file) => `examples/${file}`,
  ),
].filter((path) => path.endsWith('.dlg'));

/** The files that a program may import beside the library: those of its folder. */
const neighbours = (path: string): Readonly<Record<string, string>> => {
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const beside = programs.filter((other) => other.startsWith(folder) && other !== path);
  return Object.fromEntries(beside.map((p) => [p, readFileSync(new URL(p, root), 'utf8')]));
};

describe('the library and the examples', () => {
  test.each(programs)('%s', (path) => {
    const text = readFileSync(new URL(path, root), 'utf8');
    const { program, diagnostics } = check({ path, text }, hostOf(neighbours(path)));
    expect(diagnostics).toEqual([]);
    for (const made of program?.functions ?? []) expect(made.body()).not.toBeNull();
    for (const model of program?.models ?? [])
      for (const made of model.functions) expect(made.body()).not.toBeNull();
  });
});

const dense = `
model Dense(n: dim, m: dim) {
  param W: [m, n] ~ normal(0, sqrt(2 / n))
  param b: [m]    = 0
  fn (x: [..B, n]) -> y: [..B, m] {
    y[.., o] = sum[i] W[o, i] * x[.., i] + b[o]
  }
}
`;

describe('programs of the language page', () => {
  test('an affine map', () => {
    const program = accepted(`${dense}layer net = Dense(3, 4)\n`);
    expect(program.layers.map((layer) => layer.name)).toEqual(['net']);
  });

  test('an LSTM', () => {
    const text = `model LSTM(n: dim, h: dim) {
  param W: [4, h, n] ~ normal(0, 1)
  param U: [4, h, h] ~ normal
  param d: [4, h]    = 0
  fn cell(x: [B, n], s: [B, h], c: [B, h]) -> (s': [B, h], c': [B, h]) {
    g[k, b, j] = sum[i] W[k, j, i] * x[b, i] + sum[l] U[k, j, l] * s[b, l] + d[k, j]
    f, i, o, u = unstack(g)
    c' = sigmoid(f) * c + sigmoid(i) * tanh(u)
    s' = sigmoid(o) * tanh(c')
  }
  fn (x: [B, T, n]) -> y: [B, T, h] {
    for t < T with s = zeros(B, h), c = zeros(B, h) {
      s, c <- cell(x[:, t], s, c)
      y[:, t] = s
    }
  }
}
layer net = LSTM(3, 5)
fn f(x: [2, 7, 3]) -> [2, 7, 5] = net(x)
fn g(x: [2, 3], s: [2, 5]) -> [2, 5] {
  a, b = net.cell(x, s, s)
  return a + b
}
`;
    accepted(text);
  });

  test('a variational autoencoder', () => {
    const text = `import "std/nn"
model VAE(n: dim, h: dim, z: dim) {
  layer enc = MLP(n, h, 2 * z)
  layer dec = MLP(z, h, n)
  fn elbo(x: [B, n], beta: real = 1) -> L: [B] {
    mu, lv = halves(enc(x))
    e: [B, z] ~ normal(0, 1)
    l = dec(mu + exp(lv / 2) * e)
    L[b] = sum[i] (x[b, i] * l[b, i] - softplus(l[b, i]))
         + beta / 2 * sum[k] (1 + lv[b, k] - mu[b, k]^2 - exp(lv[b, k]))
  }
}
`;
    accepted(text);
  });

  test('bijectors, schedules and what uses them', () => {
    const text = `import "std/nn"
import "std/optim"
bijector Coupling(d: dim, h: dim) where d % 2 == 0 {
  layer net = MLP(d / 2, h, d)
  fn (x: [..B, d]) -> y: [..B, d] {
    a, b = halves(x)
    s, m = halves(net(a))
    y = concat(b * exp(tanh(s)) + m, a)
  }
}
schedule Linear(T: dim) where T >= 2 {
  beta[t < T] = 1e-4 + (0.02 - 1e-4) * t / (T - 1)
  alpha[t]    = 1 - beta[t]
  abar[t]     = prod[s <= t] alpha[s]
  check 0 < beta < 1, decreasing(abar)
}
const q = Linear(1000)
layer flow = Coupling(4, 8)
layer net = MLP(784, 16, 784)
train ddpm(x: [B, 784]) {
  t: fin(q.T)[B] ~ uniform
  xt[b, i] = sqrt(q.abar[t[b]]) * x[b, i]
  minimize mean((x - net(xt))^2) over net using Adam(2e-4)
}
`;
    accepted(text);
  });

  test('the moves of a decision process, proved in range', () => {
    accepted(`fn move(s: fin(S), n: dim) -> fin(n * n) where S == n * n {
  i = clamp(s // n + 1, 0, n - 1)
  j = clamp(s % n - 1, 0, n - 1)
  return fin(i * n + j)
}
`);
  });

  test('derivatives and other parameters', () => {
    accepted(`import "std/nn"
layer net = MLP(3, 4, 1)
fn sdf_loss(f: ([N, 3]) -> [N], on: [N, 3], off: [N, 3]) -> real {
  g = grad(sum(f(off)), off)
  return mean(f(on)^2) + 0.1 * mean[i] (sqrt(sum[k] g[i, k]^2) - 1)^2
}
fn other(x: [B, 3]) -> [B, 1] = net(x with params(net))
fn square(x: [n]) -> [n] = x^2
jvp square(x, dx) = 2 * x * dx
`);
  });

  test('a loss in a function that runs a layer of the program', () => {
    accepted(`import "std/nn"
import "std/optim"
layer net = MLP(3, 4, 1)
fn loss(x: [B, 3]) -> real = mean(net(x)^2)
train t(x: [B, 3]) { minimize loss(x) over net using SGD(0.1) }
`);
  });

  test('an adversarial training block', () => {
    accepted(`import "std/nn"
import "std/optim"
layer G = MLP(64, 32, 784)
layer D = MLP(784, 32, 1)
train gan(x: [B, 784], z: [B, 64]) {
  maximize mean[b] (logsigmoid(D(x))[b, 0] + logsigmoid(-D(G(z)))[b, 0]) over D using Adam(2e-4, beta1 = 0.5)
  maximize mean[b] logsigmoid(D(G(z)))[b, 0] over G using Adam(2e-4, beta1 = 0.5)
  report realism = mean[b] sigmoid(D(x))[b, 0]
}
`);
  });

  test('all kinds of steps of a train block', () => {
    accepted(`import "std/nn"
import "std/optim"
layer net = MLP(2, 4, 1)
train t(x: [B, 2]) {
  every 10 { report norm2 = mean(x) }
  repeat 5 { minimize mean(net(x)) over net using Adam(1e-3) }
  track slow = ema(net, 0.99)
  minimize mean(net(x)^2) over net using Adam(1e-3) clip 1
}
`);
  });
});

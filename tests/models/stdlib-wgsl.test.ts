// What of the standard library has no fixture (library.test.ts) and is in no example, in WGSL against the interpreter: first values, results,
// two steps and an evaluation.

import { readdirSync, readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { deviceForTests } from '../gpu/device.ts';
import { expectProgramAlike } from './alike.ts';
import { compiledWithLibrary } from './compile.ts';
import { exampleText, examples } from './examples.ts';
import { fixtures } from './fixtures.ts';

const device = deviceForTests();

const flow = (bijector: string, shape: string, loss: string): string => `
layer f = ${bijector}
export fn there(x: ${shape}) -> L: real = ${loss}
export fn back(x: ${shape}) -> y: ${shape} = f.inverse(f(x))
train t(x: ${shape}) { minimize ${loss} over f using SGD(0.1) }`;

const programs: Readonly<Record<string, string>> = {
  'linear and other autoencoders, a perceptron': `
layer a = LinearAutoencoder(5, 2)
layer b = Autoencoder(5, 4, 2)
layer p = Perceptron(3)
train codes(x: [B, 5]) {
  minimize mse(a.decode(a.encode(x)), x) over a using SGD(0.1, momentum = 0.9)
  minimize mse(b(x), x) over b using RMSProp(0.02)
}
export fn signs(x: [B, 3]) -> y: [B] = p(x)`,
  'residual layers, dropout, leaky units': `
layer inner = Dense(4, 4)
layer net = Residual(4, inner)
layer drop = Dropout(0.3)
layer leaky = Leaky(3, 4)
layer plain = Elman(3, 4)
export fn f(x: [B, 5, 3]) -> y: [B, 4] = net(last(leaky(x)) + last(plain(x)))
train t(x: [B, 5, 3]) {
  minimize mean(drop(last(leaky(x)) + last(plain(x)))^2) over leaky, plain using AdamW(0.02)
}`,
  'penalties, priors and changed images': `
layer c = Conv2d(1, 2, 3)
train t(x: [B, 1, 6, 6]) {
  y = c(random_noise(random_shift(random_flip(x), 1), 0.1))
  minimize mean(y^2) + sum(l2_penalty(c.K)) + sum(l1_penalty(c.K)) + sum(gaussian_prior(c.K)) + sum(laplace_prior(c.b)) over c using SGD(step_decay(0.1, step, 5))
}`,
  NICE: flow('NICE(4, 3, 2)', '[3, 4]', '-mean(log_likelihood(f(x), f.logdet(x)))'),
  'an image flow of Glow': flow(
    'GlowStep(2, 2)',
    '[2, 2, 2, 2]',
    'mean(f(x)^2) - mean(f.logdet(x))',
  ),
  'Glow of three levels, noised data': `
layer g = Glow(1, 2, 1)
const q = Linear(5)
export fn f(x: [2, 8, 8, 1], t: fin(5)[2]) -> (r: [2, 1, 1, 16], d: [2]) {
  e: [2, 8, 8, 1] ~ normal(0, 1)
  y = noised(q, x, e, t)
  s, u, r = g(y)
  d = g.logdet(y)
}`,
  'a slope at most 1, and squashed data': `
layer l = LeakyReLU(0.2)
layer s = Squash()
export fn f(x: [B, 3]) -> (y: [B, 3], z: [B, 3], d: [B, 3]) {
  y = l.inverse(l(x))
  z = s(s.inverse(x))
  d = s.logdet(x)
}`,
  'descent by a network, and a critic': `
fn distance(t: [..S, 2], x: [..S, 2]) -> L: [..S] { L[..] = sum[k] (t[.., k] - x[.., k])^2 }
layer net = LearnedDescent(2, 2, 5, distance)
layer D = MLP(2, 4, 1)
export fn f(x: [B, 2]) -> t: [B, 2] = descend(distance, zeros(B, 2), x, 12, 0.1)
train t(x: [B, 2]) {
  e: [B, 2] ~ normal(0, 1)
  minimize mean(distance(net(e, x, 3), x)) over net using SGD(0.1)
  minimize gradient_penalty(D, x, e) - critic_gap(D(x), D(e)) over D using ClippedRMSProp(0.01)
}`,
};

describe('in WGSL', () => {
  test.each(Object.entries(programs))('%s', { timeout: 120_000 }, (_, text) =>
    expectProgramAlike(device(), compiledWithLibrary(text)),
  );
});

test('every model, bijector, optimizer and schedule of the library is compared in WGSL', () => {
  const library = new URL('../../stdlib/', import.meta.url);
  const sources = readdirSync(library).map((file) =>
    readFileSync(new URL(file, library), 'utf8').replace(/#.*/g, ''),
  );
  const defined = sources.flatMap((text) =>
    [...text.matchAll(/^(?:model|bijector|optimizer|schedule) (\w+)/gm)].map(([, name]) => name),
  );
  // The library's own definitions use one another.
  const used = [
    ...sources.map((text) => text.replace(/^(?:model|bijector|optimizer|schedule) \w+/gm, '')),
    ...Object.values(programs),
    ...examples.map((path) => exampleText(path)),
    ...Object.keys(fixtures.cases),
    ...Object.keys(fixtures.optimisers.runs),
  ].join('\n');
  expect(defined.filter((name) => !new RegExp(`\\b${name}\\b`).test(used))).toEqual([]);
});

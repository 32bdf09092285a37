// Draws as the checker sees them: their types, their parameters, and what gradients can pass.

import { describe, expect, test } from 'vitest';

import { accepted, only, reports, valueIn } from './helpers.ts';

const drawing = (statement: string): string => `fn f(x: [B, n]) -> [B, n] {
  ${statement}
  return x
}
`;

describe('a draw', () => {
  test.each([
    'e: [B, n] ~ normal(0, 1)',
    'e: [B, n] ~ normal(x, 2)',
    'e: [n, B, n] ~ normal(mu = x)',
    'e: real ~ uniform',
    'e: real ~ uniform(0, n)',
    'k: fin(n)[B] ~ uniform',
    'k: fin(n)[B] ~ categorical(x)',
    'p: fin(n)[B, n] ~ permutation',
    'k: fin(n) ~ categorical(x[0, :])',
    'c: bool[B] ~ bernoulli(0.5)',
    'c: int[B, n] ~ bernoulli(x)',
    'e: [B, n] ~ exponential(x)',
  ])('%s', (statement) => {
    accepted(drawing(statement));
  });

  test('takes the type of the result of its name', () => {
    accepted('fn f(x: [..S]) -> e: [..S] {\n  e ~ normal(x, 1)\n}\n');
  });

  test('is a local with the declared type', () => {
    const program = accepted(
      'fn f(E: [V, n]) -> h: [3, n] {\n  t: fin(V)[3] ~ uniform\n  h[i, j] = E[t[i], j]\n}\n',
    );
    expect(valueIn(program, 'f', 'h').type.kind).toBe('tensor');
  });

  test('in both branches of an `if`', () => {
    accepted(
      'fn f(x: [n]) -> y: [n] {\n  if training {\n    e: [n] ~ normal\n  } else {\n    e: [n] ~ uniform\n  }\n  y = x + e\n}\n',
    );
  });
});

describe('reports', () => {
  test.each([
    ['e ~ normal(0, 1)', 'E0423'],
    ['e[b] ~ normal(0, 1)', 'E0423'],
    ['a, b ~ normal(0, 1)', 'E0423'],
    ['e: (a: [B], b: [B]) ~ normal(0, 1)', 'E0423'],
    ['e: [B] ~ relu', 'E0424'],
    ['e: [B] ~ 3', 'E0424'],
    ['e: int[B] ~ normal', 'E0425'],
    ['e: [B] ~ categorical(x)', 'E0425'],
    ['e: fin(n)[n] ~ categorical(x)', 'E0425'],
    ['e: fin(n)[B] ~ categorical(0.5)', 'E0425'],
    ['p: fin(n)[B] ~ permutation', 'E0425'],
    ['p: fin(n) ~ permutation', 'E0425'],
    ['e: [B] ~ normal(x, 1)', 'E0425'],
    ['e: [B] ~ normal(true, 1)', 'E0425'],
    ['e: [B] ~ normal(0, 1, 2)', 'E0123'],
    ['e: [B] ~ normal(0, sigma = 1)', 'E0124'],
    ['e: [B] ~ normal(0, mu = 1)', 'E0125'],
    ['e: fin(n)[B] ~ categorical', 'E0126'],
    ['e: [B] ~ normal(0, q)', 'E0201'],
    ['x: [B, n] ~ normal', 'E0202'],
  ])('%s: %s', (statement, code) => {
    expect(only(drawing(statement)).code).toBe(code);
  });

  test('once: what follows knows the name', () => {
    const text = drawing('e: [B, n] ~ nrmal(0, 1)\n  y = x + e');
    expect(reports(text)).toEqual(['E0424 2:15 nrmal(0, 1)']);
    expect(only(text).fix).toMatchObject([{ newText: 'normal' }]);
  });
});

describe('gradients', () => {
  const learning = (statement: string, loss: string): string => `import "std/optim"
model M(n: dim) {
  param w: [n] = 0
  fn (x: [B, n]) -> y: [B, n] = x + w
}
layer net = M(3)
train t(x: [B, 3]) {
  p = net(x)
  ${statement}
  minimize mean(${loss}) over net using SGD(0.1)
}
`;

  test('pass draws that shift and scale noise', () => {
    for (const law of ['normal(p, 1)', 'uniform(0, p)', 'exponential(p)', 'gumbel(0, p)'])
      accepted(learning(`e: [B, 3] ~ ${law}`, 'e'));
  });

  test('do not pass discrete draws', () => {
    expect(only(learning('e: [B, 3] ~ bernoulli(p)', 'e')).code).toBe('E0410');
    expect(only(learning('e: [B, 3] ~ bernoulli(p)', 'e * p')).code).toBe('E0411');
    accepted(learning('e: [B, 3] ~ bernoulli(0.5)', 'e * p'));
  });
});

// What the checker says of loops and equations beyond the one file for each code in tests/errors.

import { expect, test } from 'vitest';

import { only } from './helpers.ts';

test('an output that two loops would stack', () => {
  const { code, message, help } = only(`fn f(x: [n, m]) -> y: [n, m] {
  for i < n {
    for j < m { y[i, j] = x[i, j] }
  }
}`);
  expect([code, message]).toEqual(['E0453', '`i` counts the loop around this one']);
  expect(help).toContain('y[i] = row');
});

test('a tolerance that only the running program knows', () => {
  const { code, message } = only(`fn f(x: [n]) -> s: real {
  fix s = 0.0 tol x[0] within 10 { s <- cos(s) }
}`);
  expect([code, message]).toEqual(['E0115', 'the tolerance depends on the value of a tensor']);
});

test('an end that is no truth value', () => {
  expect(
    only(`fn f(x: [n]) -> s: real {
  for i < n until x with s = 0.0 { s <- s + 1 }
}`).code,
  ).toBe('E0121');
});

test.each(['s <- s + v', 'for j < 2 { s <- s + v }'])(
  'an equation that updates the carry of a loop around it: %s',
  (update) => {
    const { code, message } = only(`fn f(x: [n]) -> s: real {
  for i < n with s = 0.0 {
    fix v = 0.5 tol 1e-6 within 20 {
      v <- cos(v)
      ${update}
    }
  }
}`);
    expect(code).toBe('E0456');
    expect(message).toBe('an update of what a loop around it carries in the body of `fix`');
  },
);

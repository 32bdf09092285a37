// Derivatives inside programs: their types, and the mistakes they can be.

import { describe, expect, test } from 'vitest';

import { accepted, codesOf, diagnose, functionOf, only, reports, typeOf } from './helpers.ts';
import { showType } from '../../compiler/check/show.ts';

describe('types', () => {
  test.each([
    ['x: [B, n]', 'grad(sum(x), x)', '[B, n]'],
    ['x: [..S]', 'grad(sum(x), x)', '[..S]'],
    ['x: [n], u: [n]', 'vjp(x^2, x, u)', '[n]'],
    ['x: [n], u: [n]', 'sum(x) |> grad(x)', '[n]'],
    ['W: [m, n], x: [n]', 'jvp(W @ x, x, x)', '[m]'],
    ['W: [m, n], x: [n]', 'jac(W @ x, x)', '[m, n]'],
    ['W: [m, n], x: [n]', 'jac(W @ x, W)', '[m, m, n]'],
    ['x: [..S, n]', 'jac(sum(x^2), x)', '[..S, n]'],
  ])('%s: %s is %s', (parameters, expression, type) => {
    expect(typeOf(parameters, expression)).toBe(type);
  });

  test('a tuple has a gradient of each part', () => {
    const text = 'fn f(p: (a: [n], b: real)) = grad(sum(p.a) * p.b, p)\n';
    expect(showType(functionOf(accepted(text), 'f').result)).toBe('(a: [n], b: real)');
  });
});

describe('mistakes', () => {
  test.each([
    ['x: [n]', 'grad(sum(x))', 'E0123'],
    ['x: [n]', 'vjp(x, x)', 'E0123'],
    ['x: [n]', 'grad(y = sum(x), x = x)', 'E0124'],
    ['x: [n]', 'grad(sum(x), 2 * x)', 'E0430'],
    ['k: int[n]', 'grad(sum(k), k)', 'E0430'],
    ['n: dim, x: [n]', 'grad(n * sum(x), n)', 'E0430'],
    ['x: [n]', 'grad(sum(x), nobody)', 'E0201'],
    ['x: [n]', 'grad(x, x)', 'E0431'],
    ['x: [n]', 'grad(sum(x) > 0, x)', 'E0121'],
    ['x: [n], y: [n]', 'grad(sum(y), x)', 'E0433'],
    ['x: [n], u: [m]', 'vjp(x, x, u)', 'E0121'],
    ['x: [..A], y: [..A]', 'jac(x * y, x)', 'E0121'],
    ['x: [n]', 'grad(sum(round(x)), x)', 'E0410'],
    ['x: [n]', 'grad(sum(stop(x)), x)', 'E0410'],
    ['x: [n]', 'grad(sum(x * round(x)), x)', 'E0411'],
    ['x: [n]', 'grad(real(argmax[i] x[i]), x)', 'E0410'],
  ])('%s: %s is %s', (parameters, expression, code) => {
    expect(codesOf(parameters, expression)).toEqual([code]);
  });

  test('the operation that blocks is named, also inside a function that is called', () => {
    const text = `fn hard(x: [n]) -> [n] = sign(x)
fn f(x: [n]) -> [n] {
  h = hard(x)
  return grad(sum(h), x)
}
`;
    expect(only(text)).toMatchObject({
      code: 'E0410',
      message: 'every path from `x` to `sum(h)` is blocked: `sign` has no useful derivative',
    });
  });

  test('a parameter of a model is not a variable', () => {
    const text = `model M(n: dim) {
  param w: [n] = 0
  fn (x: [n]) -> [n] = grad(sum(w * x), w)
}
`;
    expect(reports(text)).toEqual(['E0430 3:41 w']);
  });

  test('an index that stands in the value', () => {
    const text = 'fn f(x: [n]) -> y: [n] {\n  y[i] = grad(x[i]^2, x)[i]\n}\n';
    expect(reports(text)).toEqual(['E0432 2:10 grad(x[i]^2, x)']);
  });

  test('a broken line above is reported alone', () => {
    const text = `fn f(x: [n]) -> [n] {
  h: [n] = nobody(x)
  y = sum(h)
  return grad(y, x)
}
`;
    expect(reports(text)).toEqual(['E0201 2:12 nobody']);
  });

  test('a Jacobian where a state changes or a model trains', () => {
    const text = `import "std/optim"
model M(n: dim) {
  param w: [n] = 0
  state s: [n] = 0
  fn (x: [n]) -> [n, n] {
    s <- x
    y = w * x
    return jac(y, x)
  }
}
layer net = M(3)
train t(x: [3]) {
  y = x^2
  J = jac(y, x)
  minimize sum(net(x)) + sum(J) over net using SGD(0.1)
}
`;
    expect(diagnose(text).map(({ code, data }) => [code, data['feature']])).toEqual([
      ['E0900', '`jac` inside a function that updates a state'],
      ['E0900', '`jac` inside a `train` block'],
    ]);
  });

  test('a name of the program goes before the derivative of that name', () => {
    const text = 'fn grad(x: [n], y: [n]) -> [n] = x * y\nfn f(x: [n]) -> [n] = grad(x, 2 * x)\n';
    expect(reports(text)).toEqual([]);
  });
});

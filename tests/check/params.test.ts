// Parameters as values: their types, and the mistakes they can be.

import { describe, expect, test } from 'vitest';

import { accepted, functionOf, only, reports } from './helpers.ts';
import { showType } from '../../compiler/check/show.ts';

const models = `model Affine(n: dim, m: dim) {
  param W: [m, n] = 0
  param b: [m] = 0
  fn (x: [..B, n]) -> y: [..B, m] {
    y[.., o] = sum[i] W[o, i] * x[.., i] + b[o]
  }
}
model Wide(n: dim, m: dim) {
  param W: [m, n] = 0
  param b: [m] = 0
  fn (x: [..B, n]) -> [..B, n] = x
}
model Two(n: dim, h: dim) {
  layer a = Affine(n, h)
  layer b = Affine(h, n)
  fn (x: [..B, n]) -> [..B, n] = b(a(x))
}
model Plain(n: dim) {
  fn (x: [..B, n]) -> [..B, n] = x
}
layer net = Affine(3, 4)
layer wide = Wide(3, 4)
layer two = Two(3, 5)
layer more = Two(3, 6)
layer plain = Plain(3)
`;

const typeOf = (body: string, parameters = ''): string =>
  showType(functionOf(accepted(`${models}fn f(${parameters}) = ${body}\n`), 'f').result);

describe('types', () => {
  test.each([
    ['params(net)', '', 'params(Affine(3, 4))'],
    ['params(two)', '', 'params(Two(3, 5))'],
    ['params(two.a)', '', 'params(Affine(3, 5))'],
    ['w', 'w: params(net)', 'params(Affine(3, 4))'],
    ['w', 'w: params(Affine(n, m))', 'params(Affine(n, m))'],
    ['params(g)', 'g: ([..S]) -> [..S]', 'params(g)'],
    ['-2 * params(net) / 3 + params(net)', '', 'params(Affine(3, 4))'],
    ['sum(params(net) * params(net))', '', 'real'],
    ['norm(params(two))', '', 'real'],
    ['net(x with params(net))', 'x: [B, 3]', '[B, 4]'],
    ['x |> net(with 2 * params(net))', 'x: [B, 3]', '[B, 4]'],
    ['grad(sum(net(x)), params(net))', 'x: [B, 3]', 'params(Affine(3, 4))'],
    ['vjp(net(x), params(net), net(x))', 'x: [B, 3]', 'params(Affine(3, 4))'],
    ['jvp(net(x), params(net), params(net))', 'x: [B, 3]', '[B, 4]'],
    ['if c then params(net) else 2 * params(net)', 'c: bool', 'params(Affine(3, 4))'],
  ])('%s with %s is %s', (body, parameters, type) => {
    expect(typeOf(body, parameters)).toBe(type);
  });

  test('structures go together, whatever the models are called', () => {
    expect(typeOf('params(net) - params(wide)')).toBe('params(Affine(3, 4))');
    expect(typeOf('wide(x with params(net))', 'x: [B, 3]')).toBe('[B, 3]');
  });

  test('sizes of a model are bound by its parameters', () => {
    const text = `${models}fn first(w: params(Affine(n, m)), x: [n]) -> [m] = zeros(m) + 0 * norm(w) * sum(x)
fn f(x: [3]) = first(params(net), x)
`;
    expect(showType(functionOf(accepted(text), 'f').result)).toBe('[4]');
  });

  test('a function gives what its argument has', () => {
    const text = `${models}fn step(g: ([..S, 3]) -> [..S, 3], w: params(g), x: [B, 3]) -> params(g) {
  y = sum(g(x with w)^2)
  return w - grad(y, w)
}
fn outer(h: ([..S, 3]) -> [..S, 3], x: [B, 3]) = step(h, params(h), x)
fn f(x: [B, 3]) = outer(two, x)
fn k(x: [B, 3]) = step(two, step(two, params(two), x), x)
`;
    const program = accepted(text);
    expect(showType(functionOf(program, 'outer').result)).toBe('params(h)');
    expect(showType(functionOf(program, 'f').result)).toBe('params(Two(3, 5))');
    expect(showType(functionOf(program, 'k').result)).toBe('params(Two(3, 5))');
  });
});

const found = (body: string, parameters = 'x: [B, 3]'): string[] =>
  reports(`${models}fn id(x: [..S]) -> [..S] = x
fn step(g: ([..S, 3]) -> [..S, 3], w: params(g)) -> params(g) = 0.5 * w
fn row(x: [3]) -> [3] = x
fn f(${parameters}) = ${body}\n`).map((line) => line.replace(/ \d+:\d+/, ''));

describe('mistakes', () => {
  test.each([
    ['params(plain)', 'E0460 plain'],
    ['params(id)', 'E0460 id'],
    ['params(x)', 'E0460 x'],
    ['params(net, two)', 'E0123 params(net, two)'],
    ['step(id, params(net))', 'E0460 id'],
    ['step(two, params(more))', 'E0461 params(more)'],
    ['params(net) + params(two)', 'E0461 params(two)'],
    ['two(x with params(more))', 'E0461 params(more)'],
    ['two(x with params(net))', 'E0461 params(net)'],
    ['two(x with x)', 'E0121 x'],
    ['id(x with params(net))', 'E0462 id'],
    ['tanh(x with params(net))', 'E0462 tanh'],
    ['plain(x with params(net))', 'E0460 plain'],
    ['params(net) + x', 'E0463 x'],
    ['params(net) > 0', 'E0463 params(net) > 0'],
    ['params(net) @ params(net)', 'E0601 params(net) @ params(net)'],
    ['mean(params(net))', 'E0463 mean(params(net))'],
    ['row(params(net))', 'E0463 params(net)'],
    ['jac(net(x), params(net))', 'E0121 params(net)'],
    ['grad(sum(x), params(net))', 'E0433 grad(sum(x), params(net))'],
    ['grad(sum(round(net(x))), params(net))', 'E0410 sum(round(net(x)))'],
    ['if sum(x) > 0 then params(net) else params(two)', 'E0461 params(two)'],
  ])('%s is %s', (body, report) => {
    expect(found(body)).toEqual([report]);
  });

  test('the first path that differs is named', () => {
    expect(only(`${models}fn f() = params(two) - params(more)\n`).message).toBe(
      '`a.W` is [5, 3] in params(Two(3, 5)) and [6, 3] in params(Two(3, 6))',
    );
    expect(only(`${models}fn f() = params(two) - params(net)\n`).message).toBe(
      'only params(Two(3, 5)) has `a.W`',
    );
  });

  test('sizes that the parameters leave open', () => {
    const text = `${models}fn f(w: params(Affine(n, n))) = norm(w)\nfn g() = f(params(net))\n`;
    expect(only(text).message).toBe(
      '`W` is [3, 3] in params(Affine(3, 3)) and [4, 3] in params(Affine(3, 4))',
    );
  });

  test('an update of a state of other parameters', () => {
    const text = `import "std/optim"
${models}train t(x: [B, 3]) {
  state target = params(net)
  minimize mean(net(x)) over net using SGD(0.1)
  target <- params(two)
}
`;
    expect(reports(text)).toEqual(['E0461 30:13 params(two)']);
  });

  test.each([
    ['track t1 = mean(x)', 'E0464 mean(x)'],
    ['track t1 = ema(net)', 'E0464 ema(net)'],
    ['track t1 = ema(x, 0.5)', 'E0464 x'],
    ['track t1 = ema(net.W, 0.5)', 'E0464 net.W'],
    ['track t1 = ema(net, 1.5)', 'E0464 1.5'],
    ['track t1 = ema(net, x)', 'E0464 x'],
    ['track t1 = ema(plain, 0.9)', 'E0460 plain'],
    ['track net = ema(two, 0.9)', 'E0202 net'],
    ['track t1 = ema(t1, 0.9)', 'E0420 t1'],
    ['track t1 = ema(net, 0.9)\n  minimize mean(t1(x)) over t1 using SGD(0.1)', 'E0402 t1'],
  ])('%s is %s', (step, report) => {
    const text = `import "std/optim"
${models}train t(x: [B, 3]) {
  minimize mean(net(x)) over net using SGD(0.1)
  ${step}
}
`;
    expect(reports(text).map((line) => line.replace(/ \d+:\d+/, ''))).toEqual([report]);
  });

  test('an entry point', () => {
    expect(reports(`${models}export fn f(x: [3]) -> params(net) = params(net)\n`)).toEqual([
      'E0412 26:24 params(net)',
    ]);
  });

  test('parameters computed before a step changed them', () => {
    const text = `import "std/optim"
${models}train t(x: [B, 3]) {
  w = params(net)
  minimize mean(net(x)) over net using SGD(0.1)
  minimize mean(net(x with w) + net(x)) over net using SGD(0.1)
}
`;
    expect(reports(text)).toEqual(['E0404 30:28 w']);
  });
});

// Derivatives as text: the textbook's formulas, and that what is printed is the derivative, by compiling it again.

import { describe, expect, it, test } from 'vitest';

import { derive } from '../../compiler/pipeline.ts';
import type { DerivativeText } from '../../compiler/formula/derivative.ts';
import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { host, program, run, wavy } from '../elaborate/compile-text.ts';

const source = (body: string): string => `import "std/activations"\n${body}\n`;

function derivativeOf(body: string, by = 'x'): DerivativeText {
  const main = { path: 'test.dlg', text: source(body) };
  const { derivative, diagnostics } = derive(main, host, { of: 'f', by });
  if (derivative === null || typeof derivative === 'string')
    throw new Error(derivative ?? diagnostics.map((d) => d.message).join('\n'));
  return derivative;
}

describe('matrix notation', () => {
  test.each([
    [
      'fn f(x: [n]) -> y: [n] = sigmoid(x)',
      'x',
      '\\operatorname{diag}(\\mathbf{y} \\odot (1 - \\mathbf{y}))',
    ],
    ['fn f(x: [n]) -> y: [n] = tanh(x)', 'x', '\\operatorname{diag}(1 - \\mathbf{y}^{2})'],
    [
      'fn f(x: [n]) -> y: [n] = relu(x)',
      'x',
      '\\operatorname{diag}(\\mathbb{1}\\{\\mathbf{x} > 0\\})',
    ],
    [
      'fn f(x: [n]) -> y: [n] { y[i] = softmax[i] x[i] }',
      'x',
      '\\operatorname{diag}(\\mathbf{y}) - \\mathbf{y} \\mathbf{y}^\\top',
    ],
    ['fn f(A: [m, n], x: [n]) -> y: [m] = A @ x', 'x', '\\mathbf{A}'],
    [
      'fn f(A: [n, m], x: [n]) -> y: [m] { y[i] = sum[k] A[k, i] * x[k] }',
      'x',
      '\\mathbf{A}^\\top',
    ],
    ['fn f(x: [n], z: [n]) -> y: [n] = x * z', 'x', '\\operatorname{diag}(\\mathbf{z})'],
    ['fn f(x: [n], z: [n]) -> y: [n] = x * z', 'z', '\\operatorname{diag}(\\mathbf{x})'],
    ['fn f(x: [n]) -> y: [n] = 3 * x', 'x', '3 \\mathbf{I}'],
  ])('%s by %s', (body, by, expected) => {
    const whole = derivativeOf(body, by).latex[1];
    expect(whole).toBe(`\\frac{\\partial \\mathbf{y}}{\\partial \\mathbf{${by}}} = ${expected}`);
  });

  it('is left out where there is none', () => {
    const body =
      'fn f(A: [m, n], x: [n], b: [m]) -> y: [m] { y[i] = sigmoid(sum[j] A[i, j] * x[j] + b[i]) }';
    expect(derivativeOf(body).latex).toEqual([
      '\\frac{\\partial y_{i}}{\\partial x_{j}} = y_{i} (1 - y_{i}) A_{ij}',
    ]);
  });
});

describe('the printed lines of DLG', () => {
  const n3 = { x: wavy([3]) };
  const linear = { A: wavy([2, 3], 1), x: wavy([3]), b: wavy([2], 2) };
  const cases: readonly (readonly [string, string, string, Readonly<Record<string, Tensor>>])[] = [
    ['x: [n]', '[n, n]', '{ y[i] = softmax[i] (2 * x[i]) }', n3],
    ['x: [n]', '[n, n]', '= gelu(x)', n3],
    ['x: [n]', '[n, n]', '= -x^3 / (1 + x^2)', n3],
    ['x: [n]', '[n, n]', '= max(x, 0.5) - sqrt(abs(x) + 1) * ind(x > 0)', n3],
    ['x: [n]', '[n, n]', '= x / sqrt(sum(x^2) + 1)', n3],
    [
      'A: [m, n], x: [n], b: [m]',
      '[m, n]',
      '{ y[i] = tanh(sum[j] A[i, j] * x[j] + b[i])^2 }',
      linear,
    ],
    ['A: [m, n], x: [n], b: [m]', '[n]', '= sum(b * (A @ x)) - lse[i] x[i]', linear],
    [
      'A: [m, n], x: [n], b: [m]',
      '[m, n]',
      '{ y[i] = sum[j, k] ind(i == k) * A[k, j] * x[j]^2 * b[i] }',
      linear,
    ],
  ];
  test.each(cases)('%s -> %s %s', (parameters, type, body, feeds) => {
    const shape = type === '[n]' ? 'real' : `[${type.slice(1).split(',')[0]}]`;
    const of = `fn f(${parameters}) -> y: ${shape} ${body}`;
    const lines = derivativeOf(of).dlg.join('\n');
    const form = shape === 'real' ? 'grad' : 'jac';
    const exact = `export fn f(${parameters}) -> (y: ${shape}, D: ${type}) ${body.startsWith('=') ? `{ y ${body}` : body.replace(/\}$/, '')} D = ${form}(y, x) }`;
    const printed = `export fn f(${parameters}) -> (y: ${shape}, dy_dx: ${type}) {\n${lines}\n}`;
    const [expected, actual] = [exact, printed].map((text) =>
      run(program(source(text)).functions[0].graph, feeds),
    );
    expect(actual.dy_dx.shape).toEqual(expected.D.shape);
    expected.D.data.forEach((d, i) => expect(actual.dy_dx.data[i]).toBeCloseTo(d, 5));
    expected.y.data.forEach((y, i) => expect(actual.y.data[i]).toBeCloseTo(y, 5));
  });

  it('a comparison of indices with different ranges picks no term', () => {
    const body = '{ y[i] = sum[k] ind(i == k) * b[k] * x[i] }';
    const { dlg } = derivativeOf(`fn f(x: [n], b: [m]) -> y: [n] ${body}`);
    const printed = `export fn f(x: [n], b: [m]) -> (y: [n], dy_dx: [n, n]) {\n${dlg.join('\n')}\n}`;
    const feeds = { x: wavy([3]), b: tensor('f32', [2], [5, 7]) };
    const { y, dy_dx: d } = run(program(source(printed)).functions[0].graph, feeds);
    expect(y.data[2]).toBeCloseTo(0, 12);
    expect([...d.data].map((v) => Math.abs(v))).toEqual([5, 0, 0, 0, 7, 0, 0, 0, 0]);
  });
});

describe('what has no derivative to print', () => {
  const text = source(
    'fn f(x: [n], k: int[n], g: ([n]) -> [n]) -> y: [n] = g(x) * k\nfn h(x: [n]) -> c: bool[n] = x > 0',
  );
  const answer = (of: string, by: string): unknown =>
    derive({ path: 'test.dlg', text }, host, { of, by }).derivative;
  it('is told in a sentence', () => {
    expect(answer('none', 'x')).toBe('the file has no function none');
    expect(answer('f', 'z')).toBe('f: it has no parameter z: its parameters are x, k, g');
    expect(answer('f', 'k')).toBe('f: k is not a tensor of reals');
    expect(answer('f', 'x')).toBe('f: a parameter is not a tensor, or has a pack of sizes');
    expect(answer('h', 'x')).toBe('h: its result is not one tensor of reals');
  });
});

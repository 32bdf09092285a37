// Derivatives through loops and equations in programs, against float64 differences and closed forms.

import { describe, expect, it } from 'vitest';

import { tensor } from '../../compiler/ir/tensor.ts';
import { onnxRuntime } from '../models/executors.ts';
import { compileText, program, run, wavy } from './compile-text.ts';
import { close, differences, results, vector } from './numbers.ts';

const recurrent = `export fn f(x: [T, n], W: [n, n], s0: [n]) -> (y: real, gx: [T, n], gW: [n, n], gs: [n], h: real) {
  for t < T with s = s0 {
    a[i] = sum[j] W[i, j] * s[j]
    s <- tanh(a + x[t])
    z[t] = sum[i] s[i]^2
  }
  y = mean[t] (z[t] * (t + 1)) + sum(s)
  gx = grad(y, x)
  gW = grad(y, W)
  gs = grad(y, s0)
  h = sum(gW^2)
}`;

describe('through a loop', () => {
  const feeds = { x: wavy([5, 3]), W: wavy([3, 3], 0.4), s0: wavy([3], 2) };

  it.each([
    ['x', 'gx'],
    ['W', 'gW'],
    ['s0', 'gs'],
  ])('by %s, as differences have it', (name, gradient) => {
    const out = results(recurrent, feeds);
    close(out[gradient], differences(recurrent, feeds, name, 'y'), 7);
  });

  it('that computes its rounds again: the same, with less kept', () => {
    const again = recurrent.replace('t < T with', 't < T recompute with');
    const [saved, spared] = [results(recurrent, feeds), results(again, feeds)];
    for (const name of ['gx', 'gW', 'gs']) close(spared[name], saved[name].data, 12);
    const kept = (text: string): number =>
      program(text)
        .functions[0].graph.nodes.filter(({ op }) => op === 'scan')
        .reduce((sum, { outputs }) => sum + outputs.length, 0);
    expect(kept(again)).toBeLessThan(kept(recurrent));
  });

  it('twice', () => {
    const text = recurrent
      .replace('h: real)', 'h: real, H: [n, n])')
      .replace('h = sum(gW^2)', 'h = sum(gW^2)\n  H = grad(h, W)');
    close(results(text, feeds)['H'], differences(text, feeds, 'W', 'h'), 5);
  });

  it('on ONNX Runtime', async () => {
    const { graph } = program(recurrent).functions[0];
    const expected = run(graph, feeds);
    const out = await onnxRuntime.run(
      graph,
      Object.fromEntries(
        Object.entries(feeds).map(([k, v]) => [k, tensor('f32', v.shape, v.data)]),
      ),
    );
    for (const name of ['y', 'gx', 'gW', 'gs']) close(out[name], expected[name].data, 4);
  });

  it('forward: jvp is the gradient along a direction, jac all of it', () => {
    const text = `fn g(x: [T], w: real) -> s: real {
      for t < T with s = w { s <- sin(s * x[t]) }
    }
    export fn f(x: [T], w: real, v: [T]) -> (a: real, b: real, J: [2, T]) {
      y = g(x, w)
      a = jvp(y, x, v)
      b = sum(grad(y, x) * v)
      z = pair(g(x, w), y * x[0])
      J = jac(z, x)
    }
    fn pair(a: real, b: real) -> [2] = [a, b]`;
    const feeds = {
      x: vector(0.3, 1.2, -0.7),
      w: tensor('f32', [], [0.9], 'f64'),
      v: vector(1, 2, 3),
    };
    const out = results(text, feeds);
    close(out['a'], out['b'].data, 10);
    const y = differences(text.replace('(a: real', '(y: real, a: real'), feeds, 'x', 'y');
    close({ ...out['J'], data: out['J'].data.slice(0, 3) }, y, 7);
  });

  it('that ends early: only the rounds before the end count', () => {
    const { g } = results(
      `export fn f(x: [T]) -> g: [T] {
        for t < T until s > 5 with s = 0.0 { s <- s + x[t]^2 }
        g = grad(s, x)
      }`,
      { x: vector(1, 2, 3, 4) },
    );
    close(g, [2, 4, 6, 0]);
  });

  it('by a carry, inside', () => {
    const { w } = results(
      `export fn f(a: [n]) -> w: [n] {
        for k < 50 with w = zeros(n) {
          loss = sum((w - a)^2)
          w <- w - 0.25 * grad(loss, w)
        }
      }`,
      { a: vector(1, -2) },
    );
    close(w, [1, -2]);
  });

  it('of steps of descent: the derivative of what was learnt by what it was learnt from', () => {
    const { g } = results(
      `export fn f(a: real) -> g: real {
        for k < 4 with w = 0.0 {
          loss = (w - a)^2
          w <- w - 0.25 * grad(loss, w)
        }
        g = grad(w, a)
      }`,
      { a: tensor('f32', [], [3], 'f64') },
    );
    close(g, [1 - 0.5 ** 4]);
  });
});

describe('through an equation', () => {
  it('fix: as the implicit function theorem has it, twice', () => {
    const { y, g, h } = results(
      `export fn f(a: [n]) -> (y: [n], g: [n], h: [n]) {
        fix y = zeros(n) tol 1e-13 within 500 { y <- cos(a * y) }
        g = grad(sum(y), a)
        h = grad(sum(g), a)
      }`,
      { a: vector(1, 0.5) },
    );
    const slope = (a: number, y: number): number =>
      (-Math.sin(a * y) * y) / (1 + Math.sin(a * y) * a);
    const solve = (a: number): number => {
      let x = 0;
      for (let i = 0; i < 500; i++) x = Math.cos(a * x);
      return x;
    };
    close(y, [solve(1), solve(0.5)], 10);
    close(g, [slope(1, y.data[0]), slope(0.5, y.data[1])], 9);
    const second = [1, 0.5].map(
      (a) => (slope(a + 1e-5, solve(a + 1e-5)) - slope(a - 1e-5, solve(a - 1e-5))) / 2e-5,
    );
    close(h, second, 5);
  });

  it('fix: of several variables, a linear system', () => {
    const { g } = results(
      `export fn f(A: [n, n], b: [n]) -> g: [n] {
        fix x = b tol 1e-13 within 1000 { x <- product(A, x) + b }
        g = grad(sum(x), b)
      }
      fn product(A: [n, n], x: [n]) -> y: [n] { y[i] = sum[j] A[i, j] * x[j] }`,
      { A: tensor('f32', [2, 2], [0.2, 0.3, -0.1, 0.4], 'f64'), b: vector(1, 2) },
    );
    // The sum of the columns of (I - A)^-1.
    const determinant = 0.8 * 0.6 + 0.3 * 0.1;
    close(g, [(0.6 - 0.1) / determinant, (0.3 + 0.8) / determinant], 9);
  });

  it('root: of a cube, twice; 0 where there is none', () => {
    const { g, h } = results(
      `export fn f(a: [n]) -> (g: [n], h: [n]) {
        root d in (0, 10) tol 1e-13 within 100 { d^3 - a }
        g = grad(sum(d), a)
        h = grad(sum(g), a)
      }`,
      { a: vector(8, 27, -1) },
    );
    close(g, [1 / 12, 1 / 27, 0], 9);
    close(h, [-2 / 9 / 32, -2 / 9 / 243, 0], 9);
  });
});

describe('refusals', () => {
  it('a derivative in a loop by a variable from before it', () => {
    const { diagnostics } = compileText(`export fn f(x: [n]) -> y: [n] {
      h = 2 * x
      for t < 3 with y = zeros(n) { y <- y + grad(sum(h^2), x) }
    }`);
    expect(diagnostics.map(({ code }) => code)).toEqual(['E0457']);
  });
});

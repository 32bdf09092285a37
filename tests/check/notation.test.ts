// Index notation: ranges, groups, packs, prefixes, reads, and every mistake about them.

import { describe, expect, test } from 'vitest';

import { showDim } from '../../compiler/dims/show.ts';
import { accepted, codesOf, only, reports, typeOf, valueIn } from './helpers.ts';

/** The ranges of the axes of `y` in `fn f(...) { y = ... }`. */
function axesOf(text: string): string[] {
  const found = valueIn(accepted(text), 'f', 'y');
  const value = found.kind === 'convert' ? found.value : found;
  if (value.kind !== 'comprehension') throw new Error(`y is a ${value.kind}`);
  return value.axes.map((group) => group.map((i) => `${i.name}<${showDim(i.range)}`).join(' '));
}

describe('ranges', () => {
  test('come from bare reads, whatever the order', () => {
    expect(axesOf('fn f(x: [n, m]) -> [m, n] {\n  y[j, i] = x[i, j]\n  return y\n}\n')).toEqual([
      'j<m',
      'i<n',
    ]);
  });

  test('come from the declared type of the left side', () => {
    expect(axesOf('fn f(n: dim) -> y: [n, 2 * n] {\n  y[i, j] = i + j\n}\n')).toEqual([
      'i<n',
      'j<2 * n',
    ]);
  });

  test('come from a bound', () => {
    expect(axesOf('fn f(x: [n]) -> [3, n] {\n  y[k < 3, i] = k * x[i]\n  return y\n}\n')).toEqual([
      'k<3',
      'i<n',
    ]);
  });

  test('come from calls that take a fin', () => {
    const text = `fn pick(E: [V], i: fin(V)) -> real = E[i]
fn f(E: [V]) -> [V] {
  y[i] = 2 * pick(E, i)
  return y
}
`;
    expect(axesOf(text)).toEqual(['i<V']);
  });

  test('of a group are solved from its axis', () => {
    const text = `fn f(x: [b, g * o], g: dim) -> y: [o, b, g] {
  y[k, i, j] = x[i, (j, k)]
}
`;
    expect(axesOf(text)).toEqual(['k<o', 'i<b', 'j<g']);
  });

  test('come from reads that tile an axis', () => {
    const text = `fn f(x: [..B, H, W, c], p: dim) -> y: [..B, (H / p) * (W / p), p * p * c]
  where H % p == 0, W % p == 0
{
  y[.., (i, j), (u < p, v < p, k)] = x[.., i * p + u, j * p + v, k]
}
`;
    expect(axesOf(text)).toEqual(['..<numel(..B)', 'i<floor(H / p) j<floor(W / p)', 'u<p v<p k<c']);
  });

  test('come from a read backwards', () => {
    expect(axesOf('fn f(x: [n]) -> [n] {\n  y[i] = x[n - 1 - i]\n  return y\n}\n')).toEqual([
      'i<n',
    ]);
  });

  test('that disagree are reported once, with where the first came from', () => {
    const report = only(`fn f(W: [m, n], x: [n]) -> y: [m] {
  y[o] = sum[i] W[i, o] * x[i]
}
`);
    expect(report.code).toBe('E0302');
    expect(report.help).toBe('is `W` transposed?');
    expect(report.related.map((r) => r.reason)).toEqual(['the result has size m here']);
  });

  test('that nothing gives are asked for', () => {
    expect(reports('fn f(x: [n]) -> real = sum[i] x[2 * i]\n')).toEqual(['E0305 1:28 i']);
    expect(reports('fn f(x: [n]) -> [n] {\n  y[i] = 1\n  return y\n}\n')).toEqual(['E0305 2:5 i']);
  });
});

describe('reads', () => {
  test('of windows are proved in range for all sizes', () => {
    accepted(`fn f(x: [n], w: [k]) -> y: [n - k + 1] where k <= n {
  y[i] = sum[u] w[u] * x[i + u]
}
`);
    accepted(`fn f(x: [n], w: [k], s: dim, d: dim) -> y: [(n - d * (k - 1) - 1) // s + 1]
  where d * (k - 1) + 1 <= n
{
  y[i] = sum[u] w[u] * x[i * s + u * d]
}
`);
    accepted('fn f(x: [n]) -> y: [2 * n] {\n  y[i] = x[i // 2]\n}\n');
    accepted('fn f(x: [n], k: dim) -> y: [k] {\n  y[i] = x[i % n]\n}\n');
  });

  test('past the end are refuted by numbers', () => {
    const report = only('fn f(x: [n]) -> y: [n] {\n  y[i] = x[i + 1]\n}\n');
    expect(report.code).toBe('E0303');
    expect(report.data).toMatchObject({ least: '1', most: 'n', size: 'n' });
    expect(report.notes).toHaveLength(1);
  });

  test('before the beginning are refuted too', () => {
    expect(only('fn f(x: [n]) -> y: [n] {\n  y[i] = x[i - 1]\n}\n').code).toBe('E0303');
  });

  test('below a prefix know its bound', () => {
    accepted('fn f(a: [n], b: [n]) -> y: [n] {\n  y[t] = sum[s <= t] a[s] * b[t - s]\n}\n');
    expect(
      only('fn f(a: [n], b: [n]) -> y: [n] {\n  y[t] = sum[s <= t] a[s] * b[t - s - 1]\n}\n').code,
    ).toBe('E0303');
  });

  test('at a fin gather, and their sizes must match', () => {
    accepted('fn f(E: [V, d], t: fin(V)[B]) -> y: [B, d] {\n  y[b, c] = E[t[b], c]\n}\n');
    expect(
      only('fn f(E: [V, d], t: fin(W)[B]) -> y: [B, d] {\n  y[b, c] = E[t[b], c]\n}\n').code,
    ).toBe('E0303');
    expect(
      only('fn f(E: [V, d], t: int[B]) -> y: [B, d] {\n  y[b, c] = E[t[b], c]\n}\n').code,
    ).toBe('E0304');
    accepted(
      'fn f(E: [V, d], t: int[B]) -> y: [B, d] {\n  y[b, c] = E[clamp(t[b], 0, V - 1), c]\n}\n',
    );
  });

  test('outside of index notation keep the axes they do not name', () => {
    expect(typeOf('x: [n, m, k]', 'x[0]')).toBe('[m, k]');
    expect(typeOf('x: [n, m, k]', 'x[:, n - n, 0]')).toBe('[n]');
    expect(typeOf('x: [..B, 8]', 'x[.., 2:5]')).toBe('[..B, 3]');
    expect(typeOf('x: [..B, 8]', 'x[.., :4]')).toBe('[..B, 4]');
    expect(codesOf('x: [n, 8]', 'x[:, 3:9]')).toEqual(['E0311']);
    expect(codesOf('x: [n]', 'x[1]')).toEqual(['E0303']);
  });

  test('that keep an axis inside need something that takes it', () => {
    expect(typeOf('x: [B, n]', 'sum[b] norm(x[b, :])')).toBe('real');
    expect(only('fn f(x: [B, n]) -> y: [B] {\n  y[b] = x[b, :]\n}\n').code).toBe('E0314');
  });

  test('name every axis', () => {
    expect(codesOf('x: [n, m]', 'sum[i] x[i]')).toEqual(['E0308']);
    expect(codesOf('x: [..B, n]', 'sum[i] x[i]')).toEqual(['E0308']);
    expect(codesOf('x: [..B, n]', 'sum[i, j] x[i, j]')).toEqual(['E0307']);
  });
});

describe('`..`', () => {
  test('is the pack of the declared type', () => {
    expect(axesOf('fn f(x: [..B, n]) -> y: [..B] {\n  y[..] = sum[i] x[.., i]\n}\n')).toEqual([
      '..<numel(..B)',
    ]);
  });

  test('may stand for sizes', () => {
    expect(
      axesOf('fn f(x: [B, 5], t: [B]) -> y: [B, 5] {\n  y[b, ..] = t[b] * x[b, ..]\n}\n'),
    ).toEqual(['b<B', '..<5']);
    expect(
      axesOf('fn f(x: [2, 3, n]) -> [2, 3] {\n  y[..] = sum[i] x[.., i]\n  return y\n}\n'),
    ).toEqual(['..<2', '..<3']);
  });

  test('is the same on both sides', () => {
    expect(
      only(
        'fn f(x: [..B, n], z: [..C, n]) -> y: [..B] {\n  y[..] = sum[i] x[.., i] * z[.., i]\n}\n',
      ).code,
    ).toBe('E0307');
    expect(codesOf('x: [..B, n]', 'sum[i] x[.., i]')).toEqual(['E0307']);
  });
});

describe('binders', () => {
  test('give their bases', () => {
    expect(typeOf('x: [n]', 'sum[i] x[i]')).toBe('real');
    expect(typeOf('x: int[n]', 'sum[i] x[i]')).toBe('int');
    expect(typeOf('x: int[n]', 'mean[i] x[i]')).toBe('real');
    expect(typeOf('x: [n]', 'any[i] (x[i] > 0)')).toBe('bool');
    expect(typeOf('x: [n]', 'argmax[i] x[i]')).toBe('fin(n)');
    expect(typeOf('x: [n, m]', 'argmax[i, j] x[i, j]')).toBe('fin(n * m)');
    expect(typeOf('x: fin(5)[n]', 'max[i] x[i]')).toBe('fin(5)');
    expect(typeOf('x: fin(5)[n]', 'sum[i] x[i]')).toBe('int');
    expect(codesOf('x: bool[n]', 'sum[i] x[i]')).toEqual(['E0121']);
    expect(codesOf('x: [n]', 'all[i] x[i]')).toEqual(['E0121']);
  });

  test('end after one product', () => {
    expect(typeOf('x: [n], w: real', 'sum[i] x[i] * x[i] + w')).toBe('real');
    const report = only('fn f(x: [n], w: [n]) -> real = sum[i] x[i] * x[i] + w[i]\n');
    expect(report.code).toBe('E0301');
    expect(report.help).toContain('sum[i] (...)');
  });

  test('that keep their index need it outside', () => {
    accepted('fn f(x: [n]) -> y: [n] {\n  y[i] = softmax[i] x[i]\n}\n');
    accepted('fn f(x: [n, n]) -> y: [n, n] {\n  y[t, s] = softmax[s <= t] x[t, s]\n}\n');
    accepted('fn f(x: [n]) -> real = sum[i] cumsum[i] x[i]\n');
    expect(codesOf('x: [n]', 'softmax[i] x[i]')).toEqual(['E0315']);
  });

  test('bind an index once', () => {
    expect(only('fn f(x: [n, n]) -> y: [n] {\n  y[i] = sum[i] x[i, i]\n}\n').code).toBe('E0306');
    expect(only('fn f(x: [n, n]) -> y: [n, n] {\n  y[i, i] = x[i, i]\n}\n').code).toBe('E0306');
  });

  test('vectorise functions of scalars and of packs', () => {
    const program = accepted(`import "std/activations"
fn f(x: [n, m]) -> y: [n] {
  y[i] = sum[j] tanh(relu(x[i, j])) * (if x[i, j] > 0 then 1 else 2)
}
`);
    expect(valueIn(program, 'f', 'y').type).toMatchObject({
      kind: 'tensor',
      base: { kind: 'real' },
    });
  });
});

test('an unknown index is told apart from an unknown name', () => {
  expect(codesOf('x: [n, m]', 'sum[i] x[i, j]')).toEqual(['E0301']);
  expect(codesOf('x: [n], label: fin(n)', 'x[labell]')).toEqual(['E0201']);
});

test('left sides are made of indices', () => {
  expect(reports('fn f(x: [n]) -> y: [n] {\n  y[i + 1] = x[i]\n}\n')).toEqual(['E0313 2:5 i + 1']);
  expect(reports('fn f(x: [n]) -> y: [n] {\n  y[:] = x\n}\n')).toEqual(['E0313 2:5 :']);
});

// Types, calls and signatures: what is inferred, what is solved, what is proved and what is refused.

import { describe, expect, test } from 'vitest';

import { showDim } from '../../compiler/dims/show.ts';
import { showType } from '../../compiler/check/show.ts';
import {
  accepted,
  codesOf,
  diagnose,
  functionOf,
  only,
  reports,
  typeOf,
  valueIn,
} from './helpers.ts';

describe('elementwise operations', () => {
  test('take equal shapes, scalars and suffixes', () => {
    expect(typeOf('x: [B, n], y: [B, n]', 'x + y')).toBe('[B, n]');
    expect(typeOf('x: [B, n]', '2 * x')).toBe('[B, n]');
    expect(typeOf('x: [B, n], y: [n]', 'x * y')).toBe('[B, n]');
    expect(typeOf('x: [..B, n], y: [n]', 'y - x')).toBe('[..B, n]');
    expect(codesOf('x: [B, n], y: [B]', 'x * y')).toEqual(['E0602']);
    expect(codesOf('p: [B, 1], y: [B]', 'p - y')).toEqual(['E0603']);
  });

  test('join bases', () => {
    expect(typeOf('i: fin(5), j: fin(5)', 'i + j')).toBe('int');
    expect(typeOf('i: int[n], x: [n]', 'i * x')).toBe('[n]');
    expect(typeOf('i: int, j: int', 'i / j')).toBe('real');
    expect(typeOf('i: int, j: int', 'i // j % 3')).toBe('int');
    expect(typeOf('x: [n]', '0 < x < 1')).toBe('bool[n]');
    expect(codesOf('c: bool', 'c + 1')).toEqual(['E0601']);
  });

  test('choose by a condition', () => {
    expect(typeOf('x: [n]', 'if x > 0 then x else 0')).toBe('[n]');
    expect(typeOf('c: bool, i: int', 'if c then i else 0.5')).toBe('real');
    expect(typeOf('c: bool[n]', 'if c then 1 else 0')).toBe('int[n]');
    expect(codesOf('x: [n], y: [m], c: bool', 'if c then x else y')).toEqual(['E0130']);
    expect(codesOf('x: [n]', 'if x then x else 0')).toEqual(['E0121']);
  });
});

describe('sizes as numbers', () => {
  test('stay sizes under + - * // %', () => {
    const program = accepted(
      'fn f(x: [n, m]) -> y: [2 * n + 1] {\n  k = 2 * n + 1\n  y = ones(k)\n}\n',
    );
    expect(valueIn(program, 'f', 'k')).toMatchObject({ kind: 'dim' });
    expect(typeOf('x: [n]', 'n / 2')).toBe('real');
    expect(typeOf('x: [n]', 'n // 2')).toBe('int');
    expect(typeOf('x: [n, 6]', 'reshape(x, [n * 2, 6 / 2])')).toBe('[2 * n, 3]');
  });

  test('divide exactly where a size is wanted', () => {
    expect(reports('fn f(x: [n]) -> [n / 2] = zeros(n / 2)\n')).toEqual([
      'E0107 1:18 n / 2',
      'E0107 1:33 n / 2',
    ]);
    accepted('fn f(x: [n]) -> [n / 2] where n % 2 == 0 = zeros(n / 2)\n');
  });

  test('come from constants', () => {
    accepted('const k: int = 4\ndim m = k * 7\nfn f(x: [n]) -> [28] = zeros(m)\n');
  });
});

describe('signatures', () => {
  test('bind sizes where they are new', () => {
    const made = functionOf(accepted('fn f(x: [..B, n], y: [n, 2 * k]) -> [k] = zeros(k)\n'), 'f');
    expect(made.quantified.map((v) => v.name)).toEqual(['B', 'n', 'k']);
  });

  test('ask for what nothing determines', () => {
    const report = only('fn f(x: [height, width]) -> [heigth] = zeros(height)\n');
    expect(report.code).toBe('E0111');
    expect(report.help).toBe('add a parameter `heigth: dim`, or did you mean `height`?');
    expect(reports('fn f(x: [n * m]) -> real = sum(x)\n')).toEqual([
      'E0111 1:10 n',
      'E0111 1:14 m',
    ]);
    expect(only('fn f(x: [a]) -> [..B] = x\n').code).toBe('E0111');
  });

  test('warn of a size that is probably misspelt', () => {
    const report = only('fn f(x: [batch, n], y: [bacth, n]) -> real = sum(x) + sum(y)\n');
    expect([report.code, report.severity]).toEqual(['E0117', 'warning']);
    expect(diagnose('fn f(x: [B, n]) -> real = sum(x)\n')).toEqual([]);
  });

  test('take any size by _', () => {
    accepted('fn f(x: [_, n, _]) -> [n] = zeros(n)\nfn g(x: [1, 2, 3]) -> [2] = f(x)\n');
  });

  test('stand although the body is broken', () => {
    expect(reports('fn f(x: [n]) -> [n] = nope(x)\nfn g(x: [3]) -> [3] = f(x)\n')).toEqual([
      'E0201 1:23 nope',
    ]);
  });

  test('infer a result that is not declared', () => {
    const program = accepted('fn g(x: [3, 4]) = f(x)\nfn f(x: [n, m]) = transpose(x)\n');
    expect(showType(functionOf(program, 'g').result)).toBe('[4, 3]');
  });
});

describe('calls', () => {
  test('solve sizes whatever the order of the arguments', () => {
    const text = `fn f(x: [2 * n], y: [n + k], z: [k]) -> [n, k] = zeros(n, k)
fn g(x: [8], y: [7], z: [3]) -> [4, 3] = f(x, y, z)
`;
    accepted(text);
    expect(
      diagnose(text.replace('y: [7]', 'y: [9]').replace('-> [4, 3] =', '=')).map((d) => d.code),
    ).toEqual(['E0101']);
  });

  test('bind sizes and packs, and fill in defaults', () => {
    const program = accepted(
      `fn f(x: [..B, n], k: dim = 2, a: real = 3) -> [..B, k] = zeros(k) + sum(x) * a + x[.., :1][.., 0:1][.., 0] * 0
`.replace('zeros(k) + sum(x) * a + x[.., :1][.., 0:1][.., 0] * 0', 'nothing(x, k)') +
        `fn nothing(x: [..B, n], k: dim) -> y: [..B, k] {
  y[.., i] = sum[j] x[.., j] + i
}
fn g(x: [5, 7, 3]) -> [5, 7, 2] = f(x)
`,
    );
    const call = valueIn(program, 'g', null);
    if (call.kind !== 'call') throw new Error(call.kind);
    expect([...call.bindings.dims].map(([v, d]) => `${v.name} = ${showDim(d)}`).sort()).toEqual([
      'k = 2',
      'n = 3',
    ]);
    expect([...call.bindings.packs.values()].map((shape) => shape.length)).toEqual([2]);
    expect(call.arguments.map((a) => a.kind)).toEqual(['local', 'dim', 'convert']);
  });

  test('check conditions: proved, refuted, unknown', () => {
    const half = 'fn half(x: [n]) -> [n / 2] where n % 2 == 0 = halves(x)[0]\n';
    accepted(`${half}fn g(x: [2 * m]) -> [m] = half(x)\n`);
    accepted(`${half}fn g(x: [k]) -> [k / 2] where k % 4 == 0 = half(x)\n`);
    expect(only(`${half}fn g(x: [7]) -> [3] = half(x)\n`).code).toBe('E0108');
    const report = only(`${half}fn g(x: [k]) -> [k // 2] = half(x)\n`);
    expect([report.code, report.help]).toEqual([
      'E0109',
      'add `where k % 2 == 0` to this definition',
    ]);
  });

  test('name the arguments that are wrong', () => {
    const f = 'fn f(x: [n], scale: real = 1, k: dim = 2) -> [n] = scale * x\n';
    expect(reports(`${f}fn g(x: [3]) -> [3] = f(x, 1, 2, 3)\n`)).toEqual(['E0123 2:34 3']);
    expect(reports(`${f}fn g(x: [3]) -> [3] = f(x, scal = 1)\n`)).toEqual(['E0124 2:28 scal']);
    expect(reports(`${f}fn g(x: [3]) -> [3] = f(x, 1, scale = 1)\n`)).toEqual([
      'E0125 2:31 scale = 1',
    ]);
    expect(reports(`${f}fn g(x: [3]) -> [3] = f(scale = 1)\n`)).toEqual([
      'E0126 2:23 f(scale = 1)',
    ]);
    expect(reports(`${f}fn g(x: [3]) -> [3] = f(scale = 1, x)\n`)).toEqual(['E0127 2:36 x']);
    expect(reports(`${f}fn g(x: [3]) -> [3] = f(x, k = 0)\n`)).toEqual(['E0112 2:23 f(x, k = 0)']);
  });

  test('suggest to flatten', () => {
    const f = 'fn f(x: [B, n], W: [n, m]) -> [B, m] = x @ W\n';
    const report = only(`${f}fn g(x: [B, 28, 28], W: [784, 10]) -> [B, 10] = f(x, W)\n`);
    expect(report.code).toBe('E0103');
  });

  test('pass functions, whose own sizes are free', () => {
    const twice = 'fn twice(f: ([..S]) -> [..S], x: [n]) -> [n] = f(f(x))\n';
    accepted(`${twice}fn g(x: [5]) -> [5] = twice(tanh, x)\n`);
    accepted(
      `${twice}fn h(x: [..S], a: real = 2) -> [..S] = a * x\nfn g(x: [5]) -> [5] = twice(h, x)\n`,
    );
    expect(only(`${twice}fn h(x: [n]) -> [n] = x\nfn g(x: [5]) -> [5] = twice(h, x)\n`).code).toBe(
      'E0133',
    );
    expect(only(`${twice}fn g(x: [5]) -> [5] = twice(x, x)\n`).code).toBe('E0121');
  });

  test('pipe', () => {
    expect(typeOf('x: [B, 3, 4]', 'x |> flatten |> tanh')).toBe('[B, 12]');
    expect(
      diagnose(
        'fn f(x: [n], k: real) -> [n] = k * x\nfn g(x: [3]) -> [3] = x |> f(2) |> f(k = 3)\n',
      ),
    ).toEqual([]);
  });

  test('never recur', () => {
    expect(reports('fn f(x: real) -> real = g(x)\nfn g(x: real) -> real = f(x)\n')).toEqual([
      'E0215 2:25 f',
    ]);
    expect(
      diagnose('model A() {\n  layer b = B()\n}\nmodel B() {\n  layer a = A()\n}\n').map(
        (d) => d.code,
      ),
    ).toEqual(['E0215']);
  });
});

describe('fin', () => {
  test('takes numbers in range, and integers by proof', () => {
    accepted('fn f(y: fin(3)) -> int = y\nconst a = f(2)\n');
    expect(only('fn f(y: fin(3)) -> int = y\nconst a = f(3)\n').code).toBe('E0135');
    accepted('fn f(i: fin(n), j: fin(m)) -> fin(n * m) = fin(i * m + j)\n');
    expect(only('fn f(i: fin(n), j: fin(m)) -> fin(n * m) = fin(i * m + j + 1)\n').code).toBe(
      'E0135',
    );
    expect(only('fn f(i: int) -> int = fin(i)\n').code).toBe('E0134');
    accepted('fn f(i: int, n: dim) -> fin(n) = clamp(i, 0, n - 1)\n');
  });
});

describe('records and tuples', () => {
  const code = 'type Code = (mu: [4], lv: [4])\n';

  test('have fields', () => {
    accepted(`${code}fn f(p: Code) -> [4] = p.mu + p.lv\nfn g(x: [8]) -> [4] = f(halves(x))\n`);
    const report = only(`${code}fn f(p: Code) -> [4] = p.mv\n`);
    expect([report.code, report.help]).toEqual(['E0203', 'did you mean `mu`?']);
  });

  test('are taken apart', () => {
    accepted('fn f(x: [2 * n]) -> (b: [n], a: [n]) {\n  a, b = halves(x)\n}\n');
    expect(only('fn f(x: [6]) -> [3] {\n  a, b, c = halves(x)\n  return a\n}\n').code).toBe(
      'E0128',
    );
  });
});

describe('bodies', () => {
  test('assign every result, once', () => {
    expect(only('fn f(x: [n]) -> y: [n] {\n  z = x\n}\n').code).toBe('E0132');
    expect(only('fn f(x: [n]) -> y: [n] {\n  y = x\n  y = 2 * x\n}\n').code).toBe('E0202');
    expect(only('fn f(x: [n]) -> y: [n] {\n  y = x\n  return x\n}\n').code).toBe('E0137');
    expect(only('fn f(x: [n]) -> y: [n] {\n  x = 2\n  y = ones(n)\n}\n').code).toBe('E0202');
    expect(only('fn f(x: [n, m]) -> y: [m] = x\n').code).toBe('E0131');
  });

  test('branch on what is known when the program is built', () => {
    const program = accepted(
      'fn f(x: [n]) -> y: [n] {\n  if training { s = 2 } else { s = 0.5 }\n  y = s * x\n}\n',
    );
    expect(
      functionOf(program, 'f')
        .body()
        ?.statements.map((s) => s.kind),
    ).toEqual(['if', 'let']);
    expect(only('fn f(x: real) -> y: real {\n  if x > 0 { y = x } else { y = 0 }\n}\n').code).toBe(
      'E0138',
    );
    expect(
      only('fn f(x: [n]) -> [n] {\n  if training { s = 2 } else { t = 3 }\n  return s * x\n}\n')
        .code,
    ).toBe('E0217');
    expect(
      only(
        'fn f(x: [n], z: [m]) -> real {\n  if training { s = x } else { s = z }\n  return sum(s)\n}\n',
      ).code,
    ).toBe('E0130');
  });
});

test('a mistake is reported once, where it is made', () => {
  expect(
    reports(`fn f(x: [n]) -> real {
  a = nope(x)
  b = 2 * a
  c[i] = b[i] + x[i]
  return sum(c)
}
`),
  ).toEqual(['E0201 2:7 nope']);
});

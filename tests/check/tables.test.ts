// Schedules and decision processes, as the checker sees them: their form, their types, the records and hyper-parameters they fit.

import { expect, test } from 'vitest';

import { accepted, reports } from './helpers.ts';

const linear = `schedule Linear(T: dim) where T >= 2 {
  beta[t < T] = t / T
  alpha[t]    = 1 - beta[t]
  abar[t]     = prod[s <= t] alpha[s]
  check 0 <= beta < 1
}
`;

const grid = `mdp Grid(n: dim, slip: real) where 0 <= slip <= 1 {
  states  S = n * n
  actions A = 4
  discount = 0.95
  const dx: int[A] = [0, 1, 0, -1]
  const dy: int[A] = [-1, 0, 1, 0]
  fn move(s: fin(S), a: fin(A)) -> fin(S) {
    i = clamp(s // n + dy[a], 0, n - 1)
    j = clamp(s % n + dx[a], 0, n - 1)
    return fin(i * n + j)
  }
  P[s, a, r] = (1 - slip) * ind(r == move(s, a)) + slip * mean[k] ind(r == move(s, k))
  R[s, a]    = if s == S - 1 then 0 else -1
}
`;

test('members, and sizes of the head', () => {
  accepted(`${linear}const q = Linear(1000)
fn noised(x: [B, n], e: [B, n], t: fin(q.T)[B]) -> [B, n] {
  y[b, i] = sqrt(q.abar[t[b]]) * x[b, i] + sqrt(1 - q.abar[t[b]]) * e[b, i]
  return y
}
fn last() -> real = q.beta[q.T - 1]
`);
});

test('the range of an index that a prefix bounds is that of the read it bounds', () => {
  expect(reports(`${linear}const q = Linear(10)\nfn f() -> [10] = q.abar\n`)).toEqual([]);
});

test('an index out of range, a member that is not there', () => {
  const program = (body: string): string =>
    `${linear}const q = Linear(10)\nfn f() -> real = ${body}\n`;
  expect(reports(program('q.beta[10]'))).toEqual(['E0303 8:25 10']);
  expect(reports(program('sum(q.betas)'))).toEqual(['E0203 8:24 betas']);
});

test('a schedule fits a record of its tables, whichever the order', () => {
  const noised =
    'fn noised(q: (abar: [T], beta: [T]), t: fin(T)) -> real = q.abar[t] + q.beta[t]\n';
  const use = 'fn f(t: fin(7)) -> real = noised(Linear(7), t)\n';
  expect(reports(linear + noised + use)).toEqual([]);
  expect(reports(linear + noised + use.replace('fin(7)', 'fin(8)'))).toEqual(['E0101 8:45 t']);
  expect(reports(linear + noised.replaceAll('abar', 'gamma') + use)).toEqual([
    'E0121 8:34 Linear(7)',
  ]);
});

test('a schedule as a hyper-parameter: by its name, or as a record', () => {
  const named = `model M(q: Linear(T)) where T >= 2 {\n  fn (t: fin(T)[B]) -> y: [B] {\n    y[b] = q.abar[t[b]]\n  }\n}\n`;
  const record = named.replace('Linear(T)', '(abar: [T])');
  const use = 'const q = Linear(9)\nlayer m = M(q)\nexport fn f(t: fin(9)[B]) -> y: [B] = m(t)\n';
  expect(reports(linear + named + use)).toEqual([]);
  expect(reports(linear + record + use)).toEqual([]);
  expect(reports(linear + record + use.replace('M(q)', 'M(3)'))).toEqual(['E0121 13:13 3']);
});

test('a decision process as the type `mdp`, and its sizes', () => {
  accepted(`${grid}const grid = Grid(5, 0.1)
fn improve(m: mdp, V: [m.S]) -> T: [m.S] {
  T[s] = max[a] (m.R[s, a] + m.discount * sum[r] m.P[s, a, r] * V[r])
}
fn greedy(m: mdp, V: [m.S]) -> p: fin(m.A)[m.S] {
  p[s] = argmax[a] (m.R[s, a] + m.discount * sum[r] m.P[s, a, r] * V[r])
}
fn twice(m: mdp, V: [m.S]) -> [m.S] = improve(m, improve(m, V))
fn run(V: [25]) -> [25] = twice(grid, V)
fn policy(V: [25]) -> fin(4)[25] = greedy(grid, V)
fn next(s: fin(25), a: fin(4)) -> fin(25) = grid.move(s, a)
`);
  expect(
    reports(
      `${grid}const grid = Grid(5, 0.1)\nfn f(m: mdp, V: [m.S]) -> [m.S] = V\nfn g(V: [24]) -> [24] = f(grid, V)\n`,
    ),
  ).toEqual(['E0101 17:33 V']);
});

test('the range of `fin(e)` must be proved', () => {
  const wrong = grid.replace('clamp(s % n + dx[a], 0, n - 1)', 'clamp(s % n + dx[a], 0, n)');
  expect(reports(wrong)).toEqual(['E0135 10:12 fin(i * n + j)']);
});

test('forms that do not belong', () => {
  expect(reports('schedule S(T: dim) {\n  x[t < T] <- t\n}\n')).toEqual([
    'E0801 2:3 x[t < T] <- t',
  ]);
  expect(reports('schedule S(T: dim) {\n  a, b = halves(zeros(4))\n}\n')).toEqual([
    'E0801 2:3 a, b = halves(zeros(4))',
  ]);
  expect(reports('schedule S(T: dim) {\n  a[t < T] = a[t] + 1\n}\n')).toEqual(['E0420 2:3 a']);
  expect(reports('schedule S(T: dim) {\n  a[t < T] = t\n  check sum(a)\n}\n')).toEqual([
    'E0121 3:9 sum(a)',
  ]);
  expect(reports('fn f() -> mdp = 3\n')).toEqual(['E0136 1:11 mdp']);
  expect(reports(`${linear}layer q = Linear(3)\n`)).toEqual(['E0408 7:11 Linear(3)']);
  expect(reports('model M(n: dim, s: real) where 0 < s {\n  param w: [n] = s\n}\n')).toEqual([
    'E0110 1:32 0 < s',
  ]);
});

test('what is missing in a decision process is named, each once', () => {
  const codes = reports('mdp M() {\n  states S = 2\n}\n');
  expect(codes).toEqual(['E0802 1:5 M']);
});

test.each<[string, number | null]>([
  ['(1 - q) * ind(r == to(s, a)) + q * mean[k] ind(r == to(s, k))', 1],
  ['ind(r == to(s, a)) / 2 + sum[k] ind(r == to(s, k)) / 4', 1],
  ['1 / n', 1],
  ['softmax[r] (s + a * r)', 1],
  ['if a == 0 then ind(r == s) else 1 / S', 1],
  ['if r == s then 1 - q else q / (S - 1)', null],
  ['if r == s then 1 - q * (S - 1) else q', 1],
  ['q * ind(r == s) + (1 - q) * (if s > 0 then ind(to(s, a) == r) else 1 / S)', 1],
  ['ind(r == s) - q / n + q / S', 1],
  // Out of range for the last state, where no r is the one.
  ['ind(r == s + a)', null],
  ['q * ind(r == s)', null],
  ['mean[k < 3] (k * ind(r == s))', null],
  ['ind(r == s) * ind(r == to(s, a))', null],
])('the rows of %s sum to %s', (P, sum) => {
  const { models } = accepted(`mdp W(n: dim, q: real) where 0 <= q <= 1 {
  states S = n
  actions A = 2
  discount = 0.9
  fn to(s: fin(S), a: fin(A)) -> fin(S) = clamp(s + 2 * a - 1, 0, n - 1)
  P[s, a, r] = ${P}
  R[s, a] = 0
}
`);
  expect(models[0].rowSum).toBe(sum);
});

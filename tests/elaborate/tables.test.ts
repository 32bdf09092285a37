// Schedules and decision processes as they are built: tables computed once in float64, checks that name the first entry that
// fails, constants in the graphs.

import { describe, expect, it } from 'vitest';

import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { compileText, opsOf, program, run, whole } from './compile-text.ts';

const messages = (text: string): string[] =>
  compileText(text).diagnostics.map(({ code, message }) => `${code} ${message}`);

const reals = (values: readonly number[]): Tensor => tensor('f32', [values.length], values, 'f64');

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);

describe('tables', () => {
  it('are constants of the graph, computed in float64', () => {
    const { functions } = program(`
      schedule Ramp(T: dim, top: real) {
        x[t < T] = top * (t + 1) / T
        y[t] = sum[s <= t] x[s]
        z[t] = prod[s < t] x[s]
      }
      const q = Ramp(10, 0.1)
      export fn f(t: fin(10)[B]) -> (y: [B], z: [B]) {
        y[b] = q.y[t[b]]
        z[b] = q.z[t[b]]
      }
    `);
    expect(opsOf(functions[0].graph)).toEqual(['take', 'take']);
    const { y, z } = run(functions[0].graph, { t: whole([3], [0, 4, 9]) });
    const x = Array.from({ length: 10 }, (_, t) => (0.1 * (t + 1)) / 10);
    [0, 4, 9].forEach((t, i) => {
      expect(y.data[i]).toBeCloseTo(sum(x.slice(0, t + 1)), 14);
      const product = x.slice(0, t).reduce((a, b) => a * b, 1);
      expect(Math.abs(z.data[i] / product - 1)).toBeLessThan(1e-14);
    });
  });

  it('may be computed by functions and constants of the block, with derivatives too', () => {
    const { functions } = program(`
      schedule Curve(T: dim) {
        const scale = 2
        fn f(u: real) -> real = scale * u^3
        fn slope(u: real) -> real {
          y = f(u)
          return grad(y, u)
        }
        x[t < T] = slope(t)
        total = sum(x)
      }
      const q = Curve(4)
      export fn f(x: [B]) -> y: [B] = x + q.total + q.x[3]
    `);
    expect(opsOf(functions[0].graph)).toEqual([
      'broadcast_in_dim',
      'add',
      'broadcast_in_dim',
      'add',
    ]);
    const { y } = run(functions[0].graph, { x: reals([0]) });
    expect(y.data[0]).toBe(6 * (0 + 1 + 4 + 9) + 6 * 9);
  });

  it('may be a recurrence, by a loop', () => {
    const { functions } = program(`
      schedule Cooling(T: dim, rate: real) {
        fn run() -> y: [T] {
          for t < T with h = 1.0 {
            y[t] = h
            h <- h - rate * h^2
          }
        }
        heat = run()
        check decreasing(heat)
      }
      const q = Cooling(5, 0.25)
      export fn f(t: fin(5)[B]) -> y: [B] {
        y[b] = q.heat[t[b]]
      }
    `);
    expect(opsOf(functions[0].graph)).toEqual(['take']);
    const { y } = run(functions[0].graph, { t: whole([5], [0, 1, 2, 3, 4]) });
    let heat = 1;
    for (let t = 0; t < 5; t++) {
      expect(y.data[t]).toBe(heat);
      heat -= 0.25 * heat ** 2;
    }
  });

  it('depend on the hyper-parameters of the model around them', () => {
    const { functions } = program(`
      schedule Ramp(T: dim, top: real) { x[t < T] = top * t }
      model M(T: dim, top: real) {
        const q = Ramp(2 * T, 2 * top)
        fn (t: fin(2 * T)[B]) -> y: [B] {
          y[b] = q.x[t[b]]
        }
      }
      layer a = M(2, 1)
      layer b = M(2, 5)
      export fn f(t: fin(4)[B]) -> y: [B] = a(t) + b(t)
    `);
    const { y } = run(functions[0].graph, { t: whole([2], [1, 3]) });
    expect([...y.data]).toEqual([12, 36]);
  });

  it('are read by models and functions that take a schedule, by its name or as a record', () => {
    const { functions } = program(`
      schedule Ramp(T: dim, top: real) {
        x[t < T] = top * t
        y[t] = 2 * x[t]
      }
      model Named(q: Ramp(T)) {
        fn (t: fin(T)[B]) -> z: [B] {
          z[b] = q.x[t[b]]
        }
      }
      model Any(q: (y: [T])) {
        fn (t: fin(T)[B]) -> z: [B] {
          z[b] = q.y[t[b]]
        }
      }
      const q = Ramp(3, 5)
      layer a = Named(q)
      layer b = Any(Ramp(3, 7))
      fn total(q: (y: [T], x: [T])) -> real = sum(q.x) - sum(q.y)
      export fn f(t: fin(3)[B]) -> z: [B] = a(t) + b(t) + total(q)
    `);
    const { z } = run(functions[0].graph, { t: whole([3], [0, 1, 2]) });
    expect([...z.data]).toEqual([-15, 5 + 14 - 15, 10 + 28 - 15]);
  });

  it('refuse what is not known when the program is built', () => {
    const of = (value: string, more = ''): string =>
      `schedule S(T: dim) { x[t < T] = ${value} }\n${more}export fn f(x: [B]) -> y: [B] = x * S(3).x[0]\n`;
    const layer = 'model M() { param w: real = 2 }\nlayer m = M()\n';
    expect(messages(of('m.w', layer))).toEqual(['E0805 `x` reads `m.w`, which changes']);
    const draw = 'fn g() -> e: real {\n  e ~ normal(0, 1)\n}\n';
    expect(messages(of('g()', draw))[0]).toMatch(/^E0706/);
    expect(messages(of('1').replace('S(3)', 'S(100000000)'))).toEqual([
      'E0805 `x` takes 100000000 numbers to compute, and the most is 33554432',
    ]);
  });
});

describe('checks', () => {
  const failing = (tables: string, made = 'S(5)'): string[] =>
    messages(
      `schedule S(T: dim, top: real = 1) where top > 0 {\n${tables}\n}\nconst q = ${made}\n`,
    );

  it.each([
    ['x[t < T] = t\n  check x < 3', '`x < 3` fails at t = 3: `x` is 3'],
    ['x[t < T] = t\n  check 0 <= x < 2 + 1', '`x < 2 + 1` fails at t = 3: `x` is 3, `2 + 1` is 3'],
    ['x[t < T] = t\n  check x[T - 1] < 2', '`x[T - 1] < 2` fails: `x[T - 1]` is 4'],
    [
      'x[t < T, s < 3] = 10 * t + s\n  y[s < 3] = 30 - s\n  check x < y',
      '`x < y` fails at t = 3, s = 0: `x` is 30, `y` is 30',
    ],
    [
      'x[t < T] = (t - 2)^2\n  check decreasing(x)',
      '`decreasing(x)` fails at t = 3: `x` is 1, after 0',
    ],
    [
      'x[t < T] = min(t, 3)\n  check increasing(x)',
      '`increasing(x)` fails at t = 4: `x` is 3, after 3',
    ],
    ['x[t < T] = t\n  check any(x > 9) or T > 6', '`any(x > 9) or T > 6` fails'],
    ['x[t < T] = 0 / t\n  check x < 1', '`x < 1` fails at t = 0: `x` is NaN'],
  ])('%s', (tables, message) => {
    expect(failing(`  ${tables}`)).toEqual([`E0804 ${message}`]);
  });

  it('hold of one entry, and of what they hold of', () => {
    expect(failing('  x[t < T] = t\n  check decreasing(x), increasing(x)', 'S(1)')).toEqual([]);
    expect(failing('  x[t < T] = top', 'S(3, 0)')).toEqual(['E0804 `top > 0` fails: `top` is 0']);
  });
});

describe('decision processes', () => {
  const walk = (p: string, more = ''): string =>
    `mdp Walk(n: dim, p: real) where 0 <= p <= 1 {\n  states S = n\n  actions A = 2\n  discount = 0.9\n` +
    `  fn to(s: fin(S), a: fin(A)) -> fin(S) = clamp(s + 2 * a - 1, 0, n - 1)\n` +
    `  P[s, a, r] = ${p}\n  R[s, a] = ind(s == n - 1)\n}\nconst m = Walk(4, 0.25)\n${more}`;
  const good = 'p * ind(r == to(s, a)) + (1 - p) * ind(r == s)';

  it('are values of the type mdp', () => {
    const { functions } = program(
      walk(
        good,
        `fn improve(m: mdp, V: [m.S]) -> T: [m.S] {
           T[s] = max[a] (m.R[s, a] + m.discount * sum[r] m.P[s, a, r] * V[r])
         }
         export fn f(V: [4]) -> W: [4] = improve(m, V)`,
      ),
    );
    const V = [1, 2, 3, 4];
    const { W } = run(functions[0].graph, { V: reals(V) });
    const expected = V.map((_, s) => {
      const value = [0, 1].map((a) => {
        const to = Math.min(Math.max(s + 2 * a - 1, 0), 3);
        return (s === 3 ? 1 : 0) + 0.9 * (0.25 * V[to] + 0.75 * V[s]);
      });
      return Math.max(...value);
    });
    expected.forEach((value, s) => expect(W.data[s]).toBeCloseTo(value, 12));
  });

  it('have rows that sum to one, no negative probabilities, and states that something leads to', () => {
    expect(messages(walk(good))).toEqual([]);
    expect(messages(walk(good.replace('1 - p', '1 - 2 * p')))).toEqual([
      'E0808 those of action 0 in state 0 sum to 0.75',
    ]);
    expect(messages(walk('2 * ind(r == s) - ind(r == to(s, a))'))).toEqual([
      'E0807 P[0, 1, 1] is -1',
    ]);
    expect(messages(walk('ind(r == max(s, to(s, a)))'))).toEqual([
      'E0809 no action in another state leads to 0',
    ]);
    expect(messages(walk('ind(r == s)'))).toEqual([
      'E0809 no action in another state leads to 0, 1, 2 and 3',
    ]);
  });
});

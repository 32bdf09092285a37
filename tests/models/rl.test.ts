// Planning and simulation of std/rl: operators and their fixed points against plain loops in float64, their properties on random
// values, the frequencies of simulated steps.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { followsCounts } from '../elaborate/statistics.ts';
import { compiledWithLibrary, functionOf, trainOf } from './compile.ts';
import { executors, interpreter, onnxRuntime } from './executors.ts';
import {
  actions,
  actionValues,
  always,
  bestValues,
  expected,
  gamma,
  gridworld,
  probability,
  reward,
  states,
  valuesOf,
} from './gridworld.ts';

const slip = 0.1;
const file = gridworld(
  slip,
  `
  export fn optimality(V: [16], p: [16, 4]) -> (best: [16], of: [16]) {
    best = improve(grid, V)
    of = bellman(grid, p, V)
  }
  export fn worth(p: [16, 4]) -> V: [16] = policy_value(grid, p)
  export fn sampled(p: [16, 4]) -> V: [16] = monte_carlo(grid, p, 500, 150)
  export fn steps(s: fin(16)[B], a: fin(4)[B]) -> s': fin(16)[B] = transition(grid, s, a)
  export fn paths(p: [16, 4], s: fin(16)[B]) -> (states: fin(16)[9, B], actions: fin(4)[9, B], rewards: [9, B], G: [9, B]) {
    states, actions, rewards = episodes(grid, p, s, 9)
    G = returns(rewards, grid.discount)
  }
  export fn restarted(s: fin(16)[B]) -> s': fin(16)[B] = restart(s, 0.25)
`,
);

const run = (
  name: string,
  feeds: Readonly<Record<string, Tensor>>,
  executor = interpreter,
): Promise<Readonly<Record<string, Tensor>>> => executor.run(functionOf(file, name).graph, feeds);

const reals = (shape: readonly number[], x: readonly number[]): Tensor =>
  tensor('f32', shape, x, 'f64');
const seed = tensor('u32', [], [7]);

/** Some policy that is sure of nothing. */
const mixed = Array.from({ length: states }, (_, s) => {
  const weights = [1, 2, 3, 4].map((w, a) => 1 + (((s + w) * (a + 2)) % 5));
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((w) => w / sum);
});
const policy = reals([states, actions], mixed.flat());

const furthest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i])));

const values = fc.array(fc.double({ min: -20, max: 20, noNaN: true }), {
  minLength: states,
  maxLength: states,
});

describe('the Bellman operators', () => {
  const apply = async (V: readonly number[]) => {
    const { best, of } = await run('optimality', { V: reals([states], V), p: policy });
    return [Array.from(best.data), Array.from(of.data)];
  };

  test('are what they are defined as', async () => {
    const V = Array.from({ length: states }, (_, s) => 3 * Math.sin(2 * s));
    const [best, of] = await apply(V);
    const Q = actionValues(slip, V);
    expect(
      furthest(
        best,
        Q.map((row) => Math.max(...row)),
      ),
    ).toBeLessThan(1e-12);
    const mean = Q.map((row, s) => row.reduce((sum, q, a) => sum + mixed[s][a] * q, 0));
    expect(furthest(of, mean)).toBeLessThan(1e-12);
  });

  test('contract distances by the discount', () =>
    fc.assert(
      fc.asyncProperty(values, values, async (V, W) => {
        const [a, b] = [await apply(V), await apply(W)];
        for (const i of [0, 1])
          expect(furthest(a[i], b[i])).toBeLessThanOrEqual(gamma * furthest(V, W) + 1e-9);
      }),
      { numRuns: 50 },
    ));

  test('keep the order of values', () =>
    fc.assert(
      fc.asyncProperty(values, values, async (V, more) => {
        const W = V.map((v, s) => v + Math.abs(more[s]));
        const [a, b] = [await apply(V), await apply(W)];
        for (const i of [0, 1])
          a[i].forEach((v, s) => expect(v).toBeLessThanOrEqual(b[i][s] + 1e-12));
      }),
      { numRuns: 50 },
    ));

  test('bring the error of value iteration below the discount to the power of the rounds', async () => {
    const best = bestValues(slip);
    let V = Array.from({ length: states }, (_, s) => 10 * Math.cos(s));
    const first = furthest(V, best);
    for (let t = 1; t <= 80; t++) {
      [V] = await apply(V);
      expect(furthest(V, best), `round ${t}`).toBeLessThanOrEqual(gamma ** t * first + 1e-9);
    }
  });
});

describe.each(executors)('planning in $name', (executor) => {
  // The last change is at most 1e-5, so the error is below 1e-5 gamma / (1 - gamma) = 2e-4.
  const close = 2e-4;
  const best = bestValues(slip);

  test('value iteration and policy iteration find the best policy', async () => {
    for (const name of ['plan', 'alternate']) {
      const found = await run(name, {}, executor);
      expect(furthest(found.V.data, best), name).toBeLessThan(close);
      const worth = valuesOf(slip, always(found.policy.data));
      expect(furthest(worth, best), name).toBeLessThan(1e-9);
    }
  });

  test('a policy is worth what it is worth', async () => {
    const { V } = await run('worth', { p: policy }, executor);
    expect(furthest(V.data, valuesOf(slip, mixed))).toBeLessThan(close);
  });
});

describe('simulation', () => {
  test('goes where the process says', async () => {
    const n = 20_000;
    for (const [s, a] of [
      [5, 1],
      [6, 2],
    ]) {
      const whole = (x: number): Tensor => tensor('i32', [n], Array<number>(n).fill(x));
      const reached = await run('steps', { s: whole(s), a: whole(a), seed });
      const p = Array.from({ length: states }, (_, r) => probability(slip, s, a, r));
      expect(followsCounts(reached["s'"].data, p)).toBe(true);
    }
  });

  test('walks along its own states, and sums what follows', async () => {
    const s = tensor('i32', [5], [0, 3, 7, 12, 15]);
    const found = await run('paths', { p: policy, s, seed });
    const at = (of: Tensor, t: number, b: number): number => of.data[5 * t + b];
    for (let b = 0; b < 5; b++) {
      expect(at(found.states, 0, b)).toBe(s.data[b]);
      let G = 0;
      for (let t = 8; t >= 0; t--) {
        const [from, action] = [at(found.states, t, b), at(found.actions, t, b)];
        expect(at(found.rewards, t, b)).toBe(reward(from));
        if (t < 8)
          expect(probability(slip, from, action, at(found.states, t + 1, b))).toBeGreaterThan(0);
        G = reward(from) + gamma * G;
        expect(at(found.G, t, b)).toBeCloseTo(G, 12);
      }
    }
  });

  test('gives the same walks in ONNX Runtime', async () => {
    const feeds = { p: policy, s: tensor('i32', [5], [0, 3, 7, 12, 15]), seed };
    const [ours, theirs] = [await run('paths', feeds), await run('paths', feeds, onnxRuntime)];
    for (const name of ['states', 'actions'])
      expect(Array.from(theirs[name].data)).toEqual(Array.from(ours[name].data));
  });

  test('begins anew with the given probability', async () => {
    const n = 20_000;
    const s = tensor('i32', [n], Array<number>(n).fill(3));
    const found = await run('restarted', { s, seed });
    const moved = Array.from(found["s'"].data, (r) => (r === 3 ? 0 : 1));
    const p = (0.25 * 15) / 16;
    expect(followsCounts(moved, [1 - p, p])).toBe(true);
  });

  test('has Monte Carlo means within their standard errors', async () => {
    const V = valuesOf(slip, mixed);
    // M(s) = E[G^2] solves M = E[(R + gamma G')^2].
    let M = V.map((v) => v * v);
    for (let i = 0; i < 400; i++)
      M = M.map((_, s) =>
        mixed[s].reduce((sum, p, a) => {
          const mean = reward(s) ** 2 + 2 * gamma * reward(s) * expected(slip, V, s, a);
          return sum + p * (mean + gamma ** 2 * expected(slip, M, s, a));
        }, 0),
      );
    const sampled = await run('sampled', { p: policy, seed }, onnxRuntime);
    // Each of 16 states is further off once in 10,000 seeds; what comes after 150 steps is below 20 gamma^150.
    V.forEach((value, s) => {
      const error = Math.sqrt((M[s] - value ** 2) / 500);
      expect(Math.abs(sampled.V.data[s] - value), `state ${s}`).toBeLessThan(
        3.89 * error + 20 * gamma ** 150,
      );
    });
  });
});

test('a replay memory holds the last transitions, and recalls those only', async () => {
  const { step, init } = trainOf(
    compiledWithLibrary(`
      layer memory = Replay(50, 4, 7)
      train t(s: fin(50)[3], a: fin(4)[3], r: [3], t: fin(50)[3]) {
        held = memory.keep(s, a, r, t)
        s', a', r', t' = memory.recall(200)
        report s0 = min(s')
        report s1 = max(s')
        report whole = sum(ind(t' == s' + 1) * ind(a' == s' % 4) * ind(r' == s' / 2))
      }
    `),
  );
  let state = await interpreter.run(init, { seed });
  for (let i = 0; i < 4; i++) {
    const s = [0, 1, 2].map((b) => 3 * i + b);
    const whole = (x: readonly number[]): Tensor => tensor('i32', [3], x);
    const made = await interpreter.run(step, {
      ...state,
      seed,
      s: whole(s),
      a: whole(s.map((x) => x % 4)),
      r: reals(
        [3],
        s.map((x) => x / 2),
      ),
      t: whole(s.map((x) => x + 1)),
    });
    const last = 3 * i + 2;
    // 200 recalls leave one of 7 out once in 10^13 seeds.
    expect(made.s0.data[0]).toBe(Math.max(0, last - 6));
    expect(made.s1.data[0]).toBe(last);
    expect(made.whole.data[0]).toBe(200);
    state = Object.fromEntries(Object.keys(state).map((name) => [name, made[`${name}.next`]]));
  }
});

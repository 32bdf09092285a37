// Learning by a rule of its own, in one program: Q-learning on a gridworld that is simulated inside the step, without data. What it
// learns is compared with value iteration in JavaScript.

import { expect, test } from 'vitest';

import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { onnxProgram } from '../../runtime/executors/onnx.ts';
import { compiledWithLibrary, functionOf, trainOf } from './compile.ts';
import { interpreter, onnxRuntime } from './executors.ts';

const text = `
mdp Grid(n: dim, slip: real) where 0 <= slip <= 1 {
  states  S = n * n
  actions A = 4
  discount = 0.9
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

const grid = Grid(3, 0.2)

## A value for each state and action, moved towards r + gamma max Q(s', .) with a rate that falls with the visits.
model QTable(S: dim, A: dim) {
  state Q: [S, A] = 0
  state visits: int[S, A] = 0

  fn (s: fin(S)) -> q: [A] { q[a] = Q[s, a] }

  fn learn(s: fin(S), a: fin(A), r: real, next: fin(S), gamma: real) -> change: real {
    visits[s, a] <- visits[s, a] + 1
    d = r + gamma * max[k] Q[next, k] - Q[s, a]
    Q[s, a] <- Q[s, a] + 20 / (19 + visits[s, a]) * d
    return abs(d)
  }
}

layer table = QTable(9, 4)

train explore() {
  repeat 50 {
    s: fin(9)[1] ~ uniform
    a: fin(4)[1] ~ uniform
    p[b, k] = grid.P[s[b], a[b], k]
    next: fin(9)[1] ~ categorical(p)
    change = table.learn(s[0], a[0], grid.R[s[0], a[0]], next[0], grid.discount)
    report change = change
  }
}

export fn values(s: fin(9)[B]) -> q: [B, 4] { q[b, k] = table.Q[s[b], k] }
export fn transitions() -> (P: [9, 4, 9], R: [9, 4]) = (grid.P, grid.R)
`;

test('Q-learning finds the values and the policy of value iteration', async () => {
  const program = compiledWithLibrary(text);
  const { step, init } = trainOf(program);
  const seed = tensor('u32', [], [1]);
  expect(step.nodes.filter(({ op }) => op === 'scan')).toHaveLength(1);

  const { P, R } = await interpreter.run(functionOf(program, 'transitions').graph, {});
  let V = Array<number>(9).fill(0);
  const backup = (values: readonly number[]): number[][] =>
    values.map((_, s) =>
      [0, 1, 2, 3].map((a) => {
        const next = values.reduce((sum, v, r) => sum + P.data[(4 * s + a) * 9 + r] * v, 0);
        return R.data[4 * s + a] + 0.9 * next;
      }),
    );
  for (let n = 0; n < 300; n++) V = backup(V).map((q) => Math.max(...q));
  const optimal = backup(V);

  let state: Record<string, Tensor> = await interpreter.run(init, { seed });
  const learner = await onnxProgram(emitOnnx(step), { threads: 1 });
  for (let n = 0; n < 1000; n++) {
    const made = await learner.run({ ...state, seed });
    state = Object.fromEntries(Object.keys(state).map((path) => [path, made[`${path}.next`]]));
  }
  await learner.dispose();
  const visits = Array.from(state['table.visits'].data);
  expect(visits.reduce((a, b) => a + b, 0)).toBe(1000 * 50);
  expect(Math.min(...visits)).toBeGreaterThan(1000);

  const { graph } = functionOf(program, 'values');
  const s = tensor('i32', [9], [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  const q = (await onnxRuntime.run(graph, { ...state, s })).q.data;
  for (const [at, row] of optimal.entries()) {
    row.forEach((value, a) => expect(Math.abs(q[4 * at + a] - value)).toBeLessThan(0.3));
    const learnt = row.map((_, a) => q[4 * at + a]);
    // Actions that are nearly as good may take each other's place.
    expect(row[learnt.indexOf(Math.max(...learnt))]).toBeGreaterThan(Math.max(...row) - 0.1);
  }
}, 60_000);

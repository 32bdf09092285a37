// Learning on the gridworld of examples/gridworld: each way reaches the best policy.

import { expect, test } from 'vitest';

import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import type { CompiledProgram } from '../../compiler/program.ts';
import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { onnxProgram } from '../../runtime/executors/onnx.ts';
import { functionOf } from './compile.ts';
import { interpreter } from './executors.ts';
import { always, bestValues, gridworld, states, valuesOf } from './gridworld.ts';

type Tensors = Readonly<Record<string, Tensor>>;

const seed = tensor('u32', [], [1]);

/** What is fed back after so many steps of a block. */
async function learn(program: CompiledProgram, block: string, steps: number): Promise<Tensors> {
  const train = program.trains.find(({ name }) => name === block);
  if (train === undefined) throw new Error(`no block ${block}`);
  let state = await interpreter.run(train.init, { seed });
  const step = await onnxProgram(emitOnnx(train.step), { threads: 1 });
  for (let i = 0; i < steps; i++) {
    const made = await step.run({ ...state, seed });
    state = Object.fromEntries(Object.keys(state).map((name) => [name, made[`${name}.next`]]));
  }
  await step.dispose();
  return state;
}

/** How much less a learnt policy is worth than the best one, where it is worst. */
async function shortfall(
  program: CompiledProgram,
  slip: number,
  policy: string,
  state: Tensors,
): Promise<number> {
  const { graph } = functionOf(program, policy);
  const feeds = graph.inputs.map(({ name }): [string, Tensor] => [name, state[name]]);
  const [chosen] = Object.values(await interpreter.run(graph, Object.fromEntries(feeds)));
  const best = bestValues(slip);
  return Math.max(...valuesOf(slip, always(chosen.data)).map((value, s) => best[s] - value));
}

const calm = gridworld(0);

test.each([
  ['q_learning', 'q_policy', 300],
  ['sarsa', 'sarsa_policy', 600],
  ['reinforce', 'reinforce_policy', 60],
  ['actor_critic', 'actor_policy', 600],
  ['dqn', 'dqn_policy', 600],
])('%s reaches the best policy of a grid without wind', async (block, policy, steps) => {
  const state = await learn(calm, block, steps);
  expect(await shortfall(calm, 0, policy, state)).toBeLessThan(1e-9);
});

test('Q-learning on a windy grid, where the second best action is worth 0.016 less', async () => {
  const windy = gridworld(0.1);
  const state = await learn(windy, 'q_learning', 1000);
  expect(await shortfall(windy, 0.1, 'q_policy', state)).toBeLessThan(0.05);
});

test('TD(0) values a policy', async () => {
  const program = gridworld(
    0.1,
    `
    layer worth = StateValues(16)
    train td() {
      state s: fin(16)[64] = 0
      a: fin(4)[64] ~ uniform
      s' = transition(grid, s, a)
      d = worth.learn(s, value_target(grid, worth.V, reward(grid, s, a), s'), 50 / (50 + step))
      s <- restart(s', 0.1)
      report error = mean(abs(d))
    }
  `,
  );
  const state = await learn(program, 'td', 1500);
  const uniform = Array.from({ length: states }, () => [0.25, 0.25, 0.25, 0.25]);
  const V = valuesOf(0.1, uniform);
  const squares = V.map((value, s) => (value - state['worth.V'].data[s]) ** 2);
  const error = Math.sqrt(squares.reduce((a, b) => a + b, 0) / states);
  // The values lie between -19.4 and -16.3.
  expect(error).toBeLessThan(0.4);
});

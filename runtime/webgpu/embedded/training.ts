// A model that learns: an object for each train block.

import {
  loadModel,
  type Caller,
  type LoadOptions,
  type Model,
  type ModelPlan,
  type Results,
} from './model.ts';
import type { Feeds, HostTensor } from './types.ts';

export const loadLearning = (plan: ModelPlan, options?: LoadOptions): Promise<Model> =>
  loadModel(plan, options, (call) => blocksOf(plan, call));

const blocksOf = ({ blocks = {} }: ModelPlan, call: Caller): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(blocks).map(([name, { init, step, evaluate }]) => {
      const calls = { init: call(init, true), step: call(step), evaluate: call(evaluate) };
      let seed = 0;
      const seeded =
        (of: 'step' | 'evaluate') =>
        async (feeds: Feeds = {}): Promise<Record<string, number>> =>
          numbers(await calls[of]({ seed, ...feeds }));
      return [
        name,
        {
          async start(given = 0) {
            await calls.init({ seed: (seed = given) });
          },
          step: seeded('step'),
          evaluate: seeded('evaluate'),
        },
      ];
    }),
  );

/** Losses and reports are scalars. */
const numbers = (results: Results): Record<string, number> =>
  Object.fromEntries(
    Object.entries(results).map(([name, tensor]) => [name, (tensor as HostTensor).data[0]]),
  );

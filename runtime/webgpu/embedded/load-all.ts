// Where the runtime begins in artifacts that learn, check indices, solve equations, or take features of the GPU.

import { checkElements, demandFrom, settled } from './checks.ts';
import { openModel, type LoadOptions, type Members, type ModelPlan } from './model.ts';
import { blockOf, weightsOf } from './training.ts';

declare const model: ModelPlan;

export const load = async (options: LoadOptions = {}): Promise<Members> => {
  const demand = demandFrom(model);
  if (options.device) demand(options.device.features);
  return openModel(model, options, {
    more(core, members) {
      for (const name in model.functions) {
        const plan = model.functions[name];
        members[name] = settled(plan, core.caller(plan));
      }
      if (!model.blocks) return;
      for (const name in model.blocks) members[name] = blockOf(name, model, core);
      members.weights = { ...(members.weights as object), ...weightsOf(model, core) };
    },
    check: checkElements,
    demand,
  });
};

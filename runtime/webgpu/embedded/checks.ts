// What only some programs need: inputs whose elements have bounds, equations that may stay unsolved, and features of the GPU.

import type { CheckElements } from './inputs.ts';
import type { Call, Extras, ModelPlan } from './model.ts';
import type { Plan } from './types.ts';

/** Indices, and inputs that are sizes. What lies on the GPU already is not looked at. */
export const checkElements: CheckElements = ({ name, below, least }, data, sizes) => {
  if (!below && least === undefined) return;
  const from = least ?? 0;
  const limit = below?.(sizes) ?? Infinity;
  const at = data.findIndex((value) => value < from || value >= limit);
  if (at >= 0)
    throw Error(
      `input ${name} has ${data[at]} at ${at}, but should be ${below ? `from 0 to ${limit - 1}` : `at least ${from}`}`,
    );
};

/** Leaves out the results that tell of equations, of which only a failure is told. */
export const settled =
  ({ outputs }: Plan, call: Call): Call =>
  async (feeds, options) => {
    const results = await call(feeds, options);
    for (const { name, equation } of outputs) {
      if (!equation) continue;
      const tensor = results[name];
      const { data } = 'read' in tensor ? await tensor.read() : tensor;
      // eslint-disable-next-line no-console -- there is nowhere else to say what is no error
      if (!data[0]) console.warn(`${equation} did not come within its tolerance in its rounds`);
      delete results[name];
    }
    return results;
  };

export const demandFrom =
  ({ features = [] }: ModelPlan): NonNullable<Extras['demand']> =>
  (there) => {
    const missing = features.filter((name) => !there.has(name));
    if (missing.length > 0)
      throw Error(
        `the GPU has no ${missing.join(' and no ')}, which this module was built with: build one without`,
      );
    return features;
  };

// Where the runtime of an artifact that only infers begins. The artifact's own text declares `model` above it.

import { loadModel, type LoadOptions, type Model, type ModelPlan } from './model.ts';

declare const model: ModelPlan;

export const load = (options?: LoadOptions): Promise<Model> => loadModel(model, options);

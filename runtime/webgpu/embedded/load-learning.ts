// Where the runtime of an artifact with train blocks begins. The artifact's own text declares `model` above it.

import type { LoadOptions, Model, ModelPlan } from './model.ts';
import { loadLearning } from './training.ts';

declare const model: ModelPlan;

export const load = (options?: LoadOptions): Promise<Model> => loadLearning(model, options);

// Where the runtime of most artifacts begins. The artifact's own text declares `model` above it.

import { openModel, type LoadOptions, type Members, type ModelPlan } from './model.ts';

declare const model: ModelPlan;

export const load = (options?: LoadOptions): Promise<Members> => openModel(model, options);

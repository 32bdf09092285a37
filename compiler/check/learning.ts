// What a train block's losses depend on: whether each reaches the parameters that learn from it, and whether a value in it
// was computed before those parameters changed.

import type { Context } from './context.ts';
import type { TypedStep } from './typed.ts';

/** Checks the steps of a train block against each other. */
export function followLearning(_context: Context, _steps: readonly TypedStep[]): void {}

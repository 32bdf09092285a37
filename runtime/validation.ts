// Early stopping: after each epoch one measure of validation data is looked at; the weights of the best epoch are kept, and training
// ends when for some epochs none was better.

import type { Dataset } from './data/dataset.ts';
import type { Measures } from './measures.ts';

/** Which measure decides, and whether less of it or more is better. */
export interface Watch {
  readonly name: string;
  readonly sense: 'minimize' | 'maximize';
}

export interface Validation {
  readonly dataset: Dataset;
  /** A hash of it, kept in checkpoints. */
  readonly data: string;
  readonly watch: Watch;
  /** Epochs without a better one after which training ends; null: never. */
  readonly patience: number | null;
}

/** The best epoch so far, and of which measure on which data. */
export interface Best {
  readonly watch: Watch;
  readonly data: string;
  /** Epochs done then. */
  readonly epoch: number;
  readonly value: number;
}

/** The best of `before` and the epoch that `measures` are of. What is not a number is never better. */
export function bestOf(
  { watch, data }: Validation,
  before: Best | null,
  epoch: number,
  measures: Measures,
): Best | null {
  const value = measures[watch.name];
  if (Number.isNaN(value)) return before;
  const isBetter =
    before === null || (watch.sense === 'minimize' ? value < before.value : value > before.value);
  return isBetter ? { watch, data, epoch, value } : before;
}

export const isExhausted = (
  validation: Validation | null,
  { epoch, best }: { readonly epoch: number; readonly best: Best | null },
): boolean =>
  validation !== null &&
  validation.patience !== null &&
  epoch - (best?.epoch ?? 0) >= validation.patience;

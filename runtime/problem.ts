// What is wrong with a user's file or run, as data. Loaders, checkpoints and the training loop return it instead of a value;
// the command line turns it into a diagnostic of that code (compiler/diagnostics/data.ts).

import type { FileProblem, files } from '../compiler/diagnostics/data.ts';

export interface Problem extends FileProblem {
  readonly kind: 'problem';
  readonly code: keyof typeof files;
  /** The file at fault, as the user named it; null where none is. */
  readonly file: string | null;
  /** One sentence, in the user's own names and numbers, with what was expected and what was found. */
  readonly message: string;
  /** One suggestion that works. */
  readonly help: string | null;
  /** What else there is to know, a sentence each. */
  readonly notes?: readonly string[];
}

export const problem = (
  code: Problem['code'],
  file: string | null,
  message: string,
  help: string | null = null,
): Problem => ({ kind: 'problem', code, file, message, help });

/** Whether a result is a problem. */
export const isProblem = (value: unknown): value is Problem =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'problem';

/** `60,000`, for a whole number. By hand: the first use of a locale costs tens of milliseconds. */
export const count = (n: number): string => String(n).replace(/\B(?=(?:\d{3})+$)/g, ',');

/** `1 row`, `60,000 rows`. */
export const plural = (n: number, noun: string): string =>
  `${count(n)} ${noun}${n === 1 ? '' : 's'}`;

/** `[60000, 28, 28]`. */
export const showSizes = (shape: readonly (number | string)[]): string => `[${shape.join(', ')}]`;

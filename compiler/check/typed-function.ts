// A function of the typed program: its signature is read, and its result inferred, only when someone asks, so that order never matters.

import type { Signature } from './context.ts';
import type { TypedFunction } from './typed.ts';
import type { Type } from './types.ts';

type FromSignature = 'quantified' | 'parameters' | 'result' | 'resultNames' | 'assumptions';

export const typedFunction = (
  own: Omit<TypedFunction, FromSignature>,
  signature: () => Signature,
  result: () => Type,
): TypedFunction => ({
  ...own,
  get quantified() {
    return signature().quantified;
  },
  get parameters() {
    return signature().parameters.map(({ local, dim, default: value }) => ({
      local,
      dim,
      default: value?.() ?? null,
    }));
  },
  get result() {
    return result();
  },
  get resultNames() {
    return signature().resultNames;
  },
  get assumptions() {
    return signature().assumptions;
  },
});

// The targets that `dlg build` and `dlg train` write models for.

import type { AdapterClass } from '../compiler/emit/wgsl/adapter.ts';

export const targets = ['onnx', 'wgsl'] as const;
export const adapters: readonly AdapterClass[] = ['gpu', 'software'];

export interface TargetOptions {
  readonly target: readonly (typeof targets)[number][];
  /** What WGSL is to be fast on. */
  readonly adapter: AdapterClass;
}

// The targets that `dlg build` and `dlg train` write models for, and what WGSL is written for.

import {
  features,
  type AdapterClass,
  type Feature,
  type Target,
} from '../compiler/emit/wgsl/adapter.ts';

export const targets = ['onnx', 'wgsl'] as const;
export const adapters: readonly AdapterClass[] = ['gpu', 'software'];
export { features };

export interface TargetOptions {
  readonly target: readonly (typeof targets)[number][];
  /** What WGSL is to be fast on. */
  readonly adapter: AdapterClass;
  /** What WGSL may take beyond plain WebGPU. */
  readonly features?: readonly Feature[];
  /** What reals are in the memory of the GPU. */
  readonly precision?: Target['precision'];
}

export const wgslTarget = ({ adapter, features, precision }: TargetOptions): Target => ({
  adapter,
  features,
  precision,
});

/** What says something about WGSL only. */
const aboutWgsl = ['explain', 'features', 'precision'] as const;

/** An option about WGSL where none is asked for. */
export const misplacedOption = (
  options: Partial<TargetOptions> & { readonly explain?: boolean },
): string | undefined =>
  options.target === undefined || options.target.includes('wgsl')
    ? undefined
    : aboutWgsl.find((name) => options[name] !== undefined);

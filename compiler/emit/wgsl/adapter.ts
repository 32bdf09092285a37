// What a program is built for. It runs anywhere: the choice is one of speed only.

/**
 * - `gpu`: thousands of invocations at once, slow memory behind a fast one that a workgroup shares, cheap barriers.
 * - `software`: a driver that computes on the CPU, such as SwiftShader. A few lanes at once; every load costs as much as ten
 *   multiplications, whether from a buffer or from workgroup memory; a barrier costs more than a small kernel. So an invocation computes
 *   many elements from what it loads, and never waits for another.
 */
export type AdapterClass = 'gpu' | 'software';

export interface Target {
  readonly adapter: AdapterClass;
  /** What the device can do beyond plain WebGPU; kernels that take it are refused by a device without. */
  readonly features?: readonly Feature[];
  /** A variant that computes every product, instead of one chosen by shape: to measure it, and to test it. */
  readonly product?: VariantName;
  /** Scores are computed again wherever they are read (streams.ts), or always stored, instead of as it pays: to measure, and to test it. */
  readonly streams?: 'everywhere' | 'nowhere';
}

/** By the name that WebGPU has for it. With `subgroups`, lanes that run together fold what they have without memory between them. */
export const features = ['subgroups'] as const;

export type Feature = (typeof features)[number];

/** How a product is computed on a GPU (product-variants.ts). */
export type VariantName = 'single' | 'blocks' | 'small' | 'medium' | 'large' | 'slices';

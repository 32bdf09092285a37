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
  /** A variant that computes every product, instead of one chosen by shape: to measure it, and to test it. */
  readonly product?: VariantName;
}

/** How a product is computed on a GPU (product-variants.ts). */
export type VariantName = 'single' | 'blocks' | 'small' | 'medium' | 'large' | 'slices';

// What a program is built for: a choice of speed, and with half precision of how exact it is. Results are otherwise the same.

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
  /**
   * With `f16`, reals lie in memory as halves where halves.ts says that they may: two bytes instead of four, for which a device must have
   * `shader-f16`. All is computed and summed up as f32. What is stored keeps 11 bits, about three digits; what is 65520 or more
   * becomes infinity, and what is below 2^-25 becomes 0. Nothing of a step that learns is halved: small gradients would become 0
   * unless the loss were scaled up, which DLG does not do.
   */
  readonly precision?: 'f32' | 'f16';
  /** A variant that computes every product, instead of one chosen by shape: to measure it, and to test it. */
  readonly product?: VariantName;
  /** Scores are computed again wherever they are read (streams.ts), or always stored, instead of as it pays: to measure, and to test it. */
  readonly streams?: 'everywhere' | 'nowhere';
}

/** What kernels may take, by the name that WebGPU has for it; WGSL enables it by another. */
export const wgslNames = { subgroups: 'subgroups', 'shader-f16': 'f16' } as const;

export type Feature = keyof typeof wgslNames;

/**
 * What changes results by no more than rounding, so that it is taken wherever a device has it. With `subgroups`, lanes that run together fold
 * what they have without memory between them.
 */
export const features = ['subgroups'] as const satisfies readonly Feature[];

/** How a product is computed on a GPU (product-variants.ts). */
export type VariantName = 'single' | 'blocks' | 'small' | 'medium' | 'large' | 'slices';

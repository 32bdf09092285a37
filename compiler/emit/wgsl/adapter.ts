// What kind of adapter a program is built for. Both kinds of program run on either: they differ in speed only.

/**
 * - `gpu`: thousands of invocations at once, slow memory behind a fast one that a workgroup shares, cheap barriers.
 * - `software`: a driver that computes on the CPU, such as SwiftShader. A few lanes at once; every load costs as much as ten
 *   multiplications, whether from a buffer or from workgroup memory; a barrier costs more than a small kernel. So an invocation computes
 *   many elements from what it loads, and never waits for another.
 */
export type AdapterClass = 'gpu' | 'software';

// Every case of every operation on the GPU, with its first derivative, its sizes left free; otherwise as in conformance.test.ts. The variants
// of products for GPUs, whose tiles take SwiftShader a second each to compile, are tried with free sizes in products.slow.test.ts.

import { describe, it } from 'vitest';

import { loweringOf } from '../../../compiler/emit/wgsl/network.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import { deviceForTests } from '../../gpu/device.ts';
import { freeCases, freeProgram } from '../../ir/conformance-programs.ts';
import { checkConformance } from './check-conformance.ts';

const device = deviceForTests();

const hasProducts = ({ nodes }: Graph): boolean =>
  nodes.some((node) => loweringOf(node).kind === 'contract');

describe('in WGSL with free sizes', () => {
  it.each(freeCases)('$name', { timeout: 60_000 }, (of) => {
    const program = freeProgram(of);
    return checkConformance(
      device(),
      program,
      hasProducts(program.graph) ? ['software'] : ['software', 'gpu'],
    );
  });
});

// Every case of every operation on the GPU, with its first derivative, its sizes left free; otherwise as in conformance.test.ts.

import { describe, it } from 'vitest';

import { deviceForTests } from '../../gpu/device.ts';
import { freeCases, freeProgram } from '../../ir/conformance-programs.ts';
import { checkConformance } from './check-conformance.ts';

const device = deviceForTests();

describe('in WGSL with free sizes', () => {
  it.each(freeCases)('$name', { timeout: 60_000 }, (of) =>
    checkConformance(device(), freeProgram(of)),
  );
});

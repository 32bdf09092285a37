// Every case of every operation on the GPU, with its first derivative. Integers, booleans and bits must be exact, and nothing is written
// behind the end of a buffer; reals agree with the fixture, derivatives with the interpreter in float64.

import { describe, it } from 'vitest';

import { deviceForTests } from '../../gpu/device.ts';
import { conformanceCases } from '../../ir/conformance-cases.ts';
import { knownProgram } from '../../ir/conformance-programs.ts';
import { checkConformance } from './check-conformance.ts';

const device = deviceForTests();

describe('in WGSL', () => {
  it.each(conformanceCases)('$name', (of) => checkConformance(device(), knownProgram(of)));
});

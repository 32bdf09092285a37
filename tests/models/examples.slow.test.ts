// The example programs of many kernels on the GPU against the interpreter, at small sizes.

import { describe, test } from 'vitest';

import { deviceForTests } from '../gpu/device.ts';
import { expectProgramAlike } from './alike.ts';
import { compiledExample, slowExamples } from './examples.ts';

const device = deviceForTests();

describe('in WGSL', () => {
  test.each(slowExamples)('%s', { timeout: 240_000 }, (path) =>
    expectProgramAlike(device(), compiledExample(path, 'small')),
  );
});

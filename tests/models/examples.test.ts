// Every example program on the GPU against the interpreter, at small sizes. Those of many kernels, which SwiftShader takes long to
// compile, are in examples.slow.test.ts.

import { describe, expect, test } from 'vitest';

import { deviceForTests } from '../gpu/device.ts';
import { expectProgramAlike } from './alike.ts';
import { compiledExample, examples, slowExamples } from './examples.ts';

const device = deviceForTests();

describe('in WGSL', () => {
  test.each(examples.filter((path) => !slowExamples.includes(path)))(
    '%s',
    { timeout: 120_000 },
    (path) => expectProgramAlike(device(), compiledExample(path, 'small')),
  );
});

test('what is called slow is there', () => {
  expect(examples).toEqual(expect.arrayContaining([...slowExamples]));
});

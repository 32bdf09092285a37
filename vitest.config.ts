// Two workers, as many as the smallest machine we support has cores. A file whose tests take long is named `*.slow.test.ts`:
// `npm run test:quick` leaves those out, `npm test` runs everything.

import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Tests that change nothing outside themselves share the modules they import, warm: a second or two a file less. */
const shared = [
  'tests/{check,diagnostics,dims,docs,elaborate,errors,formula,grammar,ir,transform}/**/*.test.ts',
  'tests/emit/onnx/*.test.ts',
  // Not those that open a device, or run long beside others.
  'tests/models/!(*.slow|examples|library|stdlib-wgsl).test.ts',
  'tests/runtime/!(carrying).test.ts',
];

/** Slow files first: one that began last would keep its worker busy while the other has nothing left. */
class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isSlow = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith('.slow.test.ts');
    const sorted = await super.sort(files);
    return [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))];
  }
}

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'shared', include: shared, isolate: false } },
      { extends: true, test: { name: 'rest', include: ['tests/**/*.test.ts'], exclude: shared } },
    ],
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: SlowFirst },
    testTimeout: 20_000,
    hookTimeout: 20_000,
    slowTestThreshold: 5_000,
    reporters: ['default'],
  },
});

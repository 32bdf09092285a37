// Two workers, as many as the smallest machine we support has cores. A file whose tests take long is named `*.slow.test.ts`:
// `npm run test:quick` leaves those out, `npm test` runs everything.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    slowTestThreshold: 5_000,
    reporters: ['default'],
  },
});

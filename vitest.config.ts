import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const packages = fileURLToPath(new URL('./packages/', import.meta.url));

/** The suffix of a test file says what it needs; those that own processes run alone, one file after another. */
const needsTheMachine = ['packages/*/src/**/*.{pg,ovs,nats,e2e}.test.ts'];

export default defineConfig({
  resolve: { alias: [{ find: /^@alcor\/([a-z-]+)$/, replacement: `${packages}$1/src/index.ts` }] },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts'],
          exclude: needsTheMachine,
          pool: 'threads',
          isolate: false,
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: needsTheMachine,
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});

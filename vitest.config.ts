import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const packages = fileURLToPath(new URL('./packages/', import.meta.url));

/** The suffix of a test file says what it needs. */
const needsPostgres = ['packages/*/src/**/*.pg.test.ts'];
const needsTheMachine = ['packages/*/src/**/*.{ovs,nats,e2e}.test.ts'];

export default defineConfig({
  resolve: { alias: [{ find: /^@alcor\/([a-z-]+)$/, replacement: `${packages}$1/src/index.ts` }] },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts'],
          exclude: [...needsPostgres, ...needsTheMachine],
          pool: 'threads',
          isolate: false,
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Each file has a server of its own, so files need not wait for each other.
        extends: true,
        test: {
          name: 'store',
          include: needsPostgres,
          pool: 'forks',
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // These own bridges, ports and processes of the machine: one file after another.
        extends: true,
        test: {
          name: 'machine',
          include: needsTheMachine,
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const packages = fileURLToPath(new URL('./packages/', import.meta.url));

/** The suffix of a test file says what it needs. */
const needsPostgres = ['packages/*/src/**/*.pg.test.ts'];
const needsTheMachine = ['packages/*/src/**/*.{ovs,nats,e2e}.test.ts'];

/** Limits only end what hangs: a machine that has much else to do takes many times as long. */
const patience = { testTimeout: 600_000, hookTimeout: 600_000 };

/** What takes minutes, the longest first. */
const longest = ['dataplane.e2e', 'gateway-failover', 'drawn-seeds', 'kept-seeds', 'openstack-session', 'region.e2e'];

function rank({ moduleId }: TestSpecification): number {
  const at = longest.findIndex((name) => moduleId.includes(`/${name}.`));
  return at === -1 ? longest.length : at;
}

/** Begins with what takes longest, so that it is not left for the end: in a fresh clone Vitest knows nothing of a file but its size. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  resolve: { alias: [{ find: /^@alcor\/([a-z-]+)$/, replacement: `${packages}$1/src/index.ts` }] },
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts'],
          exclude: [...needsPostgres, ...needsTheMachine],
          pool: 'threads',
          isolate: false,
          maxWorkers: 2,
          ...patience,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Each file has a server of its own, so files need not wait for each other.
        extends: true,
        test: {
          name: 'store',
          include: needsPostgres,
          globalSetup: ['packages/store/src/testing/template.ts'],
          pool: 'forks',
          maxWorkers: 2,
          ...patience,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // Each file has bridges, ports and processes of its own, and mostly waits for them.
        extends: true,
        test: {
          name: 'machine',
          include: needsTheMachine,
          pool: 'forks',
          maxWorkers: 2,
          ...patience,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});

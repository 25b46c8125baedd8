import type { FeedSubject } from '../../network/src/testing/feed.contract.ts';
import { describeFeed, nextBatch, readSnapshot } from '../../network/src/testing/feed.contract.ts';
import type {
  Change,
  Network,
  NetworkId,
  NetworkView,
  Node,
  NodeView,
  Port,
  PortView,
  Subnet,
  SubnetTypes,
} from '@alcor/network';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clock, eventually, random, startTestServer } from './testing/region.ts';
import type { TestServer, TestStore } from './testing/region.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const projectId = 'p';
const rowOf = ({
  subnetIds: _subnets,
  ipv4AddressScope: _scope4,
  ipv6AddressScope: _scope6,
  grantees: _grantees,
  segmentationId: _segment,
  availabilityZones: _zones,
  tags: _tags,
  ...row
}: NetworkView): Network => row;
const portRowOf = ({
  status: _status,
  statusReason: _reason,
  qosNetworkPolicyId: _policy,
  trunkDetails: _trunk,
  tags: _tags,
  ...row
}: PortView): Port => row;
const subnetRowOf = ({ tags: _tags, ...row }: SubnetTypes['view']): Subnet => row;
const nodeRowOf = ({ alive: _alive, heartbeatAt: _at, ...row }: NodeView): Node => row;
const only = <T>(rows: readonly T[]): T => {
  const [row] = rows;
  if (row === undefined || rows.length > 1) throw new Error('not exactly one');
  return row;
};

let nodes = 0;
async function openSubject(): Promise<FeedSubject> {
  let ahead = 0;
  const shifted = { ...clock, wall: () => clock.wall() + ahead };
  const store = await server.openFresh({ clock: shifted });
  return {
    feed: store.feed,
    createNetwork: async (name) => rowOf(only(await store.networks.create([{ projectId, name }]))),
    renameNetwork: async (id, name) => rowOf(await store.networks.update(id, { name })),
    deleteNetwork: (id) => store.networks.delete(id),
    overrideChannel: async (id, override) => void (await store.setChannelOverride(id, override)),
    createSubnet: async (networkId, cidr) =>
      subnetRowOf(only(await store.subnets.create([{ projectId, networkId, cidr }]))),
    deleteSubnet: (id) => store.subnets.delete(id),
    // In no group, for a default one would be told of as well.
    createPort: async (networkId) =>
      portRowOf(only(await store.ports.create([{ projectId, networkId, securityGroupIds: [] }]))),
    deletePort: (id) => store.ports.delete(id),
    createNode: async (id) =>
      nodeRowOf(only(await store.nodes.create([{ id, ip: `192.0.2.${++nodes}`, agentAddress: 'unix:/agent' }]))),
    deleteNode: (id) => store.nodes.delete(id),
    async forget() {
      ahead += 2 * 3_600_000;
      // The newest transaction's rows are always kept: this is it.
      await store.networks.create([{ projectId, name: 'the newest' }]);
      await store.trim();
    },
    close: async () => {},
  };
}

describeFeed('PostgreSQL', openSubject);

/** Follows the feed into a table, checking its promises on the way. */
function follow(store: Pick<TestStore, 'feed'>) {
  const stop = new AbortController();
  const table = new Map<string, Change>();
  const run = async (): Promise<void> => {
    const { position, batches } = await store.feed.snapshot(stop.signal);
    for await (const batch of batches) for (const change of batch) table.set(change.id, change);
    for await (const { changes } of store.feed.changes(position, stop.signal)) {
      for (const change of changes) {
        const known = table.get(change.id)?.revision ?? 0;
        if (change.revision < known) throw new Error(`${change.id}: ${change.revision} after ${known}`);
        table.set(change.id, change);
      }
    }
  };
  const done = run();
  const present = (): unknown =>
    Object.fromEntries(
      [...table.values()]
        .filter(({ row }) => row !== null)
        .map(({ id, row }) => [id, row] as const)
        .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    );
  return {
    present,
    table,
    end: () => {
      stop.abort();
      return done;
    },
  };
}

async function truth(store: TestStore): Promise<unknown> {
  const { rows } = await readSnapshot(store.feed);
  return Object.fromEntries(rows.map(({ id, row }) => [id, row] as const).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

it('misses nothing of many writers in two processes, with transactions that stay open long and some that fail', async () => {
  const store = await server.openFresh();
  const other = await store.another();
  const readers = [follow(store), follow(other)];
  const networks = await store.networks.create([{ projectId }, { projectId }]);
  await store.subnets.create(networks.map(({ id }) => ({ projectId, networkId: id, cidr: '10.0.0.0/16' })));
  const networkOf = (n: number): NetworkId => networks[n % 2]?.id as NetworkId;

  const writer = async (n: number): Promise<void> => {
    const on = n % 2 === 0 ? store : other;
    for (let step = 0; step < 15; step++) {
      const [first, second] = await on.ports.create(
        [1, 2, 3].map(() => ({ projectId, networkId: networkOf(n + step) })),
      );
      if (first === undefined || second === undefined) throw new Error('no ports');
      await on.ports.update(first.id, { name: `${n}-${step}` });
      if (step % 3 === 0) await on.ports.delete(second.id);
      await on.networks.update(networkOf(n), { description: `${n}-${step}` });
      if (step % 5 === 0)
        await on.ports.create([{ projectId, networkId: networkOf(n), fixedIps: [{ ip: '10.0.0.1' }] }]).catch(() => {});
    }
  };
  // Numbered early, committed late, or never: what a reader of sequence numbers would miss.
  const lingerer = async (n: number): Promise<void> => {
    for (let step = 0; step < 5; step++) {
      await store.sql
        .begin(async (tx) => {
          const name = `slow-${n}-${step}`;
          const [row] =
            await tx`update subnets set name = ${name}, revision = revision + 1 where network_id = ${networkOf(n)}
            returning id, revision`;
          await tx`insert into changes (kind, id, revision, deleted, at)
            values ('subnet', ${row?.['id']}, ${row?.['revision']}, false, now())`;
          await clock.sleep(random.next() * 150);
          if (step % 2 === 1) throw new Error('changed my mind');
        })
        .catch((error: Error) => {
          if (error.message !== 'changed my mind') throw error;
        });
    }
  };
  await Promise.all([...Array.from({ length: 8 }, (_, n) => writer(n)), lingerer(0), lingerer(1)]);

  const expected = await truth(store);
  expect(Object.keys(expected as object).length).toBeGreaterThan(250);
  for (const reader of readers) {
    await eventually(() => JSON.stringify(reader.present()) === JSON.stringify(expected));
    await reader.end();
    expect(reader.present()).toEqual(expected);
  }
});

it('gives a change too large for one batch in several, and can be resumed from each', async () => {
  const store = await server.openFresh();
  const network = only(await store.networks.create([{ projectId }]));
  await store.subnets.create([{ projectId, networkId: network.id, cidr: '10.0.0.0/16' }]);
  let { position } = await readSnapshot(store.feed);
  const ports = await store.ports.create(Array.from({ length: 5000 }, () => ({ projectId, networkId: network.id })));
  const later = only(await store.ports.create([{ projectId, networkId: network.id }]));
  await store.ports.delete(ports[10]?.id ?? later.id);
  const seen = new Map<string, Change>();
  let batches = 0;
  while (seen.size < 5001) {
    const batch = await nextBatch(store.feed, position);
    for (const change of batch.changes) if (change.kind === 'port') seen.set(change.id, change);
    position = batch.position;
    batches += 1;
  }
  expect(batches).toBeGreaterThan(2);
  expect(seen.get(ports[10]?.id ?? '')).toMatchObject({ row: null, revision: 2 });
  expect([...seen.values()].filter(({ row }) => row !== null)).toHaveLength(5000);
  const after = only(await store.networks.create([{ projectId }]));
  expect((await nextBatch(store.feed, position)).changes.map(({ id }) => id)).toEqual([after.id]);
});

it('does not take for seen a transaction number that a crash may give out once more', async () => {
  const store = await server.openFresh();
  await store.networks.create([{ projectId }]);
  // A transaction that has a number, writes nothing durable and is gone: the next may have its number after a crash.
  await store.sql
    .begin(async (tx) => {
      await tx`select pg_current_xact_id()`;
      throw new Error('never mind');
    })
    .catch(() => {});
  const { position } = await readSnapshot(store.feed);
  const [row] = await store.sql`select max(xid)::text as xid from changes`;
  const [, xmax] = position.split(':');
  expect(BigInt(xmax ?? '0')).toBe(BigInt(row?.['xid'] as string) + 1n);
});

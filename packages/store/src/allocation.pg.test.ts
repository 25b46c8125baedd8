import type { CreatePort, NetworkId, PortView, SubnetId } from '@alcor/network';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { random, startTestServer } from './testing/region.ts';
import type { TestServer, TestStore } from './testing/region.ts';

let server: TestServer;
let store: TestStore;
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(async () => {
  store = await server.openFresh();
});
afterAll(() => server.close());

const projectId = 'p';

async function makeNetwork(cidr = '10.0.0.0/16', on: TestStore = store) {
  const [network] = await on.networks.create([{ projectId }]);
  if (network === undefined) throw new Error('no network');
  const [subnet] = await on.subnets.create([{ projectId, networkId: network.id, cidr }]);
  if (subnet === undefined) throw new Error('no subnet');
  return { networkId: network.id, subnetId: subnet.id };
}

const ipsOf = (ports: readonly PortView[]): string[] => ports.flatMap(({ fixedIps }) => fixedIps.map(({ ip }) => ip));
const codes = (results: readonly PromiseSettledResult<unknown>[]): string[] =>
  results.map((result) =>
    result.status === 'fulfilled' ? 'made' : ((result.reason as { code?: string }).code ?? String(result.reason)),
  );
const count = <T>(values: readonly T[], wanted: T): number => values.filter((value) => value === wanted).length;

/** What the tables say, whatever the store believes: every port has what it was promised and nobody else has it. */
async function checkWhole(expectedPorts: number): Promise<void> {
  const [row] = await store.sql`select
    (select count(*)::int from ports) as ports,
    (select count(*)::int from (select distinct network_id, mac from ports) x) as macs,
    (select count(*)::int from ip_allocations where port_id is not null) as addresses,
    (select count(*)::int from (select distinct subnet_id, ip from ip_allocations where port_id is not null) x) as distinct_addresses,
    (select count(*)::int from changes where kind = 'port' and not deleted and revision = 1) as changes,
    (select count(*)::int from networks) - (select count(distinct vni)::int from networks) as shared_vnis`;
  expect(row).toMatchObject({ ports: expectedPorts, macs: expectedPorts, shared_vnis: 0, changes: expectedPorts });
  expect(row?.['addresses']).toBe(row?.['distinct_addresses']);
}

describe('addresses', () => {
  it('come lowest first, and come again when freed', async () => {
    const { networkId } = await makeNetwork();
    const ports = await store.ports.create([
      { projectId, networkId },
      { projectId, networkId },
    ]);
    expect(ipsOf(ports)).toEqual(['10.0.0.2', '10.0.0.3']);
    await store.ports.delete(ports[0]?.id as PortView['id']);
    expect(ipsOf(await store.ports.create([{ projectId, networkId }]))).toEqual(['10.0.0.2']);
  });

  it('are never given twice by two processes with many clients, singly, in bulk and by name', async () => {
    const other = (await store.another()) as TestStore;
    const { networkId } = await makeNetwork();
    const jobs = Array.from({ length: 60 }, (_, n) => {
      const on = n % 2 === 0 ? store : other;
      const named: CreatePort = { projectId, networkId, fixedIps: [{ ip: `10.0.0.${20 + (n % 10)}` }] };
      if (n % 3 === 0) return on.ports.create([named]);
      return on.ports.create(Array.from({ length: n % 3 === 1 ? 1 : 25 }, () => ({ projectId, networkId })));
    });
    const results = await Promise.allSettled(jobs);
    const made = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    const refused = codes(results).filter((code) => code !== 'made');
    // Named ones may lose to others; nothing else is refused.
    expect(refused.every((code) => code === 'IpAddressAlreadyAllocated')).toBe(true);
    expect(refused.length).toBeLessThanOrEqual(20);
    expect(new Set(ipsOf(made)).size).toBe(made.length);
    await checkWhole(made.length);
  });

  it('asked for by name by everyone at once go to one', async () => {
    const other = await store.another();
    const { networkId } = await makeNetwork();
    const input: CreatePort = { projectId, networkId, fixedIps: [{ ip: '10.0.9.9' }] };
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) => (n % 2 ? store : other).ports.create([input])),
    );
    expect(count(codes(results), 'made')).toBe(1);
    expect(count(codes(results), 'IpAddressAlreadyAllocated')).toBe(19);
    await checkWhole(1);
  });

  it('are given to the last one, and then refused, also when another process has freed some meanwhile', async () => {
    const other = await store.another();
    const { networkId } = await makeNetwork('10.0.0.0/26');
    const results = await Promise.allSettled(
      Array.from({ length: 70 }, (_, n) => (n % 2 ? store : other).ports.create([{ projectId, networkId }])),
    );
    expect(count(codes(results), 'made')).toBe(61);
    expect(count(codes(results), 'IpAddressGenerationFailure')).toBe(9);
    const { rows } = await store.ports.list({});
    await other.ports.delete(rows[30]?.id as PortView['id']);
    const fresh = await store.another();
    expect(ipsOf(await fresh.ports.create([{ projectId, networkId }]))).toEqual(ipsOf(rows.slice(30, 31)));
  });

  it('are refused where they cannot be: network, broadcast, gateway, elsewhere', async () => {
    const { networkId, subnetId } = await makeNetwork('10.0.0.0/24');
    const refused = async (ip: string, subnet?: SubnetId): Promise<string> =>
      codes(
        await Promise.allSettled([
          store.ports.create([{ projectId, networkId, fixedIps: [{ ip, subnetId: subnet }] }]),
        ]),
      )[0] ?? '';
    expect(await refused('10.0.0.0', subnetId)).toBe('InvalidIpForSubnet');
    expect(await refused('10.0.0.255', subnetId)).toBe('InvalidIpForSubnet');
    expect(await refused('10.0.0.1', subnetId)).toBe('IpAddressAlreadyAllocated');
    expect(await refused('10.0.1.1', subnetId)).toBe('InvalidIpForSubnet');
    expect(await refused('10.0.1.1')).toBe('InvalidIpForNetwork');
    expect(await refused('nonsense')).toBe('InvalidInput');
    expect(await refused('10.0.0.9', '018f0000-0000-7000-8000-000000000000' as SubnetId)).toBe('InvalidInput');
    await checkWhole(0);
  });

  it('come from both versions, and from the next subnet when one is full', async () => {
    const { networkId } = await makeNetwork('10.0.0.0/30');
    await store.subnets.create([
      { projectId, networkId, cidr: '10.0.1.0/29' },
      { projectId, networkId, cidr: 'fd00::/64' },
    ]);
    const ports = await store.ports.create([
      { projectId, networkId },
      { projectId, networkId },
    ]);
    expect(ports.map(({ fixedIps }) => fixedIps.map(({ ip }) => ip))).toEqual([
      ['10.0.0.2', 'fd00::2'],
      ['10.0.1.2', 'fd00::3'],
    ]);
  });
});

describe('a bulk request', () => {
  it('is made whole, each port with its own addresses', async () => {
    const { networkId } = await makeNetwork();
    const ports = await store.ports.create(
      Array.from({ length: 3000 }, (_, n) => ({ projectId, networkId, name: `p${n}` })),
    );
    expect(ports.map(({ name }) => name)).toEqual(Array.from({ length: 3000 }, (_, n) => `p${n}`));
    expect(new Set(ipsOf(ports)).size).toBe(3000);
    await checkWhole(3000);
  });

  it.each<[string, string, (networkId: NetworkId) => Partial<CreatePort>]>([
    ['IpAddressAlreadyAllocated', 'an address in use', () => ({ fixedIps: [{ ip: '10.0.0.2' }] })],
    ['IpAddressAlreadyAllocated', 'an address of an earlier item', () => ({ fixedIps: [{ ip: '10.0.0.77' }] })],
    ['MacAddressInUse', 'a MAC in use', () => ({ mac: 'FA-16-3E-00-00-01' })],
    ['MacAddressInUse', 'a MAC of an earlier item', () => ({ mac: 'fa:16:3e:00:00:02' })],
    ['InvalidInput', 'a group MAC', () => ({ mac: '01:00:5e:00:00:01' })],
    ['NetworkNotFound', 'no such network', () => ({ networkId: '018f0000-0000-7000-8000-000000000000' as NetworkId })],
    ['NetworkNotFound', 'an id that is none', () => ({ networkId: 'nonsense' as NetworkId })],
  ])('refused with %s leaves nothing behind: %s', async (code, _, fault) => {
    const { networkId } = await makeNetwork();
    await store.ports.create([{ projectId, networkId, mac: 'fa:16:3e:00:00:01' }]);
    const plain: CreatePort = { projectId, networkId };
    const inputs = [
      plain,
      { ...plain, fixedIps: [{ ip: '10.0.0.77' }], mac: 'fa:16:3e:00:00:02' },
      plain,
      { ...plain, ...fault(networkId) },
      plain,
    ];
    await expect(store.ports.create(inputs)).rejects.toMatchObject({ code, item: 3 });
    await checkWhole(1);
    // Nor in memory: what was picked is free again.
    expect(ipsOf(await store.ports.create([plain]))).toEqual(['10.0.0.3']);
  });

  it('chooses what a later item does not ask for by name', async () => {
    const { networkId } = await makeNetwork();
    const ports = await store.ports.create([
      { projectId, networkId },
      { projectId, networkId, fixedIps: [{ ip: '10.0.0.2' }] },
    ]);
    expect(ipsOf(ports)).toEqual(['10.0.0.3', '10.0.0.2']);
  });
});

describe('MAC addresses', () => {
  it('are chosen anew while those drawn are taken', async () => {
    // Draws from 64 addresses only: most draws collide.
    let draws = 0;
    const narrow = {
      next: () => random.next(),
      bytes: (length: number) => (length === 3 ? Uint8Array.from([0, 0, (draws++ * 37) % 64]) : random.bytes(length)),
    };
    const crowded = await server.openFresh({ random: narrow });
    const { networkId } = await makeNetwork('10.0.0.0/16', crowded);
    for (let round = 0; round < 4; round++)
      await crowded.ports.create(Array.from({ length: 12 }, () => ({ projectId, networkId })));
    const { rows } = await crowded.ports.list({});
    expect(new Set(rows.map(({ mac }) => mac)).size).toBe(48);
  });
});

describe('VNIs', () => {
  it('are unique over processes, released with their network, and run out with a refusal', async () => {
    const limits = { firstVni: 100, lastVni: 119 };
    const [one, other] = [await store.another({ limits }), await store.another({ limits })];
    const results = await Promise.allSettled(
      Array.from({ length: 25 }, (_, n) => (n % 2 ? one : other).networks.create([{ projectId }])),
    );
    expect(count(codes(results), 'made')).toBe(20);
    expect(count(codes(results), 'NoNetworkAvailable')).toBe(5);
    const { rows } = await one.networks.list({});
    expect(rows.map(({ vni }) => vni).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => 100 + n));
    const [victim] = rows;
    await one.networks.delete(victim?.id as NetworkId);
    const [again] = await other.networks.create([{ projectId }]);
    expect(again?.vni).toBe(victim?.vni);
  });

  it('asked for by name are had once', async () => {
    await store.networks.create([{ projectId, segmentationId: 5000 }]);
    await expect(store.networks.create([{ projectId }, { projectId, segmentationId: 5000 }])).rejects.toMatchObject({
      code: 'TunnelIdInUse',
      item: 1,
    });
    await expect(store.networks.create([{ projectId, segmentationId: 2 ** 24 }])).rejects.toMatchObject({
      code: 'InvalidInput',
    });
    expect((await store.networks.list({})).rows).toHaveLength(1);
  });
});

describe('no orphans', () => {
  it('of a network that goes while ports are made on it', async () => {
    for (let round = 0; round < 8; round++) {
      const { networkId } = await makeNetwork();
      const jobs = Array.from({ length: 6 }, () =>
        store.ports.create([
          { projectId, networkId },
          { projectId, networkId },
        ]),
      );
      const results = await Promise.allSettled([
        ...jobs.slice(0, 3),
        store.networks.delete(networkId),
        ...jobs.slice(3),
      ]);
      for (const code of codes(results)) expect(['made', 'NetworkInUse', 'NetworkNotFound']).toContain(code);
    }
    const [row] = await store.sql`select count(*)::int as orphans from ports p where not exists
      (select from networks n where n.id = p.network_id)`;
    expect(row?.['orphans']).toBe(0);
  });

  it('of a subnet that goes while its addresses are allocated', async () => {
    for (let round = 0; round < 8; round++) {
      const { networkId, subnetId } = await makeNetwork();
      const input: CreatePort = { projectId, networkId, fixedIps: [{ subnetId }] };
      const results = await Promise.allSettled([
        store.ports.create([input]),
        store.subnets.delete(subnetId),
        store.ports.create([input]),
      ]);
      for (const code of codes(results)) expect(['made', 'SubnetInUse', 'InvalidInput']).toContain(code);
    }
    const [row] = await store.sql`select count(*)::int as half from ports p where not exists
      (select from ip_allocations a where a.port_id = p.id)`;
    expect(row?.['half']).toBe(0);
  });

  it('of two overlapping subnets made at once, one', async () => {
    const [network] = await store.networks.create([{ projectId }]);
    const networkId = network?.id as NetworkId;
    const results = await Promise.allSettled(
      ['10.0.0.0/16', '10.0.1.0/24', '10.0.0.0/8', '10.0.1.128/25'].map((cidr) =>
        store.subnets.create([{ projectId, networkId, cidr }]),
      ),
    );
    expect(count(codes(results), 'made')).toBe(1);
    expect(count(codes(results), 'InvalidInput')).toBe(3);
  });
});

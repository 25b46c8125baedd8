import type { ListQuery, NetworkId, NodeId, PortId, PortReport, PortTypes, PortView, SubnetId } from '@alcor/network';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestServer } from './testing/region.ts';
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
const nowhere = '018f0000-0000-7000-8000-000000000000';

async function makeNetwork() {
  const [network] = await store.networks.create([{ projectId, name: 'net' }]);
  if (network === undefined) throw new Error('no network');
  const [subnet] = await store.subnets.create([{ projectId, networkId: network.id, cidr: '10.0.0.0/24' }]);
  if (subnet === undefined) throw new Error('no subnet');
  return { networkId: network.id, subnetId: subnet.id };
}
async function makePort(more: object = {}): Promise<PortView> {
  const [port] = await store.ports.create([{ projectId, ...(await makeNetwork()), ...more }]);
  if (port === undefined) throw new Error('no port');
  return port;
}

describe('what is made is what is read', () => {
  it('of every kind', async () => {
    const { networkId, subnetId } = await makeNetwork();
    const [port] = await store.ports.create([
      {
        projectId,
        networkId,
        name: `ü"\\{},'`,
        hostId: 'host-1' as NodeId,
        deviceId: 'd',
        deviceOwner: 'compute:a',
        portSecurityEnabled: false,
      },
    ]);
    const [node] = await store.nodes.create([{ id: 'host-1' as NodeId, ip: 'FD00::1', agentAddress: 'h:1' }]);
    expect(await store.ports.get(port?.id as PortId)).toEqual(port);
    expect(await store.nodes.get('host-1' as NodeId)).toEqual(node);
    expect(node?.ip).toBe('fd00::1');
    expect(await store.networks.get(networkId)).toMatchObject({
      id: networkId,
      name: 'net',
      mtu: 1450,
      subnetIds: [subnetId],
    });
    expect((await store.subnets.list({})).rows).toEqual([await store.subnets.get(subnetId)]);
  });

  it('and what is not there is not found', async () => {
    for (const id of [nowhere, 'nonsense', '']) {
      await expect(store.networks.get(id as NetworkId)).rejects.toMatchObject({ code: 'NetworkNotFound', status: 404 });
      await expect(store.subnets.update(id as SubnetId, { name: 'x' })).rejects.toMatchObject({
        code: 'SubnetNotFound',
      });
      await expect(store.ports.delete(id as PortId)).rejects.toMatchObject({ code: 'PortNotFound' });
      await expect(store.ports.list({ marker: id as PortId })).rejects.toMatchObject({ code: 'PortNotFound' });
      await expect(store.nodes.get(id as NodeId)).rejects.toMatchObject({ code: 'NodeNotFound' });
    }
  });

  it('refuses text that PostgreSQL cannot hold', async () => {
    await expect(store.networks.create([{ projectId, name: 'a\0b' }])).rejects.toMatchObject({ status: 400 });
  });
});

describe('an update', () => {
  it('changes what is named, and grows the revision by one', async () => {
    const port = await makePort({ name: 'a', deviceId: 'd' });
    const after = await store.ports.update(port.id, { name: 'b', adminStateUp: false });
    expect(after).toEqual({ ...port, name: 'b', adminStateUp: false, revision: 2, updatedAt: after.updatedAt });
    expect(await store.ports.update(port.id, { name: 'b' })).toEqual(after);
    expect(await store.ports.get(port.id)).toEqual(after);
  });

  it('keeps the gateway unless it is named', async () => {
    const { subnetId } = await makeNetwork();
    expect((await store.subnets.update(subnetId, { name: 'x' })).gatewayIp).toBe('10.0.0.1');
    expect((await store.subnets.update(subnetId, { gatewayIp: undefined, enableDhcp: false })).gatewayIp).toBe(
      '10.0.0.1',
    );
    const without = await store.subnets.update(subnetId, { gatewayIp: null });
    expect(without).toMatchObject({ gatewayIp: null, name: 'x', enableDhcp: false, revision: 4 });
  });

  it('frees the address of a former gateway and keeps ports off the new one', async () => {
    const { subnetId, networkId } = await makeNetwork();
    const allocationPools = [{ start: '10.0.0.10', end: '10.0.0.20' }];
    await store.ports.create([{ projectId, networkId, fixedIps: [{ ip: '10.0.0.200' }] }]);
    await expect(store.subnets.update(subnetId, { gatewayIp: '10.0.0.200', allocationPools })).rejects.toMatchObject({
      code: 'GatewayIpInUse',
    });
    await store.subnets.update(subnetId, { gatewayIp: '10.0.0.201', allocationPools });
    const at = (ip: string) => store.ports.create([{ projectId, networkId, fixedIps: [{ ip }] }]);
    await expect(at('10.0.0.201')).rejects.toMatchObject({ code: 'IpAddressAlreadyAllocated' });
    await at('10.0.0.1');
    const [port] = await store.ports.create([{ projectId, networkId }]);
    expect(port?.fixedIps).toEqual([{ subnetId, ip: '10.0.0.10' }]);
  });

  it('is refused when the row has another revision', async () => {
    const port = await makePort();
    await store.ports.update(port.id, { name: 'b' }, { ifRevision: 1 });
    await expect(store.ports.update(port.id, { name: 'c' }, { ifRevision: 1 })).rejects.toMatchObject({
      code: 'RevisionNumberConstraintFailed',
      status: 412,
    });
    await expect(store.ports.delete(port.id, { ifRevision: 1 })).rejects.toMatchObject({ status: 412 });
    expect((await store.ports.get(port.id)).name).toBe('b');
  });

  it('loses none of many at once', async () => {
    const port = await makePort();
    await Promise.all(Array.from({ length: 20 }, (_, n) => store.ports.update(port.id, { name: `n${n}` })));
    expect((await store.ports.get(port.id)).revision).toBe(21);
  });

  it('replaces addresses: keeps those named again, frees the others', async () => {
    const port = await makePort();
    const [held] = port.fixedIps;
    const { subnetId } = held ?? { subnetId: nowhere as SubnetId };
    const two = await store.ports.update(port.id, { fixedIps: [{ subnetId }, { ip: '10.0.0.50' }] });
    expect(two.fixedIps.map(({ ip }) => ip)).toEqual(['10.0.0.2', '10.0.0.50']);
    const one = await store.ports.update(port.id, { fixedIps: [{ ip: '10.0.0.50' }] });
    expect(one.fixedIps.map(({ ip }) => ip)).toEqual(['10.0.0.50']);
    const [next] = await store.ports.create([{ projectId, networkId: port.networkId }]);
    expect(next?.fixedIps).toEqual([{ subnetId, ip: '10.0.0.2' }]);
    await expect(store.ports.update(port.id, { fixedIps: [{ ip: '10.0.0.2' }] })).rejects.toMatchObject({
      code: 'IpAddressAlreadyAllocated',
    });
    await expect(store.ports.update(port.id, { mac: next?.mac })).rejects.toMatchObject({ code: 'MacAddressInUse' });
    expect(await store.ports.get(port.id)).toEqual(one);
    expect((await store.ports.update(port.id, { fixedIps: [] })).fixedIps).toEqual([]);
  });
});

describe('what is in use stays', () => {
  it('a network with ports, a subnet with addresses', async () => {
    const port = await makePort();
    const subnetId = port.fixedIps[0]?.subnetId as SubnetId;
    await expect(store.networks.delete(port.networkId)).rejects.toMatchObject({ code: 'NetworkInUse', status: 409 });
    await expect(store.subnets.delete(subnetId)).rejects.toMatchObject({ code: 'SubnetInUse', status: 409 });
    await store.ports.delete(port.id);
    await store.networks.delete(port.networkId);
    await expect(store.subnets.get(subnetId)).rejects.toMatchObject({ code: 'SubnetNotFound' });
  });

  it('a node with ports, and its address', async () => {
    const id = 'host-1' as NodeId;
    await store.nodes.create([{ id, ip: '192.0.2.1', agentAddress: 'h:1' }]);
    const port = await makePort({ hostId: id });
    await expect(store.nodes.delete(id)).rejects.toMatchObject({ code: 'NodeInUse' });
    await expect(store.nodes.update(id, { ip: '192.0.2.2' })).rejects.toMatchObject({ code: 'NodeInUse' });
    await store.nodes.update(id, { name: 'fine' });
    await store.ports.update(port.id, { hostId: null });
    await store.nodes.update(id, { ip: '192.0.2.2' });
    await store.nodes.delete(id);
  });

  it('a node id and an underlay address are had once', async () => {
    const node = { id: 'a' as NodeId, ip: '192.0.2.1', agentAddress: 'h:1' };
    await store.nodes.create([node]);
    await expect(store.nodes.create([{ ...node, ip: '192.0.2.2' }])).rejects.toMatchObject({
      code: 'NodeExists',
      item: 0,
    });
    await expect(
      store.nodes.create([
        { ...node, id: 'b' as NodeId, ip: '192.0.2.3' },
        { ...node, id: 'c' as NodeId },
      ]),
    ).rejects.toMatchObject({ code: 'NodeExists', item: 1 });
    expect((await store.nodes.list({})).rows.map(({ id }) => id)).toEqual(['a']);
  });
});

function from(nodeId: string, portId: PortId, status: 'ACTIVE' | 'ERROR', reason = ''): PortReport {
  return { portId, nodeId: nodeId as NodeId, status, reason };
}

describe('port status', () => {
  it('is DOWN until told, does not grow the revision, and is passed over for ports that are gone', async () => {
    const made = await makePort();
    expect(made.status).toBe('DOWN');
    const port = await store.ports.update(made.id, { hostId: 'a' as NodeId });
    await store.setPortStatuses([from('a', nowhere as PortId, 'ACTIVE'), from('a', port.id, 'ERROR', 'no switch')]);
    expect(await store.ports.get(port.id)).toEqual({ ...port, status: 'ERROR', statusReason: 'no switch' });
    await Promise.all(Array.from({ length: 10 }, () => store.setPortStatuses([from('a', port.id, 'ACTIVE')])));
    expect((await store.ports.list({ filter: { status: ['ACTIVE'] } })).rows).toEqual([{ ...port, status: 'ACTIVE' }]);
    expect((await store.ports.list({ filter: { status: ['DOWN'] } })).rows).toEqual([]);
  });

  it('is taken only from the host that the port is bound to, and begins anew on another', async () => {
    const { id } = await makePort();
    await store.ports.update(id, { hostId: 'a' as NodeId });
    await store.setPortStatuses([from('b', id, 'ERROR', 'of the past'), from('a', id, 'ACTIVE')]);
    expect((await store.ports.get(id)).status).toBe('ACTIVE');
    expect((await store.ports.update(id, { name: 'stays' })).status).toBe('ACTIVE');
    expect((await store.ports.update(id, { hostId: 'b' as NodeId })).status).toBe('DOWN');
    await store.setPortStatuses([from('a', id, 'ACTIVE')]);
    expect((await store.ports.get(id)).status).toBe('DOWN');
  });
});

const names = (rows: readonly { name: string }[]): string => rows.map(({ name }) => name).join('');

describe('lists', () => {
  it('are filtered by any field, with several values, all conditions together', async () => {
    const { networkId, subnetId } = await makeNetwork();
    const other = await makeNetwork();
    await store.ports.create([
      {
        projectId,
        networkId,
        name: 'a',
        deviceId: 'd1',
        deviceOwner: 'x',
        fixedIps: [{ ip: '10.0.0.9' }],
        mac: 'fa:16:3e:00:00:0a',
      },
      { projectId, networkId, name: 'b', deviceId: 'd2', hostId: 'h' as NodeId, fixedIps: [{ ip: '10.0.0.10' }] },
      { projectId: 'q', networkId: other.networkId, name: 'c', adminStateUp: false, fixedIps: [{ ip: '10.0.0.9' }] },
    ]);
    const found = async (filter: ListQuery<PortTypes>['filter']): Promise<string> =>
      names((await store.ports.list({ filter })).rows);
    expect(await found({ networkId: [networkId] })).toBe('ab');
    expect(await found({ name: ['a', 'c', 'x'] })).toBe('ac');
    expect(await found({ mac: ['FA-16-3E-00-00-0A', 'junk'] })).toBe('a');
    expect(await found({ fixedIpAddress: ['10.0.0.9'] })).toBe('ac');
    expect(await found({ fixedIpAddress: ['10.0.0.9'], fixedIpSubnetId: [subnetId] })).toBe('a');
    expect(await found({ fixedIpAddress: ['junk'] })).toBe('');
    expect(await found({ hostId: ['h' as NodeId], deviceId: ['d2'] })).toBe('b');
    expect(await found({ adminStateUp: [false] })).toBe('c');
    expect(await found({ id: ['junk' as PortId] })).toBe('');
    expect(await found({ name: [] })).toBe('');
    expect(await found({ projectId: ['p'], visibleTo: 'q' })).toBe('');
    // The owner of a network sees the ports others have on it.
    expect(await found({ visibleTo: 'q' })).toBe('c');
    expect(await found({ visibleTo: 'p' })).toBe('abc');
  });

  it('show a project its own networks and the shared ones, with their subnets', async () => {
    await store.networks.create([
      { projectId: 'q', name: 'a' },
      { projectId: 'r', name: 'b', shared: true },
      { projectId: 'r', name: 'c' },
    ]);
    const { rows } = await store.networks.list({ filter: { visibleTo: 'q' } });
    expect(names(rows)).toBe('ab');
    await store.subnets.create([
      { projectId: 'r', networkId: rows[1]?.id as NetworkId, cidr: '10.0.0.0/24', name: 'd' },
    ]);
    expect(names((await store.subnets.list({ filter: { visibleTo: 'q' } })).rows)).toBe('d');
  });

  it('are walked page by page, forward and backward, in any order, each row once', async () => {
    const { networkId } = await makeNetwork();
    await store.ports.create(
      Array.from({ length: 23 }, (_, n) => ({ projectId, networkId, name: `${n % 3}`, deviceId: `${n % 5}` })),
    );
    const orders: ListQuery<PortTypes>['sort'][] = [
      undefined,
      [{ key: 'name', direction: 'asc' }],
      [
        { key: 'name', direction: 'desc' },
        { key: 'deviceId', direction: 'asc' },
      ],
      [
        { key: 'hostId', direction: 'desc' },
        { key: 'mac', direction: 'desc' },
      ],
      [
        { key: 'status', direction: 'asc' },
        { key: 'id', direction: 'desc' },
      ],
    ];
    for (const sort of orders) {
      const all = (await store.ports.list({ sort })).rows.map(({ id }) => id);
      expect(new Set(all).size).toBe(23);
      const walked: PortId[] = [];
      for (let more = true; more;) {
        const page = await store.ports.list({ sort, limit: 5, marker: walked.at(-1) });
        walked.push(...page.rows.map(({ id }) => id));
        more = page.more;
      }
      expect(walked).toEqual(all);
      const back: PortId[] = [];
      for (let more = true; more;) {
        const page = await store.ports.list({ sort, limit: 4, marker: back[0], direction: 'backward' });
        back.unshift(...page.rows.map(({ id }) => id));
        more = page.more;
      }
      expect(back).toEqual(all);
    }
  });
});

import { nextBatch, readSnapshot } from '../../network/src/testing/feed.contract.ts';
import type { Change, NodeId, PortId, Position } from '@alcor/network';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestServer } from './testing/region.ts';
import type { TestServer, TestStore } from './testing/region.ts';

let server: TestServer;
let store: TestStore;
let followed: Followed;
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(async () => {
  store = await server.openFresh();
  followed = await follow(store);
});
afterAll(() => server.close());

const projectId = 'p';
const only = <T>(rows: readonly T[]): T => {
  const [row] = rows;
  if (row === undefined || rows.length > 1) throw new Error('not exactly one');
  return row;
};

interface Followed {
  /** The resources that changed since it was last asked, `kind/id`; the rows that are told equal those that are there. */
  changed(): Promise<readonly string[]>;
}

/** A reader of the feed that never looks at the tables: what it is not told of, it does not know. */
async function follow({ feed, networks }: TestStore): Promise<Followed> {
  const snapshot = await readSnapshot(feed);
  let position: Position = snapshot.position;
  const known = new Map<string, Change>(snapshot.rows.map((change) => [`${change.kind}/${change.id}`, change]));
  return {
    async changed() {
      // Something to wait for.
      const mark = only(await networks.create([{ projectId, name: 'mark' }])).id;
      const changed: string[] = [];
      while (!changed.includes(`network/${mark}`)) {
        const batch = await nextBatch(feed, position);
        position = batch.position;
        for (const change of batch.changes) {
          const key = `${change.kind}/${change.id}`;
          expect(change.revision).toBeGreaterThan(known.get(key)?.revision ?? 0);
          known.set(key, change);
          changed.push(key);
        }
      }
      const present = new Map((await readSnapshot(feed)).rows.map((change) => [`${change.kind}/${change.id}`, change]));
      expect(new Map([...known].filter(([, { row }]) => row !== null))).toEqual(present);
      return changed.filter((key) => key !== `network/${mark}`);
    },
  };
}

describe('what the feed tells of groups', () => {
  it('tells the default group of a project with its rules, once a port is in it', async () => {
    const network = only(await store.networks.create([{ projectId }]));
    const port = only(await store.ports.create([{ projectId, networkId: network.id }]));
    const [groupId] = port.securityGroupIds;
    const changed = await followed.changed();
    expect(changed).toEqual([`network/${network.id}`, `security-group/${groupId}`, `port/${port.id}`]);
    const { rows } = await readSnapshot(store.feed);
    const group = rows.find(({ kind }) => kind === 'security-group');
    expect(group).toMatchObject({ row: { isDefault: true, rules: { length: 4 } } });
    expect(rows.find(({ kind }) => kind === 'port')).toMatchObject({ row: { securityGroupIds: [groupId] } });
  });

  it('tells a change of rules as one of their group, also of those that go with the group they name', async () => {
    const [group, remote] = await store.securityGroups.create([
      { projectId, name: 'a' },
      { projectId, name: 'b' },
    ]);
    if (group === undefined || remote === undefined) throw new Error('no groups');
    await followed.changed();
    const rule = only(
      await store.securityGroupRules.create([
        { projectId, securityGroupId: group.id, direction: 'ingress', remoteGroupId: remote.id },
      ]),
    );
    expect(await followed.changed()).toEqual([`security-group/${group.id}`]);
    await store.securityGroupRules.delete(rule.id);
    expect(await followed.changed()).toEqual([`security-group/${group.id}`]);
    await store.securityGroupRules.create([
      { projectId, securityGroupId: group.id, direction: 'ingress', remoteGroupId: remote.id },
    ]);
    await followed.changed();
    await store.securityGroups.delete(remote.id);
    expect(await followed.changed()).toEqual([`security-group/${group.id}`, `security-group/${remote.id}`]);
    expect((await store.securityGroups.get(group.id)).rules).toHaveLength(2);
  });

  it('tells which groups a port is in, and the addresses of address groups', async () => {
    const network = only(await store.networks.create([{ projectId }]));
    const group = only(await store.securityGroups.create([{ projectId, name: 'a' }]));
    const port = only(await store.ports.create([{ projectId, networkId: network.id }]));
    const addresses = only(await store.addressGroups.create([{ projectId, name: 'a', addresses: ['10.1.0.0/16'] }]));
    expect(await followed.changed()).toContain(`address-group/${addresses.id}`);
    await store.ports.update(port.id, { securityGroupIds: [group.id] });
    expect(await followed.changed()).toEqual([`port/${port.id}`]);
    await store.addressGroups.update(addresses.id, { addAddresses: ['10.2.0.0/16'] });
    expect(await followed.changed()).toEqual([`address-group/${addresses.id}`]);
    await store.addressGroups.delete(addresses.id);
    expect(await followed.changed()).toEqual([`address-group/${addresses.id}`]);
  });
});

describe('what the feed tells of trunks', () => {
  it('tells where sub-ports are reached, as changes of them: under which tag of which port, and on its host', async () => {
    const network = only(await store.networks.create([{ projectId }]));
    const make = () => store.ports.create([{ projectId, networkId: network.id }]).then(only);
    const [parent, one, two] = [await make(), await make(), await make()];
    const sub = (portId: typeof one.id, segmentationId: number) =>
      ({ portId, segmentationType: 'vlan', segmentationId }) as const;
    const placed = async (id: typeof one.id) => {
      const { trunk, hostId } = await store.ports.get(id);
      return { trunk, hostId };
    };
    const trunk = only(await store.trunks.create([{ projectId, portId: parent.id, subPorts: [sub(one.id, 7)] }]));
    expect(await followed.changed()).toContain(`port/${one.id}`);
    await store.ports.update(parent.id, { hostId: 'a' as NodeId });
    expect(await followed.changed()).toEqual([`port/${one.id}`, `port/${parent.id}`]);
    await store.trunks.addSubPorts(trunk.id, [sub(two.id, 8)]);
    expect(await followed.changed()).toEqual([`port/${two.id}`]);
    expect(await placed(two.id)).toEqual({ trunk: { parentId: parent.id, vlan: 8 }, hostId: 'a' });
    await store.ports.update(parent.id, { hostId: 'b' as NodeId });
    expect([await placed(one.id), await placed(two.id)]).toMatchObject([{ hostId: 'b' }, { hostId: 'b' }]);
    await followed.changed();
    await store.trunks.removeSubPorts(trunk.id, [one.id]);
    expect(await followed.changed()).toEqual([`port/${one.id}`]);
    expect(await placed(one.id)).toEqual({ trunk: null, hostId: null });
    await store.ports.update(parent.id, { hostId: null });
    await followed.changed();
    await store.trunks.delete(trunk.id);
    expect(await followed.changed()).toEqual([`port/${two.id}`]);
    expect(await placed(two.id)).toEqual({ trunk: null, hostId: null });
  });

  it('says of a trunk how its ports are', async () => {
    const network = only(await store.networks.create([{ projectId }]));
    const hostId = 'a' as NodeId;
    const [parent, one] = [1, 2].map(() => store.ports.create([{ projectId, networkId: network.id }]).then(only));
    const ids = [(await parent!).id, (await one!).id] as const;
    const subPorts = [{ portId: ids[1], segmentationType: 'vlan', segmentationId: 7 }] as const;
    const trunk = only(await store.trunks.create([{ projectId, portId: ids[0], subPorts }]));
    await store.ports.update(ids[0], { hostId });
    const says = async (portId: PortId, status: 'ACTIVE' | 'DOWN' | 'ERROR') => {
      await store.setPortStatuses([{ portId, nodeId: hostId, status, reason: '' }]);
      return (await store.trunks.get(trunk.id)).status;
    };
    expect(await says(ids[0], 'ACTIVE')).toBe('BUILD');
    expect(await says(ids[1], 'ERROR')).toBe('DEGRADED');
    expect(await says(ids[1], 'ACTIVE')).toBe('ACTIVE');
    expect((await store.trunks.list({ filter: { status: ['ACTIVE'] } })).rows.map(({ id }) => id)).toEqual([trunk.id]);
    expect(await says(ids[0], 'DOWN')).toBe('DOWN');
  });
});

describe('what the feed tells of network ACLs', () => {
  it('tells a change of rules, and a subnet that comes or goes, as one of the ACL', async () => {
    const [network, other] = await store.networks.create([{ projectId }, { projectId }]);
    if (network === undefined || other === undefined) throw new Error('no networks');
    const [subnet, second] = await store.subnets.create([
      { projectId, networkId: network.id, cidr: '10.0.0.0/24' },
      { projectId, networkId: other.id, cidr: '10.0.1.0/24' },
    ]);
    if (subnet === undefined || second === undefined) throw new Error('no subnets');
    const acl = only(await store.networkAcls.create([{ projectId, subnetIds: [subnet.id] }]));
    const told = `network-acl/${acl.id}`;
    expect(await followed.changed()).toContain(told);
    const { id } = only(
      await store.networkAclRules.create([
        { projectId, networkAclId: acl.id, direction: 'ingress', number: 1, action: 'allow' },
      ]),
    );
    expect(await followed.changed()).toEqual([told]);
    await store.networkAclRules.update(id, { action: 'deny' });
    expect(await followed.changed()).toEqual([told]);
    await store.networkAcls.update(acl.id, { subnetIds: [subnet.id, second.id] });
    expect(await followed.changed()).toEqual([told]);
    const { rows } = await readSnapshot(store.feed);
    expect(rows.find(({ kind }) => kind === 'network-acl')).toMatchObject({
      row: {
        rules: [{ action: 'deny' }],
        subnets: [subnet, second]
          .map(({ id: subnetId, networkId, cidr }) => ({ id: subnetId, networkId, cidr }))
          .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
      },
    });
    await store.networkAclRules.delete(id);
    expect(await followed.changed()).toEqual([told]);
    await store.subnets.delete(subnet.id);
    expect(await followed.changed()).toEqual(expect.arrayContaining([told, `subnet/${subnet.id}`]));
    await store.networks.delete(other.id);
    expect(await followed.changed()).toEqual(expect.arrayContaining([told, `subnet/${second.id}`]));
    await store.networkAcls.delete(acl.id);
    expect(await followed.changed()).toEqual([told]);
  });
});

describe('what the feed tells of QoS policies', () => {
  it('tells a change of a rule as one of its policy, and which policy a network and a port have', async () => {
    const policy = only(await store.qosPolicies.create([{ projectId, name: 'slow' }]));
    const told = `qos-policy/${policy.id}`;
    expect(await followed.changed()).toEqual([told]);
    const limit = { policyId: policy.id, direction: 'egress', maxBurstKbps: 0 } as const;
    const rule = only(await store.bandwidthLimitRules.create([{ ...limit, maxKbps: 1000 }]));
    expect(await followed.changed()).toEqual([told]);
    await store.bandwidthLimitRules.update(rule.id, { maxKbps: 500 });
    expect(await followed.changed()).toEqual([told]);
    const { rows } = await readSnapshot(store.feed);
    expect(rows.find(({ kind }) => kind === 'qos-policy')?.row).toMatchObject({
      rules: [{ ...limit, id: rule.id, type: 'bandwidth_limit', maxKbps: 500 }],
    });
    const network = only(await store.networks.create([{ projectId, qosPolicyId: policy.id }]));
    const port = only(await store.ports.create([{ projectId, networkId: network.id, qosPolicyId: policy.id }]));
    await followed.changed();
    await store.ports.update(port.id, { qosPolicyId: null });
    expect(await followed.changed()).toEqual([`port/${port.id}`]);
    await store.networks.update(network.id, { qosPolicyId: null });
    expect(await followed.changed()).toEqual([`network/${network.id}`]);
    await store.bandwidthLimitRules.delete(rule.id);
    expect(await followed.changed()).toEqual([told]);
    await store.qosPolicies.delete(policy.id);
    expect(await followed.changed()).toEqual([told]);
  });
});

describe('what the feed tells of routers', () => {
  it('tells a change of its interfaces, of its routes and of its gateway as one of the router', async () => {
    const network = only(await store.networks.create([{ projectId }]));
    const subnet = only(await store.subnets.create([{ projectId, networkId: network.id, cidr: '10.0.0.0/24' }]));
    const six = { projectId, networkId: network.id, ipVersion: 6 } as const;
    const subnets6 = await store.subnets.create([
      { ...six, cidr: '2001:db8:1::/64' },
      { ...six, cidr: '2001:db8:2::/64' },
    ]);
    const port = only(await store.ports.create([{ projectId, networkId: network.id, fixedIps: [{ ip: '10.0.0.9' }] }]));
    const [router, other] = await store.routers.create([{ projectId }, { projectId }]);
    if (router === undefined || other === undefined) throw new Error('no routers');
    const told = `router/${router.id}`;
    expect(await followed.changed()).toContain(told);
    await store.routers.addInterface(router.id, { subnetId: subnet.id });
    expect(await followed.changed()).toContain(told);
    for (const { id } of subnets6) {
      await store.routers.addInterface(router.id, { subnetId: id });
      expect(await followed.changed()).toContain(told);
    }
    await store.routers.addRoutes(router.id, [{ destination: '10.9.0.0/16', nexthop: '10.0.0.7' }]);
    expect(await followed.changed()).toEqual([told]);
    await store.routers.addInterface(other.id, { portId: port.id });
    expect(await followed.changed()).toContain(`router/${other.id}`);
    await store.routers.update(router.id, { routes: [], distributed: false });
    await store.routers.removeInterface(router.id, { subnetId: subnets6[0]?.id });
    expect(await followed.changed()).toContain(told);
    await store.routers.removeInterface(router.id, { subnetId: subnet.id });
    expect(await followed.changed()).toContain(told);
    await store.routers.removeInterface(router.id, { subnetId: subnets6[1]?.id });
    await store.routers.delete(router.id);
    expect(await followed.changed()).toContain(told);
  });

  it('tells which addresses its gateway has, those included that follow from its MAC', async () => {
    const external = only(await store.networks.create([{ projectId, external: true }]));
    await store.subnets.create([{ projectId, networkId: external.id, cidr: '192.0.2.0/24' }]);
    const router = only(await store.routers.create([{ projectId, gateway: { networkId: external.id } }]));
    const told = `router/${router.id}`;
    expect(await followed.changed()).toContain(told);
    await store.routers.update(router.id, { gateway: { networkId: external.id, fixedIps: [{ ip: '192.0.2.77' }] } });
    expect(await followed.changed()).toContain(told);
    const automatic = only(
      await store.subnets.create([
        {
          projectId,
          networkId: external.id,
          ipVersion: 6,
          cidr: '2001:db8:3::/64',
          ipv6AddressMode: 'slaac',
          ipv6RaMode: 'slaac',
        },
      ]),
    );
    expect(await followed.changed()).toContain(told);
    expect((await store.routers.get(router.id)).gateway?.fixedIps).toHaveLength(2);
    await store.subnets.delete(automatic.id);
    expect(await followed.changed()).toContain(told);
    await store.routers.update(router.id, { gateway: null });
    expect(await followed.changed()).toContain(told);
  });
});

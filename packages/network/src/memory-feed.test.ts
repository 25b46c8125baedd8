import { expect, it } from 'vitest';
import { createMemoryFeed } from './memory-feed.ts';
import type { Network, NetworkId, Node, NodeId, Port, PortId, Subnet, SubnetId } from './nouns.ts';
import { plainNetwork, plainSubnet } from './plain-rows.ts';
import { plainPort } from './port-extras.ts';
import { describeFeed } from './testing/feed.contract.ts';
import type { FeedSubject } from './testing/feed.contract.ts';

const at = new Date(0);

const tenant = (name: string) =>
  ({ projectId: 'p', name, description: '', revision: 1, createdAt: at, updatedAt: at }) as const;

function networkOf(id: NetworkId, name: string): Network {
  return { ...tenant(name), ...plainNetwork, id, vni: 1 };
}

function subnetOf(id: SubnetId, networkId: NetworkId, cidr: string): Subnet {
  return { ...tenant(''), ...plainSubnet, id, networkId, cidr, gatewayIp: null };
}

function portOf(id: PortId, networkId: NetworkId, fixedIps: Port['fixedIps']): Port {
  const device = { hostId: null, deviceId: '', deviceOwner: '', portSecurityEnabled: true };
  return {
    ...tenant(''),
    ...plainPort,
    ...device,
    id,
    networkId,
    adminStateUp: true,
    mac: 'fa:16:3e:00:00:01',
    fixedIps,
  };
}

function openSubject(): FeedSubject {
  const feed = createMemoryFeed();
  const subnets = new Map<NetworkId, SubnetId[]>();
  const nodeRevisions = new Map<NodeId, number>();
  let made = 0;
  const nextId = <Id>(): Id => `id-${++made}` as Id;
  return {
    feed,
    async createNetwork(name) {
      const row = networkOf(nextId(), name);
      feed.put('network', row);
      return row;
    },
    async renameNetwork(id, name) {
      const before = feed.get('network', id);
      if (before === undefined) throw new Error('no such network');
      const row = { ...before, name, revision: before.revision + 1 };
      feed.put('network', row);
      return row;
    },
    async deleteNetwork(id) {
      feed.remove('channel', id);
      for (const subnet of subnets.get(id) ?? []) feed.remove('subnet', subnet);
      feed.remove('network', id);
    },
    async overrideChannel(id, override) {
      const { channel, revision } = feed.get('channel', id) ?? { channel: 'grpc', revision: 0 };
      feed.put('channel', { id, channel, override, revision: revision + 1 });
    },
    async createSubnet(networkId, cidr) {
      const row = subnetOf(nextId(), networkId, cidr);
      subnets.set(networkId, [...(subnets.get(networkId) ?? []), row.id]);
      feed.put('subnet', row);
      return row;
    },
    deleteSubnet: async (id) => feed.remove('subnet', id),
    async createPort(networkId) {
      const [subnetId] = subnets.get(networkId) ?? [];
      const row = portOf(nextId(), networkId, subnetId === undefined ? [] : [{ subnetId, ip: '10.0.0.2' }]);
      feed.put('port', row);
      return row;
    },
    deletePort: async (id) => feed.remove('port', id),
    async createNode(id) {
      const revision = (nodeRevisions.get(id) ?? 0) + 1;
      nodeRevisions.set(id, revision + 1);
      const row: Node = { id, name: id, ip: '192.0.2.1', agentAddress: 'h:1', revision, createdAt: at, updatedAt: at };
      feed.put('node', row);
      return row;
    },
    deleteNode: async (id) => feed.remove('node', id),
    forget: async () => feed.forget(),
    close: async () => {},
  };
}

describeFeed('memory', async () => openSubject());

it('refuses a revision that does not grow', () => {
  const feed = createMemoryFeed();
  feed.put('network', networkOf('n' as NetworkId, 'a'));
  expect(() => feed.put('network', networkOf('n' as NetworkId, 'b'))).toThrow('revision 1 is not after 1');
});

import type {
  Channel,
  ChannelName,
  Lease,
  Network,
  NetworkId,
  Node,
  NodeId,
  Port,
  PortId,
  Subnet,
  SubnetId,
} from '@alcor/network';
import { createMemoryFeed, LeaseLost, type MemoryFeed, plainNetwork, plainPort, plainSubnet } from '@alcor/network';
import { between, pick, type Random } from '@alcor/runtime';
import { addressOf, subnetOf } from './addresses.ts';
import { Policies } from './policies.ts';

const at = new Date(0);
const tenant = { projectId: 'project', name: '', description: '', createdAt: at, updatedAt: at };

/**
 * A tenant who never rests, by the API's rules: what is referred to exists, nothing is deleted that is in use. Many networks have the
 * same CIDR, and all networks' ports the same MACs, so whatever mixes networks up is seen.
 */
export class Workload {
  readonly feed: MemoryFeed = createMemoryFeed();
  /** Which network a port is or was in; ids are never used again. */
  readonly networkOf = new Map<string, NetworkId>();
  readonly #random: Random;
  readonly #networks: NetworkId[] = [];
  readonly #ports: PortId[] = [];
  readonly #nodes: NodeId[];
  readonly #policies: Policies;
  readonly #channelRevisions = new Map<NetworkId, number>();
  #made = 0;

  constructor(random: Random, nodes: readonly Node[]) {
    this.#random = random;
    this.#policies = new Policies(random, this.feed);
    this.#nodes = nodes.map(({ id }) => id);
    for (const node of nodes) this.feed.put('node', node);
  }

  get ports(): Port[] {
    return this.#ports.map((id) => this.feed.get('port', id)!);
  }

  network(id: NetworkId): Network {
    return this.feed.get('network', id)!;
  }

  get nodes(): Node[] {
    return this.#nodes.flatMap((id) => this.feed.get('node', id) ?? []);
  }

  get networks(): readonly NetworkId[] {
    return this.#networks;
  }

  /** The network's neighbours are told only when asked for. */
  isOnDemand(id: string): boolean {
    return this.feed.get('channel', id as NetworkId)?.channel === 'on-demand';
  }

  /** Somebody wants the network to go by this channel, whatever its size; null: nobody does. */
  override(id: NetworkId, override: ChannelName | null): string {
    const { channel = 'grpc' } = this.feed.get('channel', id) ?? {};
    this.#putChannel({ id, channel, override, revision: 0 });
    return `override the channel of ${id} with ${override}`;
  }

  /** The store's rule: only who holds the network's lease says by which channel it goes. */
  setChannel(id: NetworkId, channel: ChannelName, lease: Lease): void {
    if (this.feed.get('lease', lease.shard)?.revision !== lease.fence)
      throw new LeaseLost(`${lease.shard} is another's`);
    const known = this.feed.get('channel', id);
    if ((known?.channel ?? 'grpc') === channel || this.feed.get('network', id) === undefined) return;
    this.#putChannel({ id, channel, override: known?.override ?? null, revision: 0 });
  }

  /** The store's rule: only who holds the node's lease says whether it answers. */
  setGatewayLost(id: NodeId, lost: boolean, lease: Lease): void {
    if (this.feed.get('lease', lease.shard)?.revision !== lease.fence)
      throw new LeaseLost(`${lease.shard} is another's`);
    const node = this.feed.get('node', id);
    if (node?.gateway === true && (node.lost === true) !== lost)
      this.feed.put('node', { ...node, lost, revision: node.revision + 1 });
  }

  #putChannel(row: Channel): void {
    const revision = (this.#channelRevisions.get(row.id) ?? 0) + 1;
    this.#channelRevisions.set(row.id, revision);
    this.feed.put('channel', { ...row, revision });
  }

  /** Whether a router joins the networks now. */
  areJoined(one: NetworkId, other: NetworkId): boolean {
    return this.#policies.areJoined(one, other);
  }

  /** Whether a router has ever joined them. */
  mayMeet(one: NetworkId, other: NetworkId): boolean {
    return one === other || this.#policies.haveMet(one, other);
  }

  /** Does one thing that changes no ping's outcome; says what. */
  quietStep(): string {
    const canMake = this.#networks.length > 0 && this.#ports.length < 50;
    if (canMake && this.#random.next() < 0.5) return this.#makePort();
    return this.#ports.length > 0 ? this.#renamePort() : 'nothing';
  }

  /** Does one thing to groups and routers; says what. */
  policyStep(): string {
    return this.#policies.step(this.#networks, new Set(this.ports.flatMap((port) => port.securityGroupIds)));
  }

  /** Somebody wants some network to go by some channel; says so. */
  overrideSome(): string {
    if (this.#networks.length === 0) return 'nothing';
    return this.override(
      pick(this.#random, this.#networks),
      pick(this.#random, ['mq', 'mq', 'grpc', 'on-demand', 'on-demand', null] as const),
    );
  }

  /** Some host becomes a gateway, is drained, or is neither; says so. */
  gatewayStep(): string {
    const node = pick(this.#random, this.nodes);
    const [gateway, draining] = [this.#random.next() < 0.6, this.#random.next() < 0.2];
    this.feed.put('node', { ...node, gateway, draining, revision: node.revision + 1 });
    return `${node.id} is ${gateway ? 'a' : 'no'} gateway${draining ? ', and drained' : ''}`;
  }

  /** Does one thing; says what. */
  step(): string {
    const dice = this.#random.next();
    if (this.#networks.length === 0 || (dice < 0.05 && this.#networks.length < 4)) return this.#makeNetwork();
    if (dice < 0.4 && this.#ports.length < 40) return this.#makePort();
    if (this.#ports.length === 0) return 'nothing';
    if (dice < 0.6) return this.#movePort();
    if (dice < 0.7) return this.#renamePort();
    if (dice < 0.78) return this.#switchPort();
    if (dice < 0.82) return this.#switchNetwork();
    if (dice < 0.86) return this.#regroupPort();
    if (dice < 0.95) return this.#deletePort();
    return this.#deleteNetwork();
  }

  #makeNetwork(): string {
    const n = ++this.#made;
    const id = `net-${n}` as NetworkId;
    this.#networks.push(id);
    this.feed.put('network', {
      ...tenant,
      ...plainNetwork,
      id,
      revision: 1,
      vni: n,
    });
    const subnet: Subnet = {
      ...tenant,
      ...plainSubnet,
      id: `sub-${n}` as SubnetId,
      revision: 1,
      networkId: id,
      cidr: subnetOf(id).cidr,
      gatewayIp: subnetOf(id).gateway,
    };
    this.feed.put('subnet', subnet);
    return `make ${id}`;
  }

  #makePort(): string {
    const networkId = pick(this.#random, this.#networks);
    const taken = new Set(
      this.ports.filter((port) => port.networkId === networkId).map((port) => port.fixedIps[0]?.ip),
    );
    const n = Array.from({ length: 50 }, (_, index) => index + 2).find(
      (each) => !taken.has(addressOf(networkId, each)),
    )!;
    const id = `port-${++this.#made}` as PortId;
    const hostId = this.#random.next() < 0.9 ? pick(this.#random, this.#nodes) : null;
    this.#ports.push(id);
    this.networkOf.set(id, networkId);
    this.feed.put('port', {
      ...tenant,
      ...plainPort,
      securityGroupIds: this.#policies.someGroups(),
      id,
      revision: 1,
      networkId,
      adminStateUp: true,
      mac: `fa:16:3e:00:00:${n.toString(16).padStart(2, '0')}`,
      fixedIps: [{ subnetId: networkId.replace('net', 'sub') as SubnetId, ip: addressOf(networkId, n) }],
      hostId,
      deviceId: '',
      deviceOwner: '',
      portSecurityEnabled: this.#random.next() < 0.9,
    });
    return `make ${id} in ${networkId} on ${hostId}`;
  }

  #movePort(): string {
    const port = pick(this.#random, this.ports);
    const hostId = this.#random.next() < 0.9 ? pick(this.#random, this.#nodes) : null;
    this.#put({ ...port, hostId });
    return `move ${port.id} from ${port.hostId} to ${hostId}`;
  }

  #renamePort(): string {
    const port = pick(this.#random, this.ports);
    this.#put({ ...port, name: `name ${between(this.#random, 1, 9)}` });
    return `rename ${port.id}`;
  }

  #switchPort(): string {
    const port = pick(this.#random, this.ports);
    this.#put({ ...port, adminStateUp: !port.adminStateUp });
    return `switch ${port.id} ${port.adminStateUp ? 'off' : 'on'}`;
  }

  #switchNetwork(): string {
    const network = this.network(pick(this.#random, this.#networks));
    this.feed.put('network', { ...network, revision: network.revision + 1, adminStateUp: !network.adminStateUp });
    return `switch ${network.id} ${network.adminStateUp ? 'off' : 'on'}`;
  }

  #regroupPort(): string {
    const port = pick(this.#random, this.ports);
    const securityGroupIds = this.#policies.someGroups();
    this.#put({ ...port, securityGroupIds });
    return `put ${port.id} into ${securityGroupIds.length} groups`;
  }

  #put(port: Port): void {
    this.feed.put('port', { ...port, revision: port.revision + 1 });
  }

  #deletePort(): string {
    const id = pick(this.#random, this.#ports);
    this.#ports.splice(this.#ports.indexOf(id), 1);
    this.feed.remove('port', id);
    return `delete ${id}`;
  }

  #deleteNetwork(): string {
    const id = pick(this.#random, this.#networks);
    if (this.ports.some((port) => port.networkId === id) || this.#policies.isRouted(id)) return 'nothing';
    this.#networks.splice(this.#networks.indexOf(id), 1);
    this.feed.remove('subnet', id.replace('net', 'sub') as SubnetId);
    this.feed.remove('channel', id);
    this.feed.remove('network', id);
    return `delete ${id}`;
  }
}

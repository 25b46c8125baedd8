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
  Router,
  Subnet,
  SubnetId,
} from '@alcor/network';
import { createMemoryFeed, LeaseLost, type MemoryFeed, plainNetwork, plainPort, plainSubnet } from '@alcor/network';
import { between, pick, type Random } from '@alcor/runtime';
import { addressOf, subnetOf } from './addresses.ts';
import { Outward, PHYSICAL, reachesWire } from './outward.ts';
import { Policies } from './policies.ts';
import { Quality } from './quality.ts';
import { isParent, Trunks } from './trunks.ts';

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
  /** Draws what has been added since the first seeds were kept, so that they draw what they drew; null: it is not drawn. */
  readonly #more: Random | null;
  readonly #trunks: Trunks;
  readonly quality: Quality;
  readonly outward: Outward | null;
  readonly #channelRevisions = new Map<NetworkId, number>();
  #made = 0;

  constructor(random: Random, nodes: readonly Node[], more: Random | null) {
    this.#random = random;
    this.#more = more;
    this.#policies = new Policies(random, this.feed, (...used) => this.outward?.isUsed(...used) === true);
    this.#nodes = nodes.map(({ id }) => id);
    for (const node of nodes) this.feed.put('node', node);
    this.#trunks = new Trunks(more ?? random, this.feed);
    this.quality = new Quality(more ?? random, this.feed);
    this.outward = more === null ? null : new Outward(more, this.feed);
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

  get routers(): Router[] {
    return this.#policies.routers;
  }

  /** Whether a router joins the networks now. */
  areJoined(one: NetworkId, other: NetworkId): boolean {
    return this.#policies.areJoined(one, other);
  }

  /** Whether a router has ever joined them. */
  mayMeet(one: NetworkId, other: NetworkId): boolean {
    return one === other || this.#policies.haveMet(one, other);
  }

  /** Networks that have ever been reached by the interface of the port under this tag. */
  networksUnder(portId: string, vlan: number): readonly NetworkId[] {
    return this.#trunks.networksUnder(portId, vlan);
  }

  /** What is there before the faults: with nothing but chance to make it, hardly a packet would have a way. */
  furnish(): void {
    for (let n = 0; n < 3; n++) this.#makeNetwork();
    this.#policies.furnish(this.#networks);
    for (let n = 0; n < 10; n++) this.#makePort();
    const gateway = this.nodes.find(reachesWire);
    if (gateway !== undefined) this.feed.put('node', { ...gateway, gateway: true, revision: gateway.revision + 1 });
    for (let n = 0; n < 20; n++) this.moreStep();
  }

  /** Most of what is switched off goes on again, and most ports that are in no group get into some. */
  mend(): void {
    const isMended = (): boolean => this.#random.next() < 0.8;
    this.#policies.mend(isMended);
    for (const network of this.#networks.map((id) => this.network(id)))
      if (!network.adminStateUp && isMended())
        this.feed.put('network', { ...network, revision: network.revision + 1, adminStateUp: true });
    for (const port of this.ports) {
      const isLame = !port.adminStateUp || port.securityGroupIds.length === 0;
      if (isLame && isMended()) this.#put({ ...port, adminStateUp: true, securityGroupIds: this.#policies.groups });
    }
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

  /** Does one thing to trunks, QoS policies, gateways or floating IPs; says what. */
  moreStep(): string {
    const dice = this.#more?.next() ?? 1;
    if (dice < 0.25) return this.#trunks.step(this.ports);
    if (dice < 0.45)
      return this.quality.step(
        this.ports,
        this.#networks.map((id) => this.network(id)),
      );
    return this.outward?.step(this.ports, this.routers) ?? 'nothing';
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
      ...(this.#more !== null && this.#more.next() < 0.3 ? onWire(n) : {}),
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
    const hostId = this.#random.next() < 0.9 ? pick(this.#random, this.#nodes) : null;
    const securityGroupIds = this.#policies.someGroups();
    const portSecurityEnabled = this.#random.next() < 0.9;
    const { id } = this.#addPort({ networkId, hostId, securityGroupIds, portSecurityEnabled });
    return `make ${id} in ${networkId} on ${hostId}`;
  }

  /** A port that is in no group and may do what it likes. */
  makeOpenPort(networkId: NetworkId, hostId: NodeId): Port {
    return this.#addPort({ networkId, hostId, securityGroupIds: [], portSecurityEnabled: false });
  }

  #addPort(some: Pick<Port, 'networkId' | 'hostId' | 'securityGroupIds' | 'portSecurityEnabled'>): Port {
    const { networkId } = some;
    const taken = new Set(
      this.ports.filter((port) => port.networkId === networkId).map((port) => port.fixedIps[0]?.ip),
    );
    const n = Array.from({ length: 50 }, (_, index) => index + 2).find(
      (each) => !taken.has(addressOf(networkId, each)),
    )!;
    const id = `port-${++this.#made}` as PortId;
    this.#ports.push(id);
    this.networkOf.set(id, networkId);
    const port: Port = {
      ...tenant,
      ...plainPort,
      ...some,
      id,
      revision: 1,
      adminStateUp: true,
      mac: `fa:16:3e:00:00:${n.toString(16).padStart(2, '0')}`,
      fixedIps: [{ subnetId: networkId.replace('net', 'sub') as SubnetId, ip: addressOf(networkId, n) }],
      deviceId: '',
      deviceOwner: '',
    };
    this.feed.put('port', port);
    return port;
  }

  #movePort(): string {
    const port = pick(this.#random, this.ports);
    const hostId = this.#random.next() < 0.9 ? pick(this.#random, this.#nodes) : null;
    // A sub-port is where its parent is.
    if (port.trunk !== null) return 'nothing';
    this.#put({ ...port, hostId });
    for (const sub of this.ports) if (sub.trunk?.parentId === port.id) this.#put({ ...sub, hostId });
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
    const port = this.feed.get('port', id)!;
    if (port.trunk !== null || isParent(port, this.ports)) return 'nothing';
    this.outward?.forget(id);
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

/** What lies on the physical network under a tag of its own, instead of going by tunnels. */
function onWire(n: number): Pick<Network, 'networkType' | 'physicalNetwork' | 'vlan'> {
  return { networkType: 'vlan', physicalNetwork: PHYSICAL, vlan: 100 + n };
}

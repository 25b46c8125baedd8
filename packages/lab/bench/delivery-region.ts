/** A region of one VPC for benchmarks: intent in a feed in memory, the real compiler, delivery and publisher, and simulated hosts. */
import { HeldState } from '@alcor/agent';
import { Compiler } from '@alcor/compiler';
import { decodeGoal, hostKey, subjectsFor, topicOf } from '@alcor/contract';
import { Delivery, type Host, type PublishCounters, TopicPublisher } from '@alcor/delivery';
import {
  type Change,
  createMemoryFeed,
  type MemoryFeed,
  type Network,
  type NetworkId,
  type Node,
  type NodeId,
  plainPort,
  type Port,
  type PortId,
  type RuledSecurityGroup,
  type SecurityGroupId,
  type Subnet,
  type SubnetId,
} from '@alcor/network';
import { aborted, Bus, type Clock, createMemoryQueue, type MessageQueue, Topic } from '@alcor/runtime';

const at = new Date(0);
const tenant = { projectId: 'project', name: '', description: '', createdAt: at, updatedAt: at };
const networkId = 'net-1' as NetworkId;
export const everyone = 'group-everyone' as SecurityGroupId;
/** The group that ports join in the benchmark; the rules of `everyone` refer to it. */
export const club = 'group-club' as SecurityGroupId;

const network: Network = {
  ...tenant,
  id: networkId,
  revision: 1,
  adminStateUp: true,
  shared: false,
  external: false,
  isDefault: false,
  mtu: 1450,
  vni: 1,
  portSecurityEnabled: true,
};

const subnet: Subnet = {
  ...tenant,
  id: 'sub-1' as SubnetId,
  revision: 1,
  networkId,
  ipVersion: 4,
  cidr: '10.0.0.0/8',
  gatewayIp: '10.0.0.1',
  enableDhcp: true,
  allocationPools: [],
  dnsNameservers: [],
  hostRoutes: [],
  ipv6RaMode: null,
  ipv6AddressMode: null,
  serviceTypes: [],
  subnetPoolId: null,
};

function groupOf(id: SecurityGroupId, remote: SecurityGroupId): RuledSecurityGroup {
  const rule = {
    id: `rule-${id}`,
    projectId: 'project',
    description: '',
    revision: 1,
    createdAt: at,
    updatedAt: at,
    securityGroupId: id,
    direction: 'ingress',
    ethertype: 'IPv4',
    protocol: 'tcp',
    portRangeMin: 443,
    portRangeMax: 443,
    remoteIpPrefix: null,
    remoteGroupId: remote,
    remoteAddressGroupId: null,
  };
  const group = { ...tenant, id, revision: 1, stateful: true, isDefault: false, shared: false, rules: [rule] };
  return group as unknown as RuledSecurityGroup;
}

export function nodeOf(n: number): Node {
  const id = `host-${n}` as NodeId;
  const ip = `172.${16 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`;
  return { id, name: id, ip, agentAddress: `${id}:50001`, revision: 1, createdAt: at, updatedAt: at } as Node;
}

/** Port number `n`, on host `host`. */
export function portOf(n: number, host: number, groups: readonly SecurityGroupId[], revision = 1): Port {
  const hex = n.toString(16).padStart(6, '0');
  const address = n + 2;
  return {
    ...tenant,
    ...plainPort,
    id: `00000000-0000-7000-8000-${hex.padStart(12, '0')}` as PortId,
    revision,
    networkId,
    adminStateUp: true,
    mac: `fa:16:3e:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4)}`,
    fixedIps: [{ subnetId: subnet.id, ip: `10.${(address >> 16) & 255}.${(address >> 8) & 255}.${address & 255}` }],
    hostId: `host-${host}` as NodeId,
    deviceId: '',
    deviceOwner: 'compute:nova',
    portSecurityEnabled: true,
    securityGroupIds: [...groups],
  };
}

function say(kind: Change['kind'], row: { id: string; revision: number }): Change {
  return { kind, id: row.id, revision: row.revision, row } as unknown as Change;
}

/** Everything that stands before the benchmark: `ports` ports dealt out over `hosts` hosts, all members of both groups. */
export function* intentOf(ports: number, hosts: number): Generator<Change> {
  for (let n = 0; n < hosts; n++) yield say('node', nodeOf(n));
  yield say('network', network);
  for (const id of [everyone, club]) yield say('security-group', groupOf(id, club));
  yield say('subnet', subnet);
  for (let n = 0; n < ports; n++) yield say('port', portOf(n, n % hosts, [everyone, club]));
}

const nothing = (): void => undefined;
const noSwitch = new Proxy({}, { get: () => nothing }) as ConstructorParameters<typeof HeldState>[0]['sink'];

function log(message: string, error?: unknown): void {
  console.error(message, error ?? '');
}

/** One host: reads the VPC's topic as an agent does and holds what it tells; below it there is no switch. */
class SimulatedHost {
  readonly id: string;
  readonly #held: HeldState;

  constructor(id: string, clock: Clock) {
    this.id = id;
    this.#held = new HeldState({ sink: noSwitch, clock });
  }

  async read(queue: MessageQueue, from: number, applied: (portId: string) => void, signal: AbortSignal): Promise<void> {
    const source = this.#held.openTopic(networkId);
    for await (const batch of queue.read(topicOf(networkId), subjectsFor(hostKey(this.id)), from, signal)) {
      const goals = batch.messages.map(({ payload }) => decodeGoal(payload));
      this.#held.apply(source, goals);
      for (const { goal } of goals) applied(goal.state.id);
    }
  }
}

export interface BenchRegion {
  readonly feed: MemoryFeed;
  readonly counters: PublishCounters;
  /** Resolves when the port's change has been applied `times` times, over all hosts. */
  applied(portId: string, times: number): Promise<void>;
  close(): Promise<void>;
}

/** Loads the region, publishes the VPC and has every host read on from there. */
export async function startRegion(ports: number, hosts: number, clock: Clock): Promise<BenchRegion> {
  const stop = new AbortController();
  const { signal } = stop;
  const feed = createMemoryFeed();
  for (const { kind, row } of intentOf(ports, hosts)) feed.put(kind, row as never);
  const goals: ConstructorParameters<typeof Delivery>[0]['goals'] = new Bus();
  const delivery = new Delivery({ feed, goals, hosts: new Topic<Host>(), clock, log });
  const queue = createMemoryQueue();
  const counters: PublishCounters = { multicast: 0, unicast: 0, bytes: 0, unchanged: 0 };
  const running = [delivery.run(signal)];
  await delivery.ready;
  const whole = new AbortController();
  const publisher = new TopicPublisher({
    vpcId: networkId,
    multicast: goals.topic(`vpc/${networkId}`),
    unicast: delivery.hostGoals.topic(`vpc/${networkId}/hosts`),
    queue,
    fence: 1,
    clock,
    counters,
    onWhole: () => whole.abort(),
    log,
  });
  running.push(publisher.run(signal));
  await aborted(whole.signal);
  let waited = { portId: '', left: 0, done: (): void => undefined };
  const onApplied = (portId: string): void => {
    if (portId === waited.portId && --waited.left === 0) waited.done();
  };
  for (let n = 0; n < hosts; n++) {
    running.push(new SimulatedHost(`host-${n}`, clock).read(queue, publisher.position, onApplied, signal));
  }
  return {
    feed,
    counters,
    applied: (portId, times) => new Promise((done) => (waited = { portId, left: times, done })),
    async close() {
      stop.abort();
      await Promise.allSettled(running);
      await queue.close();
    },
  };
}

/** A compiler that knows the region. */
export function compilerOf(ports: number, hosts: number): Compiler {
  const compiler = new Compiler();
  for (const change of intentOf(ports, hosts)) compiler.apply(change);
  return compiler;
}
